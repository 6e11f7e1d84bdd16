"""The page to try the pipeline on, in a real browser."""

import csv
import json

import pytest
from served import TEXT, recogniser, running

LONG = " ".join([TEXT] * 200)
MARKUP = f"<img src=x onerror=alert(1)> {TEXT} \U0001f600 Redis"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(recogniser(tmp_path_factory.mktemp("served") / "pipeline")) as served:
        yield served


@pytest.fixture
def page(browser, service):
    """Opens the page; whatever it logs, fails at, or asks other hosts for ends the test."""
    problems = []

    def open_page(url=service.url, **options):
        opened = browser.new_page(**options)
        opened.on("console", lambda message: problems.append(message.text))
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on("request", lambda request: request.url.startswith(url) or problems.append(request.url))
        opened.goto(url)
        return opened

    open_page.problems = problems
    yield open_page
    assert problems == []


def find(opened, text):
    opened.fill("#text", text)
    opened.click("#submit")
    opened.wait_for_selector("#result:not([hidden])")


def marked(opened, kind="mark:not(.below)"):
    return [
        mark.evaluate("mark => mark.firstChild.textContent") for mark in opened.query_selector_all(f"#marked {kind}")
    ]


def entities(service, text):
    """All spans, those below their threshold too, in order."""
    asked = {"text": text, "offsets": "utf16", "below_threshold": True}
    document = service.call("POST", "/v1/extract", asked).json["documents"][0]
    return sorted(document["entities"] + document["below_threshold"], key=lambda entity: entity["start"])


def names(service, text):
    return [
        entity["text"]
        for entity in service.call("POST", "/v1/extract", {"text": text}).json["documents"][0]["entities"]
    ]


def test_it_marks_entities_and_the_threshold_recolours_them(page, service):
    opened = page()
    opened.wait_for_selector("#about:not(:empty)")  # the page asks the service what it is
    assert opened.title() == "en_served 1.2.0" and "F1 85.0 %" in opened.text_content("#about")
    find(opened, TEXT)
    assert marked(opened) == ["Redis", "Kafka"] and marked(opened, "mark.below") == ["Payments squad"]
    opened.fill("#threshold", "0")
    assert marked(opened) == ["Payments squad", "Redis", "Kafka"] and not opened.is_checked("#calibrated")
    found = entities(service, TEXT)
    least, *_, most = sorted(entity["confidence"] for entity in found)
    percent = round(100 * (least + most) / 2)
    opened.fill("#threshold", str(percent))
    above = [entity["text"] for entity in found if entity["confidence"] >= percent / 100]
    assert marked(opened) == above and 0 < len(above) < len(found)
    opened.uncheck("#show-below")
    assert marked(opened, "mark.below") == []
    opened.check("#calibrated")
    assert marked(opened) == ["Redis", "Kafka"] and opened.text_content("#caption") == "2 entities"
    opened.uncheck("#legend input >> nth=0")
    assert marked(opened) == []


def test_texts_are_text_and_offsets_those_of_the_browser(page, service):
    opened = page()
    find(opened, MARKUP)
    assert opened.query_selector("#marked img") is None
    assert marked(opened) == names(service, MARKUP)
    shown = opened.evaluate(
        "() => { const copy = document.getElementById('marked').cloneNode(true);"
        " copy.querySelectorAll('small').forEach((one) => one.remove()); return copy.textContent; }"
    )
    assert shown == MARKUP


def test_what_was_found_can_be_saved(page, service, tmp_path):
    opened = page()
    find(opened, MARKUP)
    for button, name in (("#save-json", "entities.json"), ("#save-csv", "entities.csv")):
        with opened.expect_download() as download:
            opened.click(button)
        download.value.save_as(tmp_path / name)
    saved = json.loads((tmp_path / "entities.json").read_text(encoding="utf8"))
    units = MARKUP.encode("utf-16-le")
    for entity in saved["entities"]:
        assert units[2 * entity["start"] : 2 * entity["end"]].decode("utf-16-le") == entity["text"]
    with (tmp_path / "entities.csv").open(encoding="utf8", newline="") as stream:
        assert [row["text"] for row in csv.DictReader(stream)] == names(service, MARKUP)


def test_the_keyboard_is_enough_and_an_empty_text_is_told(page):
    opened = page()
    opened.click("#submit")
    assert opened.text_content("#status") == "Paste a text first."
    opened.keyboard.type(TEXT)
    opened.keyboard.press("Control+Enter")
    opened.wait_for_selector("#marked mark")
    assert marked(opened) == ["Redis", "Kafka"]


def test_a_file_is_read(page, tmp_path):
    (tmp_path / "report.txt").write_text(TEXT, encoding="utf8")
    opened = page()
    opened.set_input_files("#file", tmp_path / "report.txt")
    opened.wait_for_selector("#marked mark")
    assert opened.input_value("#text") == TEXT


def test_a_key_is_asked_for(page, browser, tmp_path):
    with running(recogniser(tmp_path / "pipeline"), api_keys=("key",)) as served:
        opened = page(served.url)
        opened.wait_for_selector("#key-form:not([hidden])")
        opened.fill("#key", "wrong")
        opened.keyboard.press("Enter")
        opened.wait_for_selector("#status:has-text('not right')")
        opened.fill("#key", "key")
        opened.keyboard.press("Enter")
        opened.wait_for_selector("#key-form", state="hidden")
        find(opened, TEXT)
        assert marked(opened) == ["Redis", "Kafka"]
    page.problems[:] = [problem for problem in page.problems if "401" not in problem]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(page, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = page(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    find(opened, LONG)
    opened.fill("#threshold", "95")
    results = axe.Axe().run(opened)
    assert results.violations_count == 0, results.generate_report()
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_policy_allows_nothing_from_outside_and_nothing_inline(service):
    policy = service.call("GET", "/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
