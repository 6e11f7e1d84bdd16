"""`pictures`: the pictures of README and docs, from the pages of a run and what the trained pipeline finds."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import typer
from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.commands.console import say
from domain_ner.commands.main import run_function
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import load_pipeline, read_docs
from domain_ner.files import atomic_path
from domain_ner.guide.schema import load_guide
from domain_ner.reports.entities import entities_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Of a picture, in CSS pixels, and how many of the picture's own are in one; how long a page may take to draw.
WIDTH, SCALE, SETTLE_MS = 1000, 2, 300
# A picture of letters on plain ground looks the same in so few colours, and is a third of the size.
N_COLOURS = 128
# Of the passage to show, in characters: as long as a picture bears.
SHORTEST, LONGEST = 350, 750
ENTITIES = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Entities</title><style>
:root { color-scheme: light dark; } body { margin: 0; padding: 1.2rem 1.5rem; } </style></head><body>{}</body></html>"""


@dataclass(frozen=True)
class Shot:
    """A picture of a page. name: of the page and the picture. top: a selector, where it begins. height: in pixels."""

    name: str
    top: str
    height: int
    is_dark_too: bool = False


SHOTS = (
    Shot("evaluation", "header", 930, is_dark_too=True),
    Shot("inspect", "#passages", 620),
    Shot("guide", "main", 640),
    Shot("comparison", "header", 640),
)


def main(
    reports: Path = typer.Argument(..., help="Folder of the pages: evaluation.html, inspect.html, guide.html."),
    pictures: Path = typer.Argument(..., help="Folder for the pictures (PNG)."),
    model: Path = typer.Option(Path("training/model-calibrated"), help="The pipeline whose entities are shown."),
    test: Path = typer.Option(Path("corpus/test.spacy"), help="The corpus (DocBin) of which a passage is shown."),
    guide: Path = typer.Option(Path("assets/guide.yml"), help="The annotation guide, for the colours of the types."),
) -> None:
    """Take the pictures of README and docs from the pages of a run; write docs/img."""
    nlp = load_pipeline(model)
    pictures.mkdir(parents=True, exist_ok=True)
    with opened_browser() as browser:
        for shot in SHOTS:
            page = reports / f"{shot.name}.html"
            if not page.is_file():
                say(f"no picture of {page}: it is not there")
                continue
            html = page.read_text(encoding="utf8")
            for scheme in ("light", "dark") if shot.is_dark_too else ("light",):
                take(browser, html, shot, scheme, pictures)
        shown = passage(nlp, test)
        take_service(browser, model, shown.text, pictures)
        html = ENTITIES.replace("{}", entities_html(shown, colours=load_guide(guide).colours))
        for scheme in ("light", "dark"):
            take(browser, html, Shot("entities", "body", 0), scheme, pictures)


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Chromium, as the machine has it. Raises DomainNerError without it, or without playwright."""
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only this command needs it)
    except ImportError as err:
        raise DomainNerError("playwright is not installed.", 'pip install -e ".[test]"') from err
    if executable is None:
        raise DomainNerError("There is no Chromium on the PATH.", f"Install one: {', '.join(BROWSERS)}.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def take(browser: Any, html: str, shot: Shot, scheme: str, pictures: Path) -> None:
    """Write one picture. scheme: light or dark. height 0 of a shot: all of what is at its top."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": shot.height or 1}, color_scheme=scheme, device_scale_factor=SCALE
    )
    page.set_content(html)
    # A page draws what is far from the window only when one scrolls there.
    top = page.locator(shot.top).first
    top.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 8)")
    page.wait_for_timeout(SETTLE_MS)
    save(
        page.screenshot() if shot.height else top.screenshot(),
        f"{shot.name}{'-dark' if scheme == 'dark' else ''}",
        pictures,
    )
    page.close()


def take_service(browser: Any, model: Path, text: str, pictures: Path) -> None:
    """Write the picture of the service's page, with a text and a threshold of 90 per cent."""
    with serving(model) as url:
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=SCALE)
        page.goto(url)
        page.fill("#text", text)
        page.click("#submit")
        page.wait_for_selector("#marked mark")
        page.fill("#threshold", "90")
        height = page.evaluate("document.querySelector('.scroll').getBoundingClientRect().top + scrollY")
        save(
            page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": height}, full_page=True),
            "service",
            pictures,
        )
        page.close()


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """The service on a free port; gives its address."""
    import uvicorn  # noqa: PLC0415 (only this command needs it)

    from domain_ner.serving.app import create_app  # noqa: PLC0415
    from domain_ner.serving.settings import ServiceSettings  # noqa: PLC0415

    server = uvicorn.Server(uvicorn.Config(create_app(ServiceSettings(str(model))), port=0, log_config=None))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def save(screenshot: bytes, name: str, pictures: Path) -> None:
    """Write a picture in few colours."""
    picture = smaller(screenshot)
    path = pictures / f"{name}.png"
    with atomic_path(path) as new:
        new.write_bytes(picture)
    say(f"written to {path} ({len(picture) / 1000:.0f} kB)")


def smaller(picture: bytes) -> bytes:
    """The same picture in few colours."""
    from PIL import Image  # noqa: PLC0415 (only this command needs it)

    stream = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(
        stream, "PNG", optimize=True
    )
    return stream.getvalue()


def passage(nlp: Language, test: Path) -> Doc:
    """Of the passages of a fitting length, the first one in which most types are found."""
    texts = [doc.text for doc in read_docs(test, nlp.vocab) if SHORTEST <= len(doc.text) <= LONGEST]
    if not texts:
        raise DomainNerError(f"No passage of {test} has {SHORTEST} to {LONGEST} characters.", "Take another corpus.")
    return max(nlp.pipe(texts), key=lambda doc: len({ent.label_ for ent in doc.ents}))


if __name__ == "__main__":
    run_function(main, "pictures")
