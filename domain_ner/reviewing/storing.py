"""Writes a sample's tasks and its design into a folder, and reads the design back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from domain_ner.annotating.reading import Document
from domain_ner.annotations.passages import LabelledSpan
from domain_ner.annotations.passages import Passage as AnnotatedPassage
from domain_ner.corpus.assignments import digest
from domain_ner.errors import DomainNerError
from domain_ner.files import make_folder, together, write_text
from domain_ner.reviewing.drawing import Drawn
from domain_ner.reviewing.population import Passage
from domain_ner.reviewing.sample_schema import Sample
from domain_ner.writers.queues import write_queue

SAMPLE, TASKS, REVIEWED = "sample.json", "tasks", "reviewed"


def write_sample(drawn: Drawn, texts: Mapping[str, str], folder: Path, *, lang: str) -> list[Path]:
    """Write the tasks of the passages drawn now, and the design; all or nothing. Returns the files of the tasks.

    texts: digest to text. lang: spaCy's code.
    """
    number = len(drawn.sample.batches)
    stem = folder / (TASKS if number == 1 else f"{TASKS}-{number}")
    pipeline = drawn.sample.pipeline
    version = f"{pipeline['name']} {pipeline['version']}"
    is_blind = drawn.sample.is_blind
    tasks = [_task(passage, texts[passage.digest], is_blind=is_blind) for passage in drawn.passages]
    with together():
        paths = write_queue(tasks, stem, lang=lang, model_version=version, is_blind=is_blind)
        write_text(folder / SAMPLE, drawn.sample.model_dump_json(indent=1) + "\n")
    make_folder(folder / REVIEWED)
    return paths


def find_texts(passages: Sequence[Passage], documents: Iterable[Document]) -> dict[str, str]:
    """Read the texts of some passages again: digest to text. documents: the same as before.

    Raises DomainNerError if a document has changed meanwhile.
    """
    wanted = {passage.number: passage.digest for passage in passages}
    found = {
        wanted[number]: document.text
        for number, document in enumerate(documents)
        if number in wanted and digest(document.text) == wanted[number]
    }
    if len(found) < len(wanted):
        raise DomainNerError(
            f"{len(wanted) - len(found)} of the documents changed while the pipeline read them; nothing was written.",
            "Run it again when nothing writes to them.",
        )
    return found


def read_sample(folder: Path) -> Sample | None:
    """Read the design of the sample in a folder; None if it has none. Raises DomainNerError if it is damaged."""
    path = folder / SAMPLE
    try:
        return Sample.model_validate_json(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError) as err:
        raise DomainNerError(
            f"{path} is not the design of a sample, or is damaged.", "Restore it, or draw a sample into another folder."
        ) from err


def _task(passage: Passage, text: str, *, is_blind: bool) -> AnnotatedPassage:
    spans = () if is_blind else tuple(sorted(LabelledSpan(*entity) for entity, _ in passage.found))
    return AnnotatedPassage(text=text, spans=spans, source=passage.id, document=passage.id)
