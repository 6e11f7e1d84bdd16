"""Candidates that are made in a moment: names by rule, a small corpus, and wheels that are zipped, not built."""

import zipfile
from pathlib import Path

import spacy
from spacy.tokens import DocBin

from domain_ner.packaging.documents import Inputs
from domain_ner.releasing.candidate import Statements, gather
from domain_ner.releasing.gate import REVIEWED, GoldSet
from domain_ner.releasing.registry import Registry
from domain_ner.releasing.release import Rules, release

EPOCH = 1_790_000_000
WORSE = {"Redis": "INFRA"}
NAMES = {"Redis": "INFRA", "Kafka": "INFRA", "Search": "TEAM", "Orders": "TEAM"}


def text_of(number, name):
    return f"Ticket {number}: {name} was slow after deploy {7 * number}."


def corpus(folder: Path, *, n_train=6, n_test=24, names=NAMES) -> Path:
    """train, dev and test.spacy, in which every passage holds one name."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, start, n in (("train", 0, n_train), ("dev", 100, 3), ("test", 200, n_test)):
        write_docs(folder / f"{split}.spacy", range(start, start + n), names)
    return folder


def write_docs(path: Path, numbers, names=NAMES) -> Path:
    nlp, docs, known = spacy.blank("en"), [], list(names)
    for number in numbers:
        name = known[number % len(known)]
        doc = nlp.make_doc(text_of(number, name))
        start = doc.text.index(name)
        doc.ents = [doc.char_span(start, start + len(name), names[name])]
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def pipeline(folder: Path, names=NAMES) -> Path:
    """Finds these names."""
    nlp = spacy.blank("en", meta={"name": "rules", "version": "0.0.0"})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": name} for name, label in names.items()])
    folder.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder)
    return folder


def sources(folder: Path) -> Path:
    """A project, as far as the hash of the code reads it."""
    (folder / "domain_ner").mkdir(parents=True, exist_ok=True)
    (folder / "domain_ner" / "code.py").write_text("1\n")
    return folder


def candidate(folder: Path, *, names=NAMES, documents: Inputs | None = None, licence="", **of_corpus):
    pipeline(folder / "model", names)
    corpus(folder / "corpus", **of_corpus)
    sources(folder / "project")
    return gathered(folder, documents=documents, licence=licence)


def gathered(folder, *, documents=None, licence=""):
    """The candidate that is in a folder already."""
    statements = Statements("rules", licence)
    return gather(folder / "model", folder / "corpus", statements, documents, folder / "project")


def prepare(folder: Path):
    """The folder of a registry with 0.1.0 in use, and a better candidate with more data."""
    registry = Registry(str(folder / "registry"))
    make(registry, candidate(folder / "first", names=WORSE | {"Kafka": "INFRA"}), folder / "work")
    registry.promote("0.1.0", "2026-09-01T00:00:00Z")
    return folder / "registry", candidate(folder / "second", n_train=9)


def zip_wheels(made):
    """A function that makes the wheels of a candidate; equal bytes each time."""

    def build(wheels, version, epoch):
        wheels.mkdir(parents=True)
        _zip(wheels / "domain_ner-0.1.0-py3-none-any.whl", made.model.parent / "project", "")
        _zip(wheels / f"en_rules-{version}-py3-none-any.whl", made.model, f"en_rules/en_rules-{version}/")
        return f"# en_rules {version}\n"

    return build


def _zip(path, folder, inside):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(f"{inside}{file.relative_to(folder).as_posix()}", (2026, 1, 1, 0, 0, 0))
            archive.writestr(entry, file.read_bytes())


def make(registry: Registry, made, work: Path, *, build=None, on_step=lambda step, is_done: None, **rules):
    """Release a candidate."""
    reviewed = rules.pop("reviewed", None)
    given = {"wanted": "0.1.0", "epoch": EPOCH, **rules}
    if reviewed:
        given["reviewed"] = GoldSet(REVIEWED, reviewed)
    return release(made, registry, Rules(**given), build or zip_wheels(made), work, watched=Unwatched, on_step=on_step)


class Unwatched:
    """Shows no progress."""

    def __init__(self, *_):
        pass

    def __enter__(self):
        return lambda: None

    def __exit__(self, *_):
        return False


def tree(folder: Path):
    """Path to bytes of every file, without locks."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
