"""Reads gold documents to score a pipeline on, from a corpus or directly from annotation exports."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.conversion.exports import ImportSettings, read_annotations, require_usable
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.evaluation.predicting import read_docs

DOCBIN = ".spacy"


@dataclass(frozen=True)
class GoldRules:
    """How to convert exports to gold documents, as for a corpus: see `ImportSettings` and `DocRules`."""

    reading: str = ""
    names: str = ""
    prefer: Sequence[str] = ()
    conflicts: str = "stop"
    overlaps: str = "longest"
    misaligned: str = "split"
    labels: Sequence[str] = ()


def read_gold(path: Path, nlp: Language, rules: GoldRules = GoldRules()) -> list[Doc]:
    """Read the documents of a DocBin, or of a file or folder of annotation exports in the pipeline's own tokens.

    rules: for exports. Raises DomainNerError if the input cannot be read.
    """
    if path.suffix == DOCBIN:
        return read_docs(path, nlp.vocab)
    settings = ImportSettings(reading=rules.reading, names=rules.names, prefer=rules.prefer, conflicts=rules.conflicts)
    read = read_annotations(path, settings)
    require_usable(read, max_loss=0.0)
    normalize = nlp.config["nlp"]["tokenizer"].get("normalize", "")
    doc_rules = DocRules(nlp.make_doc, rules.overlaps, rules.labels, rules.misaligned, normalize)
    return [make_doc(passage, doc_rules).doc for passage in read.merged]
