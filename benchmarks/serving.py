"""Times `serve` under load beside bare `nlp.pipe`: latency, throughput, errors, memory, and the end under load.

The load comes from this process, on the same machine: keep a processor free for it (`--threads`).
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

import spacy
import typer
from spacy.tokens import DocBin

from domain_ner.client import Client
from domain_ner.commands.main import run_function

HOST = "127.0.0.1"
BARE = """
import json, sys
from time import perf_counter
import spacy
nlp = spacy.load(sys.argv[1])
texts = json.load(open(sys.argv[2], encoding="utf8"))
list(nlp.pipe(texts[:50]))
best = 1e9
for _ in range(3):
    begun = perf_counter()
    for _ in nlp.pipe(texts):
        pass
    best = min(best, perf_counter() - begun)
print(len(texts) / best)
"""


def main(
    pipeline: Path = typer.Argument(Path("training/model-optimized"), help="The pipeline."),
    corpus: Path = typer.Argument(Path("corpus/test.spacy"), help="Its texts are sent (DocBin)."),
    seconds: float = typer.Option(300.0, help="Seconds of the closed loop; other parts take a fifth of it."),
    clients: int = typer.Option(64, help="Clients of the closed loop."),
    soak: int = typer.Option(1_000_000, help="Texts of the soak, each with new words; 0: none."),
    threads: int = typer.Option(1, help="Threads of the pipeline, in the service and bare."),
    port: int = typer.Option(8765, help="Port to serve on."),
    output: Path = typer.Option(Path("benchmarks/serving.md"), help="The table to write (Markdown)."),
) -> None:
    """Time the service under load beside bare `nlp.pipe`, and write benchmarks/serving.md."""
    texts = [doc.text for doc in DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab)]
    rows = [("`nlp.pipe`, texts/s", f"{(bare := bare_speed(pipeline, texts, threads)):.0f}")]
    with service(pipeline, port, threads) as process:
        load = Load(port, texts)
        alone = asyncio.run(load.one_by_one(200))
        rows.append(("one client, one text: median and p99, ms", f"{ms(alone, 0.5)}, {ms(alone, 0.99)}"))
        closed = asyncio.run(load.closed(clients, seconds))
        top = closed.per_s
        rows.append((f"{clients} clients for {seconds:.0f} s, texts/s", f"{top:.0f}, {top / bare:.0%} of `nlp.pipe`"))
        rows.append(("their statuses", told(closed.statuses)))
        rows.append(("their latency: median and p99, ms", f"{ms(closed.latencies, 0.5)}, {ms(closed.latencies, 0.99)}"))
        part = asyncio.run(load.open(0.7 * top, seconds / 5))
        ratio = quantile(part.latencies, 0.99) / quantile(alone, 0.99)
        rows.append(
            (
                "at 70 % of that: median and p99, ms",
                f"{ms(part.latencies, 0.5)}, {ms(part.latencies, 0.99)}: p99 {ratio:.1f} times that of one client",
            )
        )
        if soak:
            before, after = asyncio.run(load.soak(soak, process.pid))
            rows.append((f"resident memory after 5 % and 100 % of {soak:,} texts, MB", f"{before:.0f}, {after:.0f}"))
        ended = asyncio.run(load.ended(clients, process))
        rows.append(("SIGTERM under load: statuses, refused connections, lost", ended))
    lines = [
        f"{pipeline}, {threads} threads, {os.cpu_count()} processors, texts of {corpus}",
        "",
        "| | |",
        "| --- | ---: |",
    ]
    lines += [f"| {name} | {value} |" for name, value in rows]
    output.write_text("\n".join(lines) + "\n", encoding="utf8")
    typer.echo("\n".join(lines))


def bare_speed(pipeline: Path, texts: list[str], threads: int) -> float:
    """Texts a second of `nlp.pipe` in a process of its own."""
    path = Path(f"{pipeline}.texts.json")
    path.write_text(json.dumps(texts), encoding="utf8")
    try:
        env = os.environ | {"OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, "-c", BARE, str(pipeline), str(path)]
        return float(subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout)
    finally:
        path.unlink()


@contextmanager
def service(pipeline: Path, port: int, threads: int) -> Iterator[subprocess.Popen[bytes]]:
    """The service in a process of its own, ready."""
    command = [
        sys.executable,
        "-m",
        "domain_ner",
        "serve",
        str(pipeline),
        "--port",
        str(port),
        "--threads",
        str(threads),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        Client(f"http://{HOST}:{port}", retries=9).model()
        yield process
    finally:
        process.kill()
        process.wait()


def quantile(values: list[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ms(values: list[float], share: float) -> str:
    """A quantile in milliseconds."""
    return f"{1000 * quantile(values, share):.1f}"


def told(statuses: Counter[int]) -> str:
    """How many answers had which status."""
    return ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))


class Connection:
    """A connection that is kept open. Only what this service's answers need."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None

    async def extract(self, text: str) -> int:
        """Status of a text."""
        body = json.dumps({"text": text}).encode()
        head = f"POST /v1/extract HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        return await self._call(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def _call(self, request: bytes) -> int:
        if self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


class Measured:
    """Answers: seconds of each that was 200, and how many had which status."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.begun = perf_counter()
        self.seconds = 0.0

    async def time(self, call: Callable[[], Awaitable[int]]) -> int:
        """Await a request; returns its status."""
        begun = perf_counter()
        status = await call()
        self.statuses[status] += 1
        if status == 200:
            self.latencies.append(perf_counter() - begun)
        return status

    @property
    def per_s(self) -> float:
        """Answered texts a second."""
        return self.statuses[200] / self.seconds


class Load:
    """Sends texts. texts: in turn."""

    def __init__(self, port: int, texts: list[str]) -> None:
        self._port, self._texts = port, texts

    async def one_by_one(self, n_texts: int) -> list[float]:
        """Seconds of each text, from a single client."""
        measured, connection = Measured(), Connection(self._port)
        for text in islice(cycle(self._texts), 20 + n_texts):
            await measured.time(lambda text=text: connection.extract(text))
        return measured.latencies[20:]

    async def closed(self, n_clients: int, seconds: float) -> Measured:
        """Each client sends its next text when the last is answered."""
        measured = Measured()
        end = measured.begun + seconds

        async def client(number: int) -> None:
            connection = Connection(self._port)
            order = random.Random(number)
            while perf_counter() < end:
                text = order.choice(self._texts)
                if await measured.time(lambda text=text: connection.extract(text)) == 429:
                    await asyncio.sleep(0.1)

        await asyncio.gather(*map(client, range(n_clients)))
        measured.seconds = perf_counter() - measured.begun
        return measured

    async def open(self, per_s: float, seconds: float) -> Measured:
        """Texts come at random moments, so many a second, whether the last are answered or not."""
        measured, order = Measured(), random.Random(0)
        free: list[Connection] = []
        tasks = []

        async def send(text: str) -> None:
            connection = free.pop() if free else Connection(self._port)
            await measured.time(lambda: connection.extract(text))
            free.append(connection)

        at = measured.begun
        while at < measured.begun + seconds:
            at += order.expovariate(per_s)
            await asyncio.sleep(max(0.0, at - perf_counter()))
            tasks.append(asyncio.create_task(send(order.choice(self._texts))))
        await asyncio.gather(*tasks)
        measured.seconds = perf_counter() - measured.begun
        return measured

    async def soak(self, n_texts: int, pid: int) -> tuple[float, float]:
        """Resident memory (MB) after 5 % and all of so many short texts, each with words never seen."""
        numbers = iter(range(n_texts))
        memory = []

        async def client() -> None:
            connection = Connection(self._port)
            for number in numbers:
                await connection.extract(f"word{number} and name{number}x failed at {number}")
                if number == n_texts // 20:
                    memory.append(resident(pid))

        await asyncio.gather(*(client() for _ in range(64)))
        return memory[0], resident(pid)

    async def ended(self, n_clients: int, process: subprocess.Popen[bytes]) -> str:
        """End the service under load. Every request that was sent must be answered, or its connection refused."""
        statuses: Counter[int] = Counter()
        n_refused = n_lost = 0

        async def client(number: int) -> None:
            nonlocal n_refused, n_lost
            connection = Connection(self._port)
            order = random.Random(number)
            while True:
                try:
                    statuses[await connection.extract(order.choice(self._texts))] += 1
                except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
                    n_refused += 1
                    return
                except asyncio.IncompleteReadError as err:
                    n_lost += bool(err.partial)  # an idle connection that was closed loses nothing
                    n_refused += not err.partial
                    return

        tasks = [asyncio.create_task(client(number)) for number in range(n_clients)]
        await asyncio.sleep(2)
        process.send_signal(signal.SIGTERM)
        await asyncio.gather(*tasks)
        return f"{told(statuses)}; {n_refused}; {n_lost}"


def resident(pid: int) -> float:
    """Resident memory of a process and of those it started, in MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in [pid, *children])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    run_function(main, "benchmark-serving")
