"""From the wheels to a corpus: the container's service, a real Label Studio, `convert`. Nothing may be lost."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import spacy
import typer
from _servers import label_studio
from _servers.container import built_from
from _servers.environments import LABEL_STUDIO, environment_of
from _servers.label_studio import ADMIN, Project, log_in
from _servers.processes import HOST, free_port, running
from spacy.tokens import DocBin

from domain_ner.api import convert
from domain_ner.client import Client, Entity
from domain_ner.commands.main import run_function
from domain_ner.errors import DomainNerError
from domain_ner.guide.labelling import label_studio_config
from domain_ner.guide.schema import EntityType, Guide

KEY = "a-key-of-its-own"
# Texts in which characters, code points and UTF-16 units differ, and white space at the edges.
HARD = ["\U0001f600 ", "  ", "e\u0301\u200d", "\U00020000\u3000", "\t"]
SPLITS = ("train", "dev", "test")
Spans = frozenset[tuple[int, int, str]]


def main(
    packages: Path = typer.Argument(Path("training/packages"), help="Folder of wheels that `package` wrote."),
    corpus: Path = typer.Argument(Path("corpus/test.spacy"), help="Texts to annotate (DocBin)."),
    texts: int = typer.Option(40, min=10, help="How many of them."),
    cache: Path = typer.Option(Path("training/servers"), help="Folder for Label Studio; it is used again."),
    wait: float = typer.Option(240, help="Seconds in which a server has to come up."),
) -> None:
    """Serve wheels as the container does, accept predictions in Label Studio, convert the export, and compare."""
    known = [doc.text for doc in DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab)][:texts]
    given = [*known, *(f"{hard}{text}" for hard, text in zip(HARD, known, strict=False))]
    programs = environment_of(LABEL_STUDIO, cache)
    # Else Label Studio refuses a backend on its own machine, and the webhook that it makes for it.
    os.environ |= {"ML_BLOCK_LOCAL_IP": "false", "SSRF_PROTECTION_ENABLED": "false"}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        (work / "label-studio").mkdir()
        with service(packages, work, wait) as client, label_studio.serving(programs, work / "label-studio", wait) as at:
            expected = [spans(document.entities) for document in client.extract(given)]
            labels = sorted({label for found in expected for _, _, label in found})
            predicted, converted = through(at, client.url, labels, given, work)
            version = client.extract_version()
    wrong = [text for text, found in zip(given, expected, strict=True) if predicted.get(text) != found]
    lost = [text for text, found in zip(given, expected, strict=True) if converted.get(text) != found]
    n_spans = sum(map(len, expected))
    typer.echo(f"{len(given)} texts, {n_spans} entities of {version} through {LABEL_STUDIO.title}")
    typer.echo(f"predictions that differ: {len(wrong)} texts; annotations that differ after convert: {len(lost)} texts")
    if wrong or lost or not n_spans:
        raise typer.Exit(1)


def spans(entities: Sequence[Entity]) -> Spans:
    """Entities as (start, end, label)."""
    return frozenset((entity.start, entity.end, entity.label) for entity in entities)


class Service(Client):
    """The client, with the address that Label Studio gets."""

    def __init__(self, url: str) -> None:
        super().__init__(url, api_key=KEY, retries=9)
        self.url = url

    def extract_version(self) -> str:
        """What the service calls its pipeline."""
        model = self.model()
        return f"{model['name']} {model['version']}"


@contextmanager
def service(packages: Path, work: Path, wait: float) -> Iterator[Service]:
    """The service of the container, with a key, in a clean environment."""
    wheels = sorted(packages.glob("*.whl"))
    name = next((wheel.name.partition("-")[0] for wheel in wheels if not wheel.name.startswith("domain_ner-")), None)
    if name is None:
        raise DomainNerError(f"No wheel of a pipeline in {packages}.", "Build it: spacy project run package.")
    port = free_port()
    image = built_from(wheels, name, work / "image", port, {"DOMAIN_NER_API_KEYS": KEY})
    with running("The service", image.command, work / "serve.log", image.environment) as server:
        server.wait_until(image.is_healthy, wait)
        yield Service(f"http://{HOST}:{port}")


def through(
    address: str, url: str, labels: Sequence[str], texts: Sequence[str], work: Path
) -> tuple[dict[str, Spans], dict[str, Spans]]:
    """What Label Studio got as predictions, and what `convert` made of the export once all were accepted, by text."""
    admin = log_in(address, ADMIN)
    config = label_studio_config(Guide(types=tuple(EntityType(label=label, definition=label) for label in labels)))
    project = Project(admin, "with predictions", config)
    number = int(project.path.rpartition("/")[2])
    tasks = work / "tasks.json"
    tasks.write_text(json.dumps([{"data": {"text": text}} for text in texts]), encoding="utf8")
    project.import_file(tasks)
    backend = {"url": url, "project": number, "title": "domain-ner", "auth_method": "BASIC_AUTH"}
    admin.post("/api/ml", {**backend, "basic_auth_user": "any", "basic_auth_pass": KEY})
    chosen = {
        "ordering": [],
        "selectedItems": {"all": True, "excluded": []},
        "filters": {"conjunction": "and", "items": []},
    }
    admin.post(f"/api/dm/actions?id=retrieve_tasks_predictions&project={number}", chosen)
    predicted: dict[str, Spans] = {}
    for task in project.tasks():
        (prediction,) = admin.get(f"/api/predictions?task={task['id']}")
        predicted[task["data"]["text"]] = regions(prediction["result"])
        project.annotate(admin, int(task["id"]), prediction["result"])
    folder = work / "exports"
    folder.mkdir()
    project.export("JSON", folder / "export.json")
    convert(folder, work / "corpus", labels=labels, max_loss=0)
    return predicted, corpora(work / "corpus")


def corpora(folder: Path) -> dict[str, Spans]:
    """The entities of all corpora in a folder, by text."""
    vocab = spacy.blank("en").vocab
    docs = [doc for split in SPLITS for doc in DocBin().from_disk(folder / f"{split}.spacy").get_docs(vocab)]
    return {doc.text: frozenset((ent.start_char, ent.end_char, ent.label_) for ent in doc.ents) for doc in docs}


def regions(result: Sequence[Mapping[str, Any]]) -> Spans:
    """Regions as (start, end, label)."""
    values = [region["value"] for region in result]
    return frozenset((value["start"], value["end"], value["labels"][0]) for value in values)


if __name__ == "__main__":
    run_function(main, "benchmark-label-studio")
