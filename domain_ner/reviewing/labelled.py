"""Makes a population of labelled passages, so that a sample of them can be reviewed like a pipeline's predictions."""

from collections.abc import Iterable

from domain_ner.annotations.passages import Passage as LabelledPassage
from domain_ner.corpus.assignments import digest
from domain_ner.errors import DomainNerError
from domain_ner.reviewing.places import place
from domain_ner.reviewing.population import Passage, Scanned


def scan_labelled(passages: Iterable[LabelledPassage]) -> Scanned:
    """Keep of passages what a sample is drawn by; each text comes once. Raises DomainNerError if there is none."""
    scanned = Scanned()
    for number, passage in enumerate(passages):
        found = {place(passage.text, one.start, one.end, one.label): one for one in passage.spans}
        scanned.passages.append(
            Passage(
                digest=digest(passage.text),
                id=passage.document or passage.source,
                number=number,
                found=tuple(((one.start, one.end, one.label), None) for one in found.values()),
                places=tuple(found),
                missed=(),
                candidate=0.0,
            )
        )
    if not scanned.passages:
        raise DomainNerError("There is no passage to draw a sample from.", "Give raw texts.")
    scanned.n_documents = len(scanned.passages)
    scanned.labels = sorted({label for passage in scanned.passages for (_, _, label), _ in passage.found})
    return scanned
