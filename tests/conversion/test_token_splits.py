import pytest
import spacy

from domain_ner.conversion.token_splits import NO_SPACES, inner_edges, learn_splits, named_words
from domain_ner.passages import LabelledSpan, Passage


def test_a_rule_for_a_single_word_names_it_and_a_general_one_none():
    general = [r"(?<=[^\W\d_])(?=\d)", r"(?<=\d)(?=\-)", f"(?<=[{NO_SPACES}])(?=.)|(?<=.)(?=[{NO_SPACES}])"]
    assert named_words([*general, r"(?<=UNION)(?=2024)", r"(?<=\[abc)(?=d)"]) == {"UNION", "2024", "abc"}


def tokenizer(splits=()):
    config = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": list(splits)}
    return spacy.blank("en", config={"nlp": {"tokenizer": config}}).tokenizer


def passage(text, *surfaces, **fields):
    spans = tuple(sorted(LabelledSpan(text.index(s), text.index(s) + len(s), "X") for s in surfaces))
    return Passage(text, spans, "a:1", rows=tuple(range(len(spans))), **fields)


def tokens(text, passages):
    rules = learn_splits(passages, tokenizer())
    return [token.text for token in tokenizer([rule.pattern for rule in rules])(text)]


def test_edges_on_the_edges_of_tokens_teach_nothing():
    assert learn_splits([passage("Redis is up.", "Redis"), passage("nothing")], tokenizer()) == []


def test_an_edge_seen_on_one_token_splits_that_token_alone():
    found = [passage("We saw UNION2024 fail.", "UNION")]
    assert tokens("UNION2024 and UNION2025", found) == ["UNION", "2024", "and", "UNION2025"]


def test_an_edge_seen_on_three_tokens_becomes_a_rule():
    found = [passage(f"see {word} now", word[:2]) for word in ["AB12", "CD34", "EF56"]]
    assert tokens("XY99", found) == ["XY", "99"]


def test_letters_are_never_split_by_a_general_rule():
    found = [passage(f"see {word} now", word[:3]) for word in ["abcdef", "ghijkl", "mnopqr", "stuvwx"]]
    assert tokens("abcdef zzzzzz", found) == ["abc", "def", "zzzzzz"]


@pytest.mark.parametrize("mark", ["_", ".", "·"])
def test_a_mark_inside_a_token_becomes_a_rule_for_that_mark(mark):
    found = [passage(f"see {word}{mark}x1 now", word) for word in ["aa", "bb", "cc"]]
    assert tokens(f"dd{mark}y2", found)[0] == "dd"


def test_a_script_without_spaces_is_split_into_characters():
    found = [passage("日本電気株式会社です", "日本電気")]
    assert tokens("東京で", found) == ["東", "京", "で"]


def test_an_edge_in_the_middle_of_a_name_splits_on_both_sides():
    found = [passage("Also foobarbaz here", "bar")]
    assert tokens("foobarbaz", found) == ["foo", "bar", "baz"]


def test_spans_that_needed_a_split_are_told():
    rows = []
    learn_splits([passage("UNION2024 saw Redis", "UNION", "Redis")], tokenizer(), on_span=rows.append)
    assert rows == [0]


def test_the_tokens_of_an_export_without_spacing_are_its_own():
    own = passage("UNION2024 fails", "UNION", words=("UNION2024", "fails"))
    assert learn_splits([own], tokenizer()) == []


def test_inner_edges_give_offset_and_both_halves():
    text = "UNION2024"
    ((offset, edge),) = inner_edges(tokenizer()(text), passage(text, "UNION"))
    assert (offset, str(edge)) == (5, "UNION|2024")


def test_in_a_text_without_spaces_the_rule_is_for_the_word_and_not_the_sentence():
    found = [passage("平远属钢壳Jhajjar巡洋舰", "Jhajja")]
    rules = learn_splits(found, tokenizer())
    assert "this word" in {rule.reason for rule in rules}
    assert max(len(rule.pattern) for rule in rules if rule.reason == "this word") < 30
    assert "Jhajja" in tokens("平远属钢壳Jhajjar巡洋舰", found)
