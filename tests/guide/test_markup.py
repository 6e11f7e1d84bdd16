import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.guide.markup import MarkupError, parse_markup, to_markup


def test_marks_become_spans_and_leave_the_text():
    text, spans = parse_markup("The [billing service](SERVICE) asks [Redis](INFRA).")
    assert text == "The billing service asks Redis."
    assert spans == (LabelledSpan(4, 19, "SERVICE"), LabelledSpan(25, 30, "INFRA"))


def test_a_label_may_be_any_name_of_a_type():
    labels = ["first name", "LOC: city", "it (thing)", "x"]
    marked = "[Anna](first name) of [Rome](LOC: city) saw [it](it (thing)), [him](x)"
    text, spans = parse_markup(marked, labels)
    assert text == "Anna of Rome saw it, him"
    assert [span.label for span in spans] == labels
    assert to_markup(text, spans) == marked


def test_a_label_of_no_type_is_read_all_the_same_and_a_link_is_none():
    assert [span.label for span in parse_markup("[Anna](first nam) and [Bob](PRE)", ["first name"])[1]] == [
        "first nam",
        "PRE",
    ]
    assert parse_markup("see [here](https://a.io/b)", ["first name"]) == ("see [here](https://a.io/b)", ())


def test_a_path_with_braces_and_a_mark_within_a_word():
    text, spans = parse_markup("curl https://a.io[/users/{id}](ENDPOINT)?x=1")
    assert text[spans[0].start : spans[0].end] == "/users/{id}"
    assert text == "curl https://a.io/users/{id}?x=1"


@pytest.mark.parametrize("text", ["no marks", "[warn] disk full", "a[0] = b[1]", "f(x) [see] (note)", ""])
def test_brackets_that_are_no_marks_stay(text):
    assert parse_markup(text) == (text, ())


@pytest.mark.parametrize(
    "broken", ["[](TEAM) x", "[ ](TEAM) x", "the [Redis(INFRA) is", "the Redis](INFRA) is", "[Redis]()"]
)
def test_a_mark_that_is_not_whole_is_an_error(broken):
    with pytest.raises(MarkupError, match=r"expected \[surface\]\(LABEL\)"):
        parse_markup(broken)


WORDS = st.text(st.characters(blacklist_characters="[]()", blacklist_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(WORDS, st.sampled_from([None, "TEAM", "INFRA"])), max_size=8))
def test_markup_and_back(pieces):
    text, spans = "", []
    for piece, label in pieces:
        if label:
            spans.append(LabelledSpan(len(text), len(text) + len(piece), label))
        text += piece
    assert parse_markup(to_markup(text, tuple(spans))) == (text, tuple(spans))
