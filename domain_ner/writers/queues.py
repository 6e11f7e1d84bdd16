"""Writes pre-annotated review tasks for each annotation tool."""

from collections.abc import Sequence
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.languages import blank
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.writers import doccano, label_studio, prodigy
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions

AS_ANNOTATED = "as annotated"
TOOLS = {prodigy.NAME: ".jsonl", label_studio.NAME: ".json", doccano.NAME: ".jsonl"}


def write_queue(
    passages: Sequence[Passage],
    stem: Path,
    *,
    lang: str,
    model_version: str = AS_ANNOTATED,
    is_blind: bool = False,
) -> list[Path]:
    """Write the passages, in this order, to `stem`.prodigy.jsonl, `stem`.label_studio.json and `stem`.doccano.jsonl.

    Each passage is an open task with its present annotations; if it has `suggested`, Label Studio has that too.
    lang: spaCy's code. model_version: the name of the present annotations in Label Studio. is_blind: there are none.
    Returns the files; without passages none, and files of an earlier run are removed.
    """
    paths = [stem.with_name(f"{stem.name}.{tool}{suffix}") for tool, suffix in TOOLS.items()]
    if not passages:
        for path in paths:
            path.unlink(missing_ok=True)
        return []
    tokenize = create_tokenizer()(blank(lang))
    options = WriterOptions(tokenize, predictions=True, model_version=model_version, lossy=True, is_blind=is_blind)
    for tool, path in zip(TOOLS, paths, strict=True):
        export(passages, path, tool, options)
    return paths
