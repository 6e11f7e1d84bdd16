"""The registry of sources: what each needs of the settings, and in which order they are asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain_ner.drafting.asking import LlmSource
from domain_ner.drafting.gazetteer import make_gazetteer
from domain_ner.drafting.gliner import GlinerSource, load_gliner
from domain_ner.drafting.proposals import Source
from domain_ner.errors import DomainNerError
from domain_ner.guide.schema import Guide
from domain_ner.llm.extracting import Extractor


@dataclass(frozen=True)
class Setup:
    """What sources are made of.

    gazetteers: lists of names. has_guide_names: whether the names and patterns of the guide are proposed, too; None: if
    there is neither an LLM nor GLiNER. gliner: a folder or an id of the hub; empty: none. gliner_threshold: 0..1.
    extractor: of the LLM; None: there is none. n_threads: its passages at once. stop: ends its calls.
    """

    guide: Guide
    gazetteers: Sequence[Path] = ()
    has_guide_names: bool | None = None
    gliner: str = ""
    gliner_threshold: float = 0.5
    extractor: Extractor | None = None
    n_threads: int = 8
    stop: Callable[[], None] = lambda: None


def _gazetteer(setup: Setup) -> Source | None:
    is_alone = not setup.gliner and setup.extractor is None
    has_guide = is_alone if setup.has_guide_names is None else setup.has_guide_names
    if not setup.gazetteers and not has_guide:
        return None
    return make_gazetteer(setup.guide, setup.gazetteers, has_guide=has_guide)


def _gliner(setup: Setup) -> Source | None:
    if not setup.gliner:
        return None
    return GlinerSource(load_gliner(setup.gliner), setup.guide, setup.gliner_threshold)


def _llm(setup: Setup) -> Source | None:
    return None if setup.extractor is None else LlmSource(setup.extractor, setup.n_threads, setup.stop)


# By the name of the source, which is that of its weight.
SOURCES: dict[str, Callable[[Setup], Source | None]] = {"gazetteer": _gazetteer, "gliner": _gliner, "llm": _llm}


def make_sources(setup: Setup) -> list[Source]:
    """Make the sources that the settings ask for. Raises DomainNerError if there is none, or one cannot be made."""
    made = [source for source in (make(setup) for make in SOURCES.values()) if source is not None]
    if not made:
        raise DomainNerError("There is no source of drafts.", "Give --llm, --gazetteer, --gliner or --guide-names.")
    return made


def read_weights(text: str) -> dict[str, float]:
    """Read `"llm=2 gazetteer=1"`; a source that is not named has 1. Raises DomainNerError for anything else."""
    weights = dict.fromkeys(SOURCES, 1.0)
    for part in text.replace(",", " ").split():
        name, _, value = part.partition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = 0.0
        if name not in SOURCES or not 0 < weight < float("inf"):
            raise DomainNerError(
                f"--weights has {part!r}; expected a source ({', '.join(SOURCES)}) and a number above 0, such as llm=2."
            )
        weights[name] = weight
    return weights
