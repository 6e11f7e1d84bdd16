"""Reads an export in a process of its own, as `convert` does, and says how that ended."""

import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import spacy

from domain_ner.conversion.accounts import enter_doc
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.conversion.ledger import BUG_ADVICE
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.errors import DomainNerError

READ, REFUSED = "read", "refused"
TRACEBACK, CRASH, HANG, MEMORY, UNBALANCED = "traceback", "crash", "hang", "memory", "wrong sums"
FAULTS = (TRACEBACK, CRASH, HANG, MEMORY, UNBALANCED)
# Of the processor, so that a busy machine is no hang; who waits for something may take so many times as long.
MAX_S, WAITING, MAX_BYTES = 20.0, 10, 2 << 30
SETTINGS = ImportSettings(prefer=("*",), conflicts="majority", reading="force=yes")
RULES = DocRules(create_tokenizer()(spacy.blank("xx")))


@dataclass(frozen=True)
class Outcome:
    """How the reading of one export ended. what: one of the names above. told: the last words of it."""

    what: str
    told: str
    seconds: float


def convert(folder: Path) -> str:
    """Read a folder, put its passages into documents, and check the sums. Raises DomainNerError as `convert` does."""
    read = read_annotations(folder, SETTINGS)
    for passage in read.merged:
        doc = enter_doc(make_doc(passage, RULES), read.ledger, split="train")
        if doc.text not in (passage.text, f"{passage.text} "):  # where no spaces are known, one follows the last word
            raise AssertionError(f"{passage.source}: the text was changed")
    read.ledger.check_balance()
    for passage in read.passages:
        for span in chain(passage.spans, passage.rejected):
            if not 0 <= span.start < span.end <= len(passage.text):
                raise AssertionError(f"{passage.source}: {span} is outside the text")
    return f"{len(read.merged)} passages"


def watch(folders: Sequence[Path], read: Callable[[Path], str] = convert) -> list[Outcome]:
    """Read each folder, all of them in one process as long as it lives; one that dies is followed by another."""
    found: list[Outcome] = []
    while len(found) < len(folders):
        found += _watch(folders[len(found) :], read)
    return found


def _watch(folders: Sequence[Path], read: Callable[[Path], str]) -> list[Outcome]:
    sys.stdout.flush()
    told, telling = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(told)
        _read_all(folders, read, telling)
    os.close(telling)
    found: list[Outcome] = []
    for line in _lines(told, len(folders)):
        what, seconds, words = line.decode("utf-8", "replace").split(" ", 2)
        found.append(Outcome(what.replace("_", " "), words, float(seconds)))
    if len(found) < len(folders):  # it ended, or is still at it
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        is_hang = not ended or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF)
        found.append(
            Outcome(HANG, f"more than {MAX_S:g} s", MAX_S) if is_hang else Outcome(CRASH, f"status {status}", 0.0)
        )
    else:
        os.waitpid(pid, 0)
    os.close(told)
    return found


def _lines(told: int, n: int) -> Iterator[bytes]:
    """Up to `n` lines from a pipe; ends early with the pipe, or where the next one takes too long."""
    text = b""
    for _ in range(n):
        while b"\n" not in text:
            if not select.select([told], [], [], WAITING * MAX_S)[0]:
                return
            more = os.read(told, 1 << 16)
            if not more:
                time.sleep(0.05)  # so that it can be told from a process that hangs
                return
            text += more
        line, _, text = text.partition(b"\n")
        yield line


def _read_all(folders: Sequence[Path], read: Callable[[Path], str], telling: int) -> None:
    """In the process that reads: a line for each folder. Ends the process."""
    # What is more than that is a MemoryError, and the machine goes on.
    resource.setrlimit(resource.RLIMIT_AS, (2 * MAX_BYTES, 2 * MAX_BYTES))
    for folder in folders:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.setitimer(signal.ITIMER_PROF, MAX_S)  # ends the process
        began = time.process_time()
        what, words = _outcome(folder, read)
        seconds = time.process_time() - began
        signal.setitimer(signal.ITIMER_PROF, 0)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        if grown > MAX_BYTES:
            what, words = MEMORY, f"{grown / 1e9:.1f} GB"
        line = f"{what.replace(' ', '_')} {seconds:.3f} {' '.join(words.split())}\n"
        os.write(telling, line.encode("utf-8", "replace")[:4000].rstrip(b"\n") + b"\n")
    os._exit(0)


def _outcome(folder: Path, read: Callable[[Path], str]) -> tuple[str, str]:
    try:
        return READ, read(folder)
    except DomainNerError as err:
        return (UNBALANCED if BUG_ADVICE in str(err) else REFUSED), str(err)
    except MemoryError:
        return MEMORY, "MemoryError"
    except BaseException:
        return TRACEBACK, traceback.format_exc()[-1500:]
