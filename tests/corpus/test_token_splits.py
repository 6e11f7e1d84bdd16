from dataclasses import replace
from functools import cache

import pytest
import spacy

from domain_ner.annotations.outcomes import DOUBTFUL, Outcome
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.words import NO_SPACES
from domain_ner.corpus.token_splits import CHARACTERS, KOREAN, inner_edges, learn_splits, named_words
from domain_ner.corpus.tokenizer import create_tokenizer


def test_a_rule_for_a_single_word_names_it_and_a_general_one_none():
    general = [r"(?<=[^\W\d_])(?=\d)", r"(?<=\d)(?=\-)", f"(?<=[{NO_SPACES}])(?=.)", CHARACTERS[0], KOREAN[0]]
    words = [rule.pattern for rule in learn([passage("UNION2024 is in", "UNION"), passage("日本's ab.c1d", "ab.c")])]
    assert named_words(general) == set()
    assert named_words([*general, *words, r"(?<=\[abc)(?=d)"]) == {"UNION", "2024", "abc"}


blank = cache(spacy.blank)


def tokenizer(splits=(), lang="en"):
    return create_tokenizer(splits)(blank(lang))


def passage(text, *surfaces, **fields):
    spans = tuple(sorted(LabelledSpan(text.index(s), text.index(s) + len(s), "X") for s in surfaces))
    return Passage(text, spans, fields.pop("source", "a:1"), rows=tuple(range(len(spans))), **fields)


def learn(passages, **options):
    return learn_splits([passages], tokenizer(), **options).rules


def tokens(text, passages, **options):
    return [token.text for token in tokenizer([rule.pattern for rule in learn(passages, **options)])(text)]


def test_edges_on_the_edges_of_tokens_teach_nothing():
    assert learn([passage("Redis is up.", "Redis"), passage("nothing")]) == ()


def test_an_edge_seen_on_one_token_splits_that_token_alone():
    found = [passage("We saw UNION2024 fail.", "UNION")]
    assert tokens("UNION2024 and UNION2025", found) == ["UNION", "2024", "and", "UNION2025"]


def test_an_edge_seen_on_three_tokens_becomes_a_rule():
    found = [passage(f"see {word} now", word[:2]) for word in ["AB12", "CD34", "EF56"]]
    assert tokens("XY99", found) == ["XY", "99"]


@pytest.mark.parametrize("text", ["xUNION2024", "UNION20245", "UNION2024x", "union2024", "UNION_2024"])
def test_an_edge_seen_on_one_token_splits_no_other_that_holds_it(text):
    assert tokens(text, [passage("We saw UNION2024 fail.", "UNION")]) == [text]


def test_an_edge_at_a_mark_seen_on_one_token_splits_that_token_alone():
    assert tokens("aa·x1 bb·x1 aa·x12", [passage("see aa·x1 now", "aa")]) == ["aa", "·x1", "bb·x1", "aa·x12"]


def test_letters_are_never_split_by_a_general_rule():
    words = ["abcdef", "ghijkl", "mnopqr", "stuvwx"]
    found = [passage(f"see {word} {more}", word[:3]) for word in words for more in ("now", "again")]
    assert tokens("abcdef zzzzzz abcdefs", found) == ["abc", "def", "zzzzzz", "abcdefs"]


def test_a_slip_inside_a_word_splits_no_token_and_is_told():
    found = [passage("He found an error.", "a", source="a:1"), passage("Redis can plan in Spain.", "Redis")]
    learned = learn_splits([found], tokenizer())
    assert (learned.rules, learned.rows) == ((), ())
    assert [(one.source, one.surface, *map(str, one.edges.values())) for one in learned.doubtful] == [
        ("a:1", "a", "a|n")
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I run Redis here", "Redi"),
        ("I run Redis here", "edis"),
        ("I run Redis here", "Redis h"),
        ("I run Redis here", "n Redis"),
        ("in 2024 it", "202"),
    ],
)
def test_a_span_that_slipped_by_a_character_teaches_nothing_though_the_name_stands_elsewhere(text, name):
    others = [passage(f"Redis {n} is up in 2024", "Redis", "2024") for n in range(3)]
    learned = learn_splits([[passage(text, name), *others]], tokenizer())
    assert learned.rules == ()
    assert [one.surface for one in learned.doubtful] == [name]


def test_an_edge_that_another_text_shows_too_is_learned():
    found = [passage("see foobar now", "foo"), passage("no foobar there", "foo")]
    assert tokens("a foobar", found) == ["a", "foo", "bar"]


def test_an_edge_that_another_annotator_shows_too_is_learned():
    found = [passage("see foobar now", "foo", annotator="anna")]
    both = [*found, passage("see foobar now", "foo", annotator="ben")]
    assert tokens("a foobar", found, versions=found) == ["a", "foobar"]
    assert tokens("a foobar", found, versions=both) == ["a", "foo", "bar"]


def test_the_same_annotator_twice_is_no_agreement():
    found = [passage("see foobar now", "foo", annotator="anna")]
    assert tokens("a foobar", found, versions=found * 2) == ["a", "foobar"]


@pytest.mark.parametrize("other", ["Redis is up", "ask Redis", "die Redisknoten"])
def test_a_name_inside_a_longer_word_is_learned_where_it_is_annotated_elsewhere_too(other):
    found = [passage("die Redisinstanz", "Redis"), passage(other, "Redis")]
    assert tokens("eine Redisinstanz", found) == ["eine", "Redis", "instanz"]


def test_a_name_of_two_letters_in_another_word_is_no_agreement():
    found = [passage("see Goland now", "Go"), passage("we write Go", "Go"), passage("Go on", "Go")]
    assert tokens("Goland", found) == ["Goland"]


def test_a_word_that_mostly_stands_whole_is_not_split():
    whole = [passage(f"foobar {n}", "foobar") for n in range(5)]
    found = [passage("see foobar now", "foo"), passage("no foobar there", "foo"), *whole]
    learned = learn_splits([found], tokenizer())
    assert (learned.rules, len(learned.doubtful)) == ((), 2)


@pytest.mark.parametrize("mark", ["_", ".", "·"])
def test_a_mark_inside_a_token_becomes_a_rule_for_that_mark(mark):
    found = [passage(f"see {word}{mark}x1 now", word) for word in ["aa", "bb", "cc"]]
    assert tokens(f"dd{mark}y2", found)[0] == "dd"


def test_a_script_without_spaces_is_split_into_characters():
    found = [passage("日本電気株式会社です", "日本電気")]
    assert tokens("東京で", found) == ["東", "京", "で"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("李明是男，90IT，中", ["李", "明", "是", "男", "，", "90IT", "，", "中"]),
        ("我用Kafka的", ["我", "用", "Kafka", "的"]),
        ("か\u3099く", ["か\u3099", "く"]),
        ("น้ำที่", ["น้ำ", "ที่"]),
        ("ភ្នំពេញ", ["ភ្", "នំ", "ពេ", "ញ"]),
        ("ｱﾝﾅ", ["ｱ", "ﾝ", "ﾅ"]),
        ("佐々木さん", ["佐", "々", "木", "さ", "ん"]),
        ("well-known Redis", ["well", "-", "known", "Redis"]),
    ],
)
def test_characters_keep_their_marks_and_other_scripts_their_words(text, expected):
    assert tokens(text, [passage("李明：男", "李明")]) == expected


def test_text_in_a_script_without_spaces_is_enough_for_characters():
    assert tokens("李明是男", [passage("李明：男", "李明"), passage("无。")]) == ["李", "明", "是", "男"]


def test_scripts_without_spaces_alone_are_learned_where_nothing_else_is_to_be_split():
    found = [passage("see AB12 李明", "AB", "李"), passage("see CD34", "CD"), passage("see EF56", "EF")]
    learned = learn_splits([found], tokenizer(), only_scripts=True)
    assert [rule.reason for rule in learned.rules] == ["a script without spaces into characters"]
    assert (learned.rows, learned.doubtful) == ((), ())


def test_korean_is_split_into_syllables_where_three_tokens_show_it():
    found = [passage(text, text[:2]) for text in ("서울에서 왔다", "부산은 크다", "대구로 간다")]
    assert tokens("인천에 5월", found) == ["인", "천", "에", "5", "월"]
    assert tokens("인천에", found[:2]) == ["인천에"]


def test_korean_that_comes_as_syllables_is_split_into_syllables():
    words, text = ("서", "울", "에", " ", "갔", "다"), "서울에 갔다"
    found = [passage(text, "서울", words=words, spaces=(False,) * 6)]
    assert tokens("부산에 갔다", found) == ["부", "산", "에", "갔", "다"]


def test_an_edge_in_the_middle_of_a_name_splits_on_both_sides():
    found = [passage("Also foobarbaz here", "bar"), passage("and foobarbaz there", "bar")]
    assert tokens("foobarbaz", found) == ["foo", "bar", "baz"]


def test_spans_that_needed_a_split_are_told():
    assert learn_splits([[passage("UNION2024 saw Redis", "UNION", "Redis")]], tokenizer()).rows == (0,)


def test_what_is_learned_is_a_repair_and_an_edge_that_is_not_is_a_doubt():
    found = [passage("UNION2024 runs", "UNION"), passage("Redisinstanz", "Redis")]
    learned = learn_splits([[found[0], replace(found[1], rows=(4,))]], tokenizer())
    assert list(learned.outcomes()) == [
        Outcome(0, reason="a token is split there, and the tokenizer learns it"),
        Outcome(4, DOUBTFUL, "an edge inside a word that no other annotation confirms: Redis|instanz"),
    ]


def test_no_span_is_repaired_where_all_characters_are_tokens():
    assert learn_splits([[passage("日本電気株式会社です", "日本電気")]], tokenizer()).rows == ()


def test_the_tokens_of_an_export_without_spacing_are_its_own():
    own = passage("UNION2024 fails", "UNION", words=("UNION2024", "fails"))
    assert learn([own]) == ()


def test_inner_edges_give_offset_and_both_halves():
    text = "UNION2024"
    ((offset, edge),) = inner_edges(tokenizer()(text), passage(text, "UNION"))
    assert (offset, str(edge)) == (5, "UNION|2024")


def test_in_a_text_without_spaces_the_rule_is_for_the_word_and_not_the_sentence():
    found = [passage(f"平远属{more}钢壳Jhajjar巡洋舰", "Jhajja") for more in ("", "大")]
    [rule] = [rule for rule in learn(found) if rule.reason == "this word"]
    assert "壳" not in rule.pattern
    assert tokens("平远属钢壳Jhajjar巡洋舰", found)[-5:] == ["Jhajja", "r", "巡", "洋", "舰"]
    assert tokens("钢壳xJhajjar巡", found) == ["钢", "壳", "xJhajjar", "巡"]
