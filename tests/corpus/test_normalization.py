from hypothesis import given
from hypothesis import strategies as st

from domain_ner.corpus.normalization import normalize_whitespace, to_normalized

TEXTS = st.text(alphabet="ab \t\n\r\u00a0\u200b\u2003\ufeff\u00ad🔥e\u0301", max_size=30)


@given(TEXTS)
def test_what_stays_is_at_the_offset_that_is_told(text):
    normal, offsets = normalize_whitespace(text)
    assert len(offsets) == len(normal) + 1
    for position, char in enumerate(normal):
        original = text[offsets[position]]
        assert original == char or (char == " " and not original.strip(" \t\n\r\u00a0\u200b\u2003\ufeff\u00ad"))


@given(TEXTS)
def test_normalising_twice_changes_nothing(text):
    normal, _ = normalize_whitespace(text)
    assert normalize_whitespace(normal)[0] == normal


@given(TEXTS)
def test_no_run_of_white_space_and_none_at_the_edges_is_left(text):
    normal, _ = normalize_whitespace(text)
    assert "  " not in normal
    assert normal == normal.strip()


def test_offsets_of_names_move_with_them():
    text = "\u200b The \n Redis\u00a0cache "
    normal, offsets = normalize_whitespace(text)
    assert normal == "The Redis cache"
    start = text.index("Redis")
    assert normal[to_normalized(start, offsets) : to_normalized(start + 5, offsets)] == "Redis"


def test_a_text_of_white_space_is_empty():
    assert normalize_whitespace(" \n\t")[0] == ""
