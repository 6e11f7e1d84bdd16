"""`pictures`, which takes the pictures of README and docs: which passage it shows, and what it writes."""

import io
from contextlib import nullcontext
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import spacy
from conftest import ROOT
from spacy.tokens import DocBin

from domain_ner.errors import DomainNerError

ENTITIES = {"Redis": "INFRA", "Payments": "TEAM"}


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    spec = spec_from_file_location("build_pictures", ROOT / "scripts" / "build_pictures.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nlp():
    """A pipeline that needs no training."""
    ruled = spacy.blank("en")
    ruled.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": word} for word, label in ENTITIES.items()])
    return ruled


@pytest.fixture
def corpus(tmp_path):
    """A function that writes texts as a DocBin, and returns its path."""

    def write(*texts):
        blank = spacy.blank("en")
        DocBin(docs=[blank(text) for text in texts]).to_disk(tmp_path / "test.spacy")
        return tmp_path / "test.spacy"

    return write


def test_the_passage_is_of_a_fitting_length_and_has_the_most_types(script, nlp, corpus):
    fill = " and so on" * (script.SHORTEST // 10)
    long = "Redis Payments" + " and so on" * script.LONGEST
    path = corpus("Redis Payments", long, f"Redis{fill}", f"Redis for Payments{fill}", f"Payments has Redis{fill}")
    assert script.passage(nlp, path).text == f"Redis for Payments{fill}"


def test_a_corpus_without_such_a_passage_is_refused(script, nlp, corpus):
    with pytest.raises(DomainNerError, match="has 350 to 750 characters"):
        script.passage(nlp, corpus("Redis"))


def test_without_chromium_it_says_what_to_install(script, monkeypatch):
    pytest.importorskip("playwright.sync_api")
    monkeypatch.setattr(script.shutil, "which", lambda _: None)
    with pytest.raises(DomainNerError, match="no Chromium on the PATH") as caught, script.opened_browser():
        pass
    assert "chromium" in caught.value.fix


def test_a_picture_keeps_its_size_and_loses_colours(script):
    image = pytest.importorskip("PIL.Image")
    given = image.linear_gradient("L").convert("RGB")
    stream = io.BytesIO()
    given.save(stream, "PNG")
    small = image.open(io.BytesIO(script.smaller(stream.getvalue())))
    assert small.size == given.size and len(small.convert("RGB").getcolors()) <= script.N_COLOURS


def test_it_takes_the_pages_that_are_there_and_the_entities(script, nlp, corpus, browser, tmp_path):
    image = pytest.importorskip("PIL.Image")
    nlp.to_disk(tmp_path / "model")
    page = "<style>:root { color-scheme: light dark; }</style><header>The scores</header>"
    (tmp_path / "evaluation.html").write_text(page, encoding="utf8")
    test = corpus("Redis for Payments" + " and so on" * (script.SHORTEST // 10))
    pictures = tmp_path / "img"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(script, "opened_browser", lambda: nullcontext(browser))
        script.main(tmp_path, pictures, tmp_path / "model", test, ROOT / "assets" / "guide.yml")
    names = {"evaluation.png", "evaluation-dark.png", "entities.png", "entities-dark.png", "service.png"}
    assert {path.name for path in pictures.iterdir()} == names
    with image.open(pictures / "evaluation.png") as light, image.open(pictures / "evaluation-dark.png") as dark:
        assert light.size == dark.size == (script.SCALE * script.WIDTH, script.SCALE * script.SHOTS[0].height)
        corners = [sum(picture.convert("RGB").getpixel((0, 0))) for picture in (light, dark)]
    assert corners[0] > 600 and corners[1] < 200
