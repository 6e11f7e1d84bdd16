"""The HTML page and the command of `inspect`: complete, self-contained, in order, and safe whatever the texts hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspected import TOKENIZE, inspected, make, row
from pipelines import run
from test_guide_page import Reader

from domain_ner.annotations.outcomes import DROPPED, FLATTENED, IMPORTED, REJECTED
from domain_ner.annotations.passages import LabelledSpan
from domain_ner.conversion.ledger import Ledger
from domain_ner.corpus.docs import DocRules, to_docbin
from domain_ner.reports.inspect_page import MAX_UNPLACED, PAGE_SIZE, default_colours, inspect_page, select

EXPAND = DocRules(TOKENIZE, misaligned="expand")


class PageReader(Reader):
    """Collects what a passage shows too: its text without the tags of its marks, its file, its keys and its marks."""

    VOID = Reader.VOID | {"input"}

    def __init__(self, page):
        self.attributes, self.classes, self.texts, self.sources = [], [], [], []
        super().__init__(page)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.classes.append((dict(attrs).get("class") or "").split())
            self.texts += [""] if "text" in self.classes[-1] else []

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        self.classes.pop()

    def handle_data(self, data):
        super().handle_data(data)
        if any("text" in names for names in self.classes) and not any("tag" in names for names in self.classes):
            self.texts[-1] += data
        if self.open[-2:] == ["h3", "code"]:
            self.sources.append(data)

    def all(self, tag, name):
        return [attrs[name] for found, attrs in self.attributes if found == tag and name in attrs]


def page_of(inspection, **options):
    given = {"max_passages": 2000, **options}
    return PageReader(inspect_page(inspection, given.pop("colours", default_colours(inspection)), **given))


def repaired(source):
    return make(f"see UNION2024 at {source}", ("UNION", "ORG"), source=source, rules=EXPAND)


def three():
    """A passage that is fine, one with a dropped annotation, a repaired one."""
    plain = make("Redis is up", ("Redis", "INFRA"), source="plain:1")
    lossy = make("Ops is asleep", source="lossy:1")
    return inspected(
        plain, lossy, repaired("fixed:1"), extra=[row("lossy:1", "Ops", "TEAM", DROPPED, ["outside the text"])]
    )


def test_repaired_passages_come_first_then_those_with_losses():
    assert page_of(three()).sources == ["fixed:1", "lossy:1", "plain:1"]


def test_what_does_not_fit_on_the_page_is_the_least_suspicious_and_told():
    page = page_of(three(), max_passages=2)
    assert page.sources == ["fixed:1", "lossy:1"]
    assert "Not on this page: 1 of 3 passages" in page.text


def test_many_repaired_passages_do_not_push_a_heavier_loss_off_the_page():
    lossy = make("Ops is asleep", source="lossy:1")
    loss = row("lossy:1", "Ops", "TEAM", DROPPED, ["outside the text"])
    result = inspected(*[repaired(f"r:{n}") for n in range(5)], lossy, extra=[loss])
    assert [passage.source for passage in select(result.passages, 3)] == ["r:0", "r:1", "lossy:1"]


def test_the_fate_of_each_annotation_is_in_its_tooltip_and_what_was_changed_also_as_text():
    page = page_of(three())
    how = "expanded to whole tokens: 'UNION' to 'UNION2024'"
    assert set(page.all("mark", "title")) == {"INFRA, imported", f"ORG, repaired; {how}"}
    assert how in page.text
    assert "outside the text" in page.text


def test_a_passage_has_the_keys_of_its_annotations_for_the_filters():
    page = page_of(three())
    boxes = {(attrs["name"], attrs["value"]) for tag, attrs in page.attributes if tag == "input" and "value" in attrs}
    keys = page.all("article", "data-keys")
    assert all({("type", key.split(".")[0]), ("fate", key.split(".")[1])} <= boxes for key in keys)
    assert len(set(keys)) == 3


def test_the_table_counts_every_annotation():
    result = three()
    page = page_of(result)
    assert "all3111" in "".join(page.text.split())
    assert result.outcomes().total() == 3


def test_the_page_needs_nothing_but_itself():
    page = page_of(three())
    assert all(target.startswith("#") for target in page.targets)
    assert page.tags.count("script") == 1
    assert len(page.ids) == len(set(page.ids))


EVIL = '<script>alert(1)</script> & "quotes" {{ 7 * 7 }}'


def test_hostile_texts_labels_and_reasons_are_shown_as_text():
    text = f"<i>{EVIL} & x <b>"
    made = make(text, (EVIL, EVIL), source=EVIL, meta={EVIL: EVIL}, annotator=EVIL, document="")
    loss = row(EVIL, EVIL, EVIL, DROPPED, [EVIL])
    stray = row("other", EVIL, EVIL, DROPPED, [EVIL])
    page = page_of(inspected(made, extra=[loss, stray]), colours={EVIL: "#123456"})
    assert page.tags.count("script") == 1
    assert page.texts == [text]
    assert "49" not in page.text.replace("{{ 7 * 7 }}", "")


@st.composite
def spans(draw):
    starts = draw(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12), st.sampled_from("AB")), max_size=8))
    return sorted({LabelledSpan(start, min(12, start + n), label) for start, n, label in starts})


@given(spans())
def test_spans_that_nest_and_cross_leave_the_text_whole_and_the_marks_nested(found):
    doc, _ = make("a b c d e f g h i j k l")
    words = list(doc)
    chosen = [(words[span.start].idx, words[span.end - 1].idx + 1, span.label) for span in found]
    doc.spans["sc"] = [doc.char_span(start, end, label=label) for start, end, label in chosen]
    page = page_of(inspected((doc, [])))  # the reader fails on marks that do not nest
    assert page.texts == [doc.text]
    marks = [attrs["title"] for tag, attrs in page.attributes if tag == "mark" and "title" in attrs]
    assert len(marks) >= len(chosen)


def test_a_flattened_span_is_shown_inside_the_one_that_is_kept():
    made = make("University of Bonn", ("University of Bonn", "ORG"), ("Bonn", "LOC"))
    page = page_of(inspected(made))
    shown = [
        (attrs["title"].split(";")[0], attrs.get("class")) for tag, attrs in page.attributes if "data-key" in attrs
    ]
    assert shown == [(f"ORG, {IMPORTED}", None), (f"LOC, {FLATTENED}", "flat")]


def test_words_of_which_nothing_is_known_are_marked_in_one_stretch():
    made = make("Anna met Bob Smith here", ("Anna", "PER"), unknown=((9, 18),))
    page = page_of(inspected(made))
    assert sum("missing" in (attrs.get("class") or "").split() for _, attrs in page.attributes) == 2  # and the legend's


def test_text_on_a_dark_colour_is_light():
    page = page_of(inspected(make("Redis", ("Redis", "INFRA"))), colours={"INFRA": "#102030"})
    assert "--c:#102030;--t:#fff" in page.all("mark", "style")


def test_annotations_of_no_passage_are_listed_up_to_a_limit():
    stray = [row(f"x:{n}", "Ops", "TEAM", REJECTED) for n in range(MAX_UNPLACED + 7)]
    page = page_of(inspected(make("Redis"), extra=stray))
    assert "x:0" in page.text
    assert "and 7 more, all in ledger.jsonl" in page.text


@pytest.fixture(scope="module")
def converted(tmp_path_factory, tiny_encoder):
    """A folder as after convert, with the card of a tiny encoder."""
    folder, ledger = tmp_path_factory.mktemp("converted"), Ledger()
    for split in ("train", "dev", "test"):
        doc, rows = make(f"see UNION2024 in {split} 𓂀", ("UNION", "ORG"), source=f"{split}:1")
        to_docbin([doc]).to_disk(folder / f"{split}.spacy")
        for one in rows:
            ledger.rows.append(one)
    (folder / "ledger.jsonl").write_text("".join(f"{line}\n" for line in ledger.to_jsonl()), encoding="utf8")
    card = {"name": "tiny", "family": "bert", "path": str(tiny_encoder("bert")), "licence": "", "hub_id": "",
            "revision": "", "files": {}, "learning_rate": 0.1, "batch_size": 8, "max_length": 512}  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "cnn.json").write_text(json.dumps(card | {"path": ""}))
    return folder


def inspect(folder, *options, check=True):
    return run(
        "inspect_corpus", folder, folder / "page.html", "--ledger", folder / "ledger.jsonl", *options, check=check
    )


def test_the_command_prints_tokens_tags_and_wordpieces_and_writes_the_page(converted):
    printed = inspect(converted, "--card", converted / "card.json", "--n", "2", "--max-passages", "2").stdout
    assert printed.count("── ") == 2
    (line,) = [line.split() for line in printed.splitlines() if line.startswith("UNION")][:1]
    assert line[:2] == ["UNION", "U-ORG"]
    assert "".join(piece.removeprefix("##") for piece in line[2:]) == "UNION"
    assert "[UNK]  ← unknown to the encoder" in printed
    assert "without 1 of 3 passages (--max-passages 2)" in printed
    assert len(PageReader((converted / "page.html").read_text(encoding="utf8")).sources) == 2


def test_without_a_transformer_the_command_says_that_there_are_no_wordpieces(converted):
    printed = inspect(converted, "--card", converted / "cnn.json", "--split", "dev", "--random").stdout
    assert "no wordpieces" in printed
    assert "── dev:1" in printed
    assert "train:1" not in printed


def test_what_is_missing_is_told_and_no_page_is_written(converted, tmp_path):
    ran = run("inspect_corpus", converted, tmp_path / "p.html", "--ledger", tmp_path / "none", check=False)
    assert ran.returncode == 1
    assert "Run convert first" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "inspect.html"
    many = [repaired(f"r:{n}") for n in range(25)] + [
        make(f"Redis {n} is up", ("Redis", "INFRA"), source=f"p:{n}") for n in range(20)
    ]
    result = inspected(*many)
    path.write_text(inspect_page(result, default_colours(result), max_passages=2000), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    found = axe.Axe().run(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_passages_come_in_pages_that_keep_the_filters(opened):
    page = opened(viewport={"width": 1280, "height": 900})

    def shown():
        return page.locator("article:visible h3").all_text_contents()

    first = shown()
    assert len(first) == PAGE_SIZE and page.inner_text("#place") == f"1 to {PAGE_SIZE} of 45"
    assert page.locator("#pager button").first.is_disabled()
    page.locator("#pager button").last.click()
    assert len(shown()) == PAGE_SIZE and not {*first} & {*shown()}
    page.locator("#pager-below button").last.click()
    assert len(shown()) == 5 and page.locator("#pager button").last.is_disabled()
    page.get_by_label("INFRA").check()
    page.get_by_text("20 of 45 passages", exact=True).wait_for()
    assert not page.locator("#pager").is_visible()
    assert all(source.startswith("p:") for source in shown())
    page.fill("#search", "no such words")
    page.wait_for_selector("#none", state="visible")
    assert shown() == [] and not page.locator("#pager").is_visible()


def test_without_its_script_the_page_shows_every_passage(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("article").count() == 45 and not page.locator("#pager").is_visible()
    context.close()


@pytest.mark.parametrize("labels", [[f"TYPE_{n}" for n in range(150)], ["A" * 200, "B" * 200]], ids=["many", "long"])
@pytest.mark.parametrize("width", [1280, 390])
def test_many_types_and_long_labels_do_not_widen_the_page(browser, tmp_path, labels, width):
    result = inspected(
        *[make("Redis is up", ("Redis", label), source=f"{'x' * 80}:{n}") for n, label in enumerate(labels)]
    )
    path = tmp_path / "page.html"
    path.write_text(inspect_page(result, default_colours(result), max_passages=2000), encoding="utf8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
