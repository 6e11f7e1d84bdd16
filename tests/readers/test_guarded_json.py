"""JSON from elsewhere is bounded before the library sees it, and nothing in it is lost in silence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.readers.json_files import guarded_json
from domain_ner.readers.json_files.guarded_json import HALVES, TWICE, JsonError, beginning, load

WORDS = st.text(alphabet='ab:"\\{}[], \t\n1é🔥', max_size=6)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.floats(allow_nan=False), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)
STYLES = st.sampled_from([
    {}, {"separators": (",", ":")}, {"separators": (", ", " : ")}, {"indent": 1}, {"ensure_ascii": False},
    {"separators": (",", ":\t"), "indent": "\t"}, {"separators": (",", "\t:")},
])  # fmt: skip


@given(VALUES, STYLES)
def test_ordinary_json_is_loaded_as_it_is_and_nothing_is_told(value, style):
    loaded = load(json.dumps(value, **style))
    assert (loaded.value, loaded.fault, loaded.notes) == (value, "", ())


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), STYLES, st.data())
def test_a_key_that_stands_twice_is_never_lost_in_silence(row, style, data):
    key = data.draw(st.sampled_from(sorted(row)))
    second = data.draw(VALUES)
    again = f"{json.dumps(key)}{style.get('separators', (', ', ': '))[1]}{json.dumps(second, **style)}"
    text = f"{json.dumps(row, **style).rstrip().removesuffix('}').rstrip()}, {again}}}"
    for inside in (text, f'{{"id": 1, "meta": [{text}, 3]}}', f"[{text}]"):
        loaded = load(inside)
        assert loaded.fault or loaded.notes == (TWICE,)
        assert bool(loaded.fault) == (row[key] != second)


def test_the_values_of_a_key_that_stands_twice_are_told():
    assert load('{"id": 1, "label": [[0, 4, "PER"]], "label": []}').fault == (
        "the duplicate key 'label' has the values [[0, 4, 'PER']] and []: expected it once"
    )


@pytest.mark.parametrize("half", ["\\ud83d", "\\uD83D", "\\ude00", "\\ude00\\ud83d"])
def test_halves_of_characters_become_the_replacement_character_and_count_as_much(half):
    loaded = load(f'{{"te{half}xt": ["a{half}b"]}}')
    lost = "\ufffd" * half.count("\\")
    assert (loaded.value, loaded.notes) == ({f"te{lost}xt": [f"a{lost}b"]}, (HALVES,))


def test_a_whole_character_written_as_two_escapes_stays():
    loaded = load('{"text": "\\ud83d\\ude00"}')
    assert (loaded.value, loaded.notes) == ({"text": "😀"}, ())


BOUNDED = [
    ("MAX_DEPTH", 5, '{"a": [[[["b"]]]]}', '{"a": [[[[["b"]]]]]}', "JSON nested more than 5 levels deep"),
    ("MAX_DEPTH", 5, '{"a": "[[[[[[[[", "b": "{{{{{{"}', '[[[{"a": "]]]", "b": [[1]]}]]]', "JSON nested more than 5"),
    ("MAX_DEPTH", 5, '{"a": "\\"[[[[[[", "b": 1}', '{"a\\\\": [[[[["]"]]]]]}', "JSON nested more than 5 levels deep"),
    ("MAX_NUMBER_CHARS", 40, f"[{'1' * 40}, 2]", f"[{'1' * 41}]", "JSON with a number or word of more than 40 char"),
    ("MAX_NUMBER_CHARS", 40, f'["{"1" * 90}"]', f"[1, -{'1' * 20}.{'5' * 20}e+7]", "JSON with a number or word of"),
    ("MAX_VALUE_CHARS", 20, '{"text": "long one"}', '{"text": "long  one"}', "JSON with a value of more than 20"),
]  # fmt: skip


@pytest.mark.parametrize("case", BOUNDED)
def test_what_passes_a_bound_is_refused_before_it_is_parsed(monkeypatch, case):
    bound, limit, good, bad, told = case
    monkeypatch.setattr(guarded_json, bound, limit)
    assert load(good).value == json.loads(good)
    monkeypatch.setattr(guarded_json.json, "loads", None)
    with pytest.raises(JsonError, match=told):
        load(bad)


@given(VALUES, st.integers(1, 4))
def test_no_more_levels_are_counted_than_there_are_for_a_value_within_the_bound(value, limit):
    text = json.dumps(value)
    n_levels = _depth(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guarded_json, "MAX_DEPTH", limit)
        if n_levels > limit:
            with pytest.raises(JsonError):
                load(text)
        else:
            assert load(text).value == value


def _depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


CUT = ['{"text": "a', '{"text": "a", "meta": {"b": 1}', '{"text": "ends in }', '{"a": tru', "[1, 2", '[{"a": 1},']


@pytest.mark.parametrize("text", CUT)
def test_what_ends_early_is_told_apart_from_what_is_wrong(text):
    with pytest.raises(JsonError) as error:
        load(text)
    assert error.value.is_cut


@pytest.mark.parametrize("text", ["", "text", '{"a": b}', "{'a': 1}", '{"a": 1} x}', '{"a": 1}{"b": 2}', "]"])
def test_what_is_no_json_says_where(text):
    with pytest.raises(JsonError, match=r"invalid JSON at column \d+ \(.+\)") as error:
        load(text)
    assert not error.value.is_cut


def test_the_beginning_of_json_is_closed_where_it_ends():
    text = json.dumps([{"id": 1, "data": {"text": "a, b: [c", "n": [1, 2]}}, {"id": 2, "data": {"text": "x"}}])
    assert list(beginning(text)) == [json.loads(text)]
    for end in range(1, len(text)):
        (rows,) = beginning(text[:end])
        assert all(one.keys() <= {"id", "data"} and one.get("id") in (None, 1, 2) for one in rows)
        assert [one.get("data") for one in rows[:-1]] == [json.loads(text)[0]["data"]] * (len(rows) - 1)
    assert list(beginning(text[: text.index("a, b") + 2])) == [[{"id": 1, "data": {"text": None}}]]


def test_the_beginning_of_something_else_is_nothing():
    assert list(beginning("Anna B-PER")) == []
    assert list(beginning("  [CLS] Anna went")) == [[]]
