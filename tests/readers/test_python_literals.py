"""Python literals are read, not run, and bounded."""

import pytest

from domain_ner.readers.json_files import python_literals
from domain_ner.readers.json_files.python_literals import load_literal, parse, value_of


def test_a_literal_is_its_value():
    assert load_literal(" [{'a': (1, 2), 'b': None}, {'a'}] ") == [{"a": (1, 2), "b": None}, {"a"}]


@pytest.mark.parametrize("cell", ["open('x')", "{[]: 1}", "a", "1; 2", "x = 1", ""])
def test_what_is_no_literal_is_an_error(cell):
    with pytest.raises(ValueError, match="not a literal"):
        load_literal(cell)


@pytest.mark.parametrize("cell", ["[", "1 +", "'a' 'b' c", "\0"])
def test_what_is_no_python_says_why(cell):
    with pytest.raises(ValueError, match=r"line \d|null"):
        load_literal(cell)


def test_a_key_that_stands_twice_is_an_error_unless_its_values_are_alike():
    assert load_literal("{'a': [1], 'b': 2, 'a': [1]}") == {"a": [1], "b": 2}
    with pytest.raises(ValueError, match="the duplicate key 'entities' in a dict has two values: expected it"):
        load_literal("[('Anna', {'entities': [(0, 4, 'PER')], 'entities': []})]")


def test_python_is_bounded_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(python_literals, "MAX_CHARS", 6)
    assert value_of(parse("[1, 2]")[0].value) == [1, 2]
    monkeypatch.setattr(python_literals.ast, "parse", None)
    with pytest.raises(ValueError, match="more than 6 characters of Python"):
        parse("[1, 20]")
