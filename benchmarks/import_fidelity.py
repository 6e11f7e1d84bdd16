"""How many annotations of real exports survive: `spacy convert`, the `char_span` loop of spaCy's projects, and ours.

Of the other two ways, what is right is counted: words and label as in the export, white space aside. `spacy convert` is
tried by the file's ending, then as a column file.

Needs a folder of exports and a file with the independently known counts (`EXPECTED.json`: path to `spans`). Writes a
Markdown table. The exports are not part of the project.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy
import typer
from spacy.tokens import Doc, DocBin, Span
from spacy.util import filter_spans
from tqdm import tqdm

from domain_ner.annotations.outcomes import DOUBTFUL, FLATTENED, IMPORTED, MERGED, OVERRULED, REPAIRED
from domain_ner.annotations.records import ExportFile, FileLog, ReaderOptions
from domain_ner.conversion.accounts import enter_doc, enter_merged
from domain_ner.conversion.importing import import_files
from domain_ner.conversion.merging import MergeRules, merge
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.token_splits import learn_splits
from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import find_exports

LANG = "xx"
Words = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """Annotations of one export: known, and as each way has them in its documents; None where it fails."""

    name: str
    known: int
    spacy_convert: int | None
    char_span: int | None
    ours: int | None
    in_ents: int | None


def main(
    formats: str = typer.Argument(..., help="Folder with the exports, and EXPECTED.json with their known counts."),
    output: Path = typer.Option(Path("benchmarks/import_fidelity.md"), help="The table to write (Markdown)."),
) -> None:
    """Import every export in three ways and count what is left."""
    folder, expected = Path(formats), Path(formats) / "EXPECTED.json"
    if not formats or not expected.is_file():
        typer.echo(f"skipped: there is no {expected}; name the folder in vars.benchmark_exports")
        raise typer.Exit(0)
    known = json.loads(expected.read_text(encoding="utf8"))
    rows = [measure(folder / name, name, of_file) for name, of_file in tqdm(known.items())]
    table = "\n".join(to_markdown(rows))
    output.write_text(table + "\n", encoding="utf8")
    typer.echo(table)


def measure(path: Path, name: str, known: dict[str, Any]) -> Row:
    """Import one export in each way."""
    n_known = (known.get("accepted") or known).get("spans", known.get("span_labels", 0))
    ours, in_ents = import_ours(path)
    truth = annotated_words(path)
    return Row(name, n_known, spacy_convert(path, truth), char_span_loop(path, truth), ours, in_ents)


def annotated_words(path: Path) -> Counter[Words]:
    """Words and label of every accepted annotation of an export."""
    try:
        read = import_files(find_exports(path, options=ReaderOptions(forced=True)))
    except DomainNerError:
        return Counter()
    rows = (row for row in read.ledger.rows if row.outcome in ("", MERGED))
    return Counter((_joined(row.text), str(row.label)) for row in rows)


def n_right(docs: Iterable[Doc], truth: Counter[Words]) -> int:
    """Entities whose words and label the export has, each as often as it has them."""
    found = Counter((_joined(ent.text), ent.label_) for doc in docs for ent in doc.ents)
    return (found & truth).total()


def _joined(text: str) -> str:
    return "".join(text.split())


def import_ours(path: Path) -> tuple[int | None, int | None]:
    """(annotations in doc.spans, annotations in doc.ents), imported by domain-ner with its defaults."""
    try:
        read = import_files(find_exports(path, options=ReaderOptions(forced=True)))
    except DomainNerError:
        return None, None
    merged, _ = enter_merged(merge(read.passages, MergeRules(prefer=["*"])), read.ledger)
    rules = learn_splits([merged], tokenizer()).rules
    made = DocRules(tokenizer([rule.pattern for rule in rules]))
    for passage in merged:
        enter_doc(make_doc(passage, made), read.ledger, split="train")
    read.ledger.check_balance()
    outcomes = read.ledger.outcomes()
    in_ents = sum(outcomes[outcome] for outcome in (IMPORTED, REPAIRED, DOUBTFUL, MERGED, OVERRULED))
    return in_ents + outcomes[FLATTENED], in_ents


def spacy_convert(path: Path, truth: Counter[Words]) -> int | None:
    """Right entities in what `spacy convert` writes; None where it fails or writes no document."""
    if path.is_dir():
        return None
    for converter in ("auto", "ner"):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "spacy", "convert", str(path), folder, "-l", LANG, "-c", converter]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            written = list(Path(folder).glob("*.spacy"))
            if not ran.returncode and written:
                docs = list(DocBin().from_disk(written[0]).get_docs(spacy.blank(LANG).vocab))
                if docs:
                    return n_right(docs, truth)
    return None


def char_span_loop(path: Path, truth: Counter[Words]) -> int | None:
    """Right entities by the loop of explosion/projects: `char_span`, None skipped, overlaps filtered.

    It gets every record in code points from our readers, so that it is judged by its own losses alone.
    """
    nlp, docs = spacy.blank(LANG), []
    try:
        files = find_exports(path, options=ReaderOptions(forced=True))
        for doc, found in _char_spans(nlp.make_doc, files):
            doc.ents = filter_spans([span for span in found if span is not None])
            docs.append(doc)
    except DomainNerError:
        return None
    return n_right(docs, truth)


def _char_spans(make_doc: Callable[[str], Doc], files: Iterable[ExportFile]) -> Iterator[tuple[Doc, list[Span | None]]]:
    for file in files:
        for record in file.records(FileLog(file.name)):
            if record.answer != "accepted":
                continue
            doc = make_doc(record.text)
            spans = [
                doc.char_span(span.start, span.end, label=str(span.label))
                for span in record.spans
                if not span.rejected and isinstance(span.start, int) and isinstance(span.end, int)
                if span.start <= span.end
            ]
            yield doc, spans


def tokenizer(splits: Sequence[str] = ()) -> Callable[[str], Doc]:
    """Our tokenizer, with learned splits."""
    config = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": list(splits)}
    return spacy.blank(LANG, config={"nlp": {"tokenizer": config}}).tokenizer


def to_markdown(rows: list[Row]) -> Iterator[str]:
    """The table, and the sums. A way that fails on a file has lost all of it."""
    yield "| export | annotations | `spacy convert` | `char_span` | domain-ner, doc.spans | domain-ner, doc.ents |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for row in rows:
        cells = map(_cell, (row.spacy_convert, row.char_span, row.ours, row.in_ents))
        yield f"| {row.name} | {row.known} | {' | '.join(cells)} |"
    sums = [sum(row.known for row in rows)]
    sums += [sum(getattr(row, name) or 0 for row in rows) for name in ("spacy_convert", "char_span", "ours", "in_ents")]
    yield f"| **all** | {' | '.join(map(str, sums))} |"


def _cell(count: int | None) -> str:
    return "fails" if count is None else str(count)


if __name__ == "__main__":
    typer.run(main)
