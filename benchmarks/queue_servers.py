"""Takes tasks of `next-batch` and `review-sample` through real annotation tools, answers them, and reads them back."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from _servers.environments import chosen, environment_of
from _servers.queue_desks import TOOLS, Tool
from _servers.queues import Queue, Shown, command, differences, unlike, write_queues
from rich.console import Console
from rich.table import Table

from domain_ner.annotations.passages import Passage
from domain_ner.commands.main import run_function
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.errors import DomainNerError
from domain_ner.reviewing.review_schema import Review

out = Console(highlight=False, soft_wrap=True, width=180)
COLUMNS = (
    "tool", "command", "tasks", "suggestions", "accepted", "corrected", "texts back", "entities back", "reviewed",
    "precision", "recall",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A queue that went through a tool.

    n_texts, n_spans: of the right answer, how many came back. review: what `review-sample` says of it; None for
    `next-batch`, and where it refuses the export.
    """

    tool: str
    queue: Queue
    shown: Sequence[Shown]
    n_texts: int
    n_spans: int
    review: Review | None
    problems: tuple[str, ...]

    def cells(self) -> list[str]:
        """The columns of the table."""
        n, tasks = len(self.queue.tasks), self.queue.tasks
        n_right = sum(task.is_right for task in tasks)
        answered = ["", ""] if self.queue.is_blind else [str(n_right), str(n - n_right)]
        n_suggested = sum(len(one.suggested) for one in self.shown)
        n_gold = sum(len(task.gold.spans) for task in tasks)
        back = [f"{self.n_texts} of {n}", f"{self.n_spans} of {n_gold}"]
        return [self.tool, self.queue.name, str(n), str(n_suggested), *answered, *back, *review_cells(self.review)]


def review_cells(review: Review | None) -> list[str]:
    """How many passages count as reviewed, and precision and recall in per cent with their intervals."""
    if review is None:
        return ["", "", ""]
    measures = (review.overall.precision, review.overall.recall)
    told = [f"{(one.value or 0) * 100:.1f} ({one.low * 100:.1f}–{one.high * 100:.1f})" for one in measures]
    return [f"{review.n_reviewed} of {review.n_drawn}", *told]


def main(
    pipeline: str = typer.Argument("training/model-calibrated", help="The pipeline: a folder, wheel or package."),
    corpus: Path = typer.Argument(Path("corpus/test.spacy"), help="Passages with gold entities (DocBin)."),
    guide: Path = typer.Option(Path("assets/guide.yml"), help="The annotation guide (YAML), for the labels."),
    n: int = typer.Option(20, "--n", min=8, help="Tasks of each queue."),
    tools: str = typer.Option(",".join(TOOLS), help="Which tools, separated by commas."),
    cache: Path = typer.Option(Path("training/servers"), help="Folder for the tools; it is used again."),
    wait: float = typer.Option(240, help="Seconds in which a server has to come up."),
    output: Path = typer.Option(Path("benchmarks/queue_servers.md"), help="The table to write (Markdown)."),
) -> None:
    """Answer tasks of next-batch and review-sample in real tools as the corpus does; fail on any difference."""
    wanted = chosen(tools, TOOLS)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        with out.status("choosing and drawing passages"):
            queues, labels = write_queues(pipeline, corpus, guide, n, work)
        rows = with_comparison([row for tool in wanted for row in through(tool, queues, labels, cache, work, wait)])
    printed = Table(*COLUMNS)
    for row in rows:
        printed.add_row(*row.cells(), style="red" if row.problems else "")
    out.print(printed)
    output.write_text("\n".join(to_markdown(rows)) + "\n", encoding="utf8")
    out.print(f"written to {output}")
    for row in rows:
        for line in row.problems:
            out.print(f"✘ {row.tool}, {row.queue.name}: {line}", style="red", markup=False)
    if any(row.problems for row in rows):
        raise typer.Exit(1)


def through(tool: Tool, queues: Sequence[Queue], labels: Path, cache: Path, work: Path, wait: float) -> Iterator[Row]:
    """All queues through a tool."""
    title = tool.package.title
    with out.status(f"{title}: installing, unless it is there"):
        programs = environment_of(tool.package, cache)
    server = work / tool.package.name
    server.mkdir()
    with out.status(f"{title}: starting") as status, tool.serving(programs, server, wait) as address:
        desk = tool.desk(address, labels)
        for queue in queues:
            status.update(f"{title}: {queue.name}")
            folder = work / "exports" / tool.package.name / queue.name
            folder.mkdir(parents=True)
            yield read_back(title, queue, desk.answer(queue, folder), folder, work)


def read_back(title: str, queue: Queue, shown: Sequence[Shown], folder: Path, work: Path) -> Row:
    """What reading a tool's export gives, beside what was answered. folder: with the export."""
    read = read_annotations(folder, ImportSettings())
    gold = {task.gold.text: task.gold for task in queue.tasks}
    back = {one.text: one for one in read.merged}
    problems = [*differences(queue, shown), *read.problems, *read.conflicts, *losses(queue, back)]
    n_texts = len(gold.keys() & back.keys())
    n_spans = sum(len(set(one.spans) & set(back[text].spans)) for text, one in gold.items() if text in back)
    review = None
    try:
        review = reviewed(queue, folder, work)
        problems += review_problems(queue, review) if review else ()
    except DomainNerError as err:
        problems.append(err.message)
    return Row(title, queue, shown, n_texts, n_spans, review, tuple(problems))


def losses(queue: Queue, back: Mapping[str, Passage]) -> Iterator[str]:
    """What of the answers did not come back, or came back changed. back: passages by text."""
    gold = {task.gold.text for task in queue.tasks}
    yield from (f"a text came back that is no task: {text[:60]!r}" for text in back if text not in gold)
    for task in queue.tasks:
        where, found = f"task {task.gold.document}", back.get(task.gold.text)
        if found is None:
            yield f"{where} did not come back"
            continue
        if found.spans != task.gold.spans:
            yield f"{where} came back with other entities: {unlike(task.gold.spans, found.spans)}"
        kept = {key: found.meta.get(key) for key in task.meta}
        if (found.document, kept) != (task.gold.document, task.meta):
            yield f"{where} came back with id {found.document!r} and meta {found.meta}; expected {task.meta}"


def reviewed(queue: Queue, folder: Path, work: Path) -> Review | None:
    """What `review-sample` makes of an export; None for tasks that are no sample."""
    if not queue.is_sample:
        return None
    command(work, "review-sample", str(queue.folder), "--reviewed", str(folder))
    return Review.model_validate_json((queue.folder / "review.json").read_text(encoding="utf8"))


def review_problems(queue: Queue, review: Review) -> Iterator[str]:
    """What is not counted, or counted otherwise than the tasks say."""
    if (review.n_reviewed, review.missing) != (len(queue.tasks), []):
        yield f"{review.n_reviewed} of {len(queue.tasks)} passages count as reviewed; missing: {review.missing}"
    counts = (review.overall.n_reviewed, review.overall.n_correct, review.overall.n_gold)
    pairs = [(set(task.suggested), set(task.gold.spans)) for task in queue.tasks]
    n_correct = sum(len(found & gold) for found, gold in pairs)
    expected = (sum(len(found) for found, _ in pairs), n_correct, sum(len(gold) for _, gold in pairs))
    if not queue.is_blind and counts != expected:
        yield f"predicted, correct and gold entities are counted as {counts}; expected {expected}"


def with_comparison(rows: Sequence[Row]) -> list[Row]:
    """The rows, with a problem where the scores differ: both samples have the same passages, in all tools."""
    scores = [(row.review.overall, row.review.by_type) if row.review else None for row in rows]
    first = next((number for number, one in enumerate(scores) if one), 0)
    line = f"the scores of the review differ from those of {rows[first].tool}, {rows[first].queue.name}"
    return [
        replace(row, problems=(*row.problems, line)) if one and one != scores[first] else row
        for row, one in zip(rows, scores, strict=True)
    ]


def to_markdown(rows: Sequence[Row]) -> Iterator[str]:
    """The table."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"| --- | --- |{' ---: |' * (len(COLUMNS) - 2)}"
    yield from (f"| {' | '.join(row.cells())} |" for row in rows)


if __name__ == "__main__":
    run_function(main, "benchmark-queue-servers")
