"""Gold documents to score a pipeline on, from a corpus or straight from annotation exports."""

from collections.abc import Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.annotations import ImportSettings, read_annotations, require_usable
from domain_ner.docs import DocRules, make_doc
from domain_ner.evaluation.predicting import read_docs

DOCBIN = ".spacy"


def read_gold(path: Path, nlp: Language, *, reading: str = "", prefer: Sequence[str] = ()) -> list[Doc]:
    """The documents of a DocBin, or of a file or folder of annotation exports in the pipeline's own tokens.

    reading, prefer: for exports, as in `ImportSettings`. Raises DomainNerError for what cannot be read.
    """
    if path.suffix == DOCBIN:
        return read_docs(path, nlp.vocab)
    read = read_annotations(path, ImportSettings(reading=reading, prefer=prefer))
    require_usable(read, max_loss=0.0)
    normalize = nlp.config["nlp"]["tokenizer"].get("normalize", "")
    rules = DocRules(nlp.make_doc, normalize=normalize)
    return [make_doc(passage, rules, read.ledger) for passage in read.merged]
