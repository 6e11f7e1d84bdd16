"""Keeps spaCy from importing and searching all installed packages each time.

A pipeline is made with the factories of every installed package: where spacy-transformers is installed, a blank one
imports PyTorch and transformers, which takes seconds. And srsly searches the packages for codecs at each message, which
takes much of the time to read a corpus.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spacy.util import registry
from srsly import msgpack
from thinc.api import Config


@contextmanager
def only_factories(names: Iterable[str]) -> Iterator[None]:
    """Import only these factories of other packages while pipelines are made in this context."""
    factories = getattr(registry, "_entry_point_factories", None)  # of spaCy 3
    if factories is None:
        yield
        return
    for name in names:
        factories.get_entry_point(name)
    before, factories.entry_points = factories.entry_points, False
    try:
        yield
    finally:
        factories.entry_points = before


def factories_of_config(config: Config) -> Any:
    """A context with the factories of a config's components. All, if one is sourced from another pipeline."""
    components = list(config.get("components", {}).values())
    if not all(isinstance(settings, dict) and isinstance(settings.get("factory"), str) for settings in components):
        return nullcontext()
    return only_factories([settings["factory"] for settings in components])


def factories_of(pipeline: Path | str) -> Any:
    """A context with the factories of a pipeline's components. pipeline: folder, or name of an installed package."""
    folders = [Path(pipeline)]
    if isinstance(pipeline, str) and pipeline.isidentifier() and not folders[0].exists():
        spec = find_spec(pipeline)
        places = (spec.submodule_search_locations or []) if spec else []
        folders = [path.parent for place in places for path in Path(place).glob("*/config.cfg")]
    paths = [folder / "config.cfg" for folder in folders if (folder / "config.cfg").is_file()]
    if len(paths) != 1:
        return nullcontext()
    try:
        return factories_of_config(Config().from_disk(paths[0], interpolate=False))
    except ValueError:  # what is wrong with it, loading it will say
        return nullcontext()


def find_codecs_once() -> None:
    """Search the installed packages for srsly's codecs once, instead of at each message."""
    for codecs in (msgpack.msgpack_encoders, msgpack.msgpack_decoders):
        if codecs.entry_points:
            for name, codec in codecs.get_entry_points().items():
                codecs.register(name, func=codec)
            codecs.entry_points = False
