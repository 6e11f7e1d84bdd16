from itertools import product

import pytest

from domain_ner.annotations.tag_schemes import TagScheme, TagSpan, TagStatistics, decode_tags, encode_tags

IOB1, IOB2 = TagScheme("IOB1", "prefix"), TagScheme("IOB2", "prefix")
BIOES, BMES, BILOU = (TagScheme(name, "prefix") for name in ("BIOES", "BMES", "BILOU"))
IO = TagScheme("IO", "none")
LABELS = ("X", "Y")


def scheme_of(*sentences: str) -> TagScheme:
    statistics = TagStatistics()
    for tags in sentences:
        statistics.add(tags.split())
    return statistics.scheme()


def spans_of(tags: str, scheme: TagScheme) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in decode_tags(tags.split(), scheme)]


def repairs_of(tags: str, scheme: TagScheme) -> list[str]:
    return [span.repair for span in decode_tags(tags.split(), scheme)]


def layouts(n_tokens):
    """All ways to put entities of two labels on n tokens: lists of (start, end, label)."""
    if n_tokens == 0:
        return [[]]
    found = []
    for length in range(1, n_tokens + 1):
        for rest in layouts(n_tokens - length):
            moved = [(start + length, end + length, label) for start, end, label in rest]
            found.extend([(0, length, label), *moved] for label in LABELS)
            if length == 1:
                found.append(moved)
    return found


def encode_ends(spans, n_tokens, letters):
    begin, inside, end, single = letters
    tags = ["O"] * n_tokens
    for first, last, label in spans:
        n_inside = last - first - 2
        marks = [single] if last - first == 1 else [begin, *[inside] * n_inside, end]
        tags[first:last] = [f"{mark}-{label}" for mark in marks]
    return tags


def encode_iob1(spans, n_tokens):
    tags = encode_tags(spans, n_tokens)
    for n, tag in enumerate(tags):
        before = tags[n - 1][2:] if n else ""
        if tag.startswith("B-") and tag[2:] != before:
            tags[n] = f"I-{tag[2:]}"
    return tags


@pytest.mark.parametrize("n_tokens", range(5))
def test_encoding_and_decoding_gives_every_set_of_spans_back_without_repairs(n_tokens):
    for spans in layouts(n_tokens):
        encodings = {
            IOB2: encode_tags(spans, n_tokens),
            IOB1: encode_iob1(spans, n_tokens),
            BIOES: encode_ends(spans, n_tokens, "BIES"),
            BMES: encode_ends(spans, n_tokens, "BMES"),
            BILOU: encode_ends(spans, n_tokens, "BILU"),
        }
        for scheme, tags in encodings.items():
            assert list(decode_tags(tags, scheme)) == [TagSpan(*span) for span in spans], (scheme, tags)


def test_every_marked_token_is_in_exactly_one_span_whatever_the_tags():
    letters = ["O", None, *(f"{letter}-{label}" for letter in "BIES" for label in LABELS)]
    for tags, scheme in product(product(letters, repeat=3), (IOB1, IOB2, BIOES, BILOU)):
        covered = [n for span in decode_tags(tags, scheme) for n in range(span.start, span.end)]
        assert covered == [n for n, tag in enumerate(tags) if tag not in ("O", None)]
        labels = [span.label for span in decode_tags(tags, scheme) for _ in range(span.start, span.end)]
        assert labels == [tag[2:] for tag in tags if tag not in ("O", None)]


@pytest.mark.parametrize(
    ("sentences", "name", "mark"),
    [
        (("O B-LOC I-LOC O", "B-PER O"), "IOB2", "prefix"),
        (("O I-LOC I-LOC B-LOC O", "I-PER O"), "IOB1", "prefix"),
        (("O B-LOC E-LOC O", "S-PER O"), "BIOES", "prefix"),
        (("B-LOC M-LOC E-LOC O", "S-PER O"), "BMES", "prefix"),
        (("B-LOC I-LOC L-LOC O", "U-PER O"), "BILOU", "prefix"),
        (("LOC LOC O", "PER O"), "IO", "none"),
        (("event-attack/battle/war O", "person-actor O"), "IO", "none"),
        (("LOC-B LOC-I O", "PER-B O"), "IOB2", "suffix"),
        (("LOC-B LOC-E O", "PER-S O"), "BIOES", "suffix"),
        (("o b-loc i-loc o", "b-per o"), "IOB2", "loose prefix"),
        (("O b-loc O", "b-per O"), "IOB2", "loose prefix"),
        (("O loc_b loc_i O", "per_b O"), "IOB2", "lower suffix"),
        (("u-per o o o",), "BILOU", "loose prefix"),
        (("O b-cell O", "e-mail O"), "IO", "none"),
        (("O b-cell O", "O b-cell"), "IO", "none"),
        (("O B:LOC I:LOC O", "B:PER O"), "IOB2", "loose prefix"),
        (("O E.coli O", "B.subtilis O"), "IO", "none"),
        (("B-LOC I-LOC none none none none", "B-PER none none"), "IOB2", "prefix"),
        (("O O",), "IOB2", "prefix"),
    ],
)
def test_scheme_is_told_from_the_tags(sentences, name, mark):
    scheme = scheme_of(*sentences)
    assert (scheme.name, scheme.shape) == (name, mark)


def test_label_that_ends_like_a_mark_is_no_suffix_scheme():
    assert scheme_of("VITAMIN_B O VITAMIN_B") == IO


def test_one_orphan_does_not_make_an_iob2_file_iob1():
    assert scheme_of("O I-LOC O", "B-PER O").name == "IOB2"


def test_one_stray_end_does_not_make_an_iob2_file_bioes():
    assert scheme_of(*["B-LOC I-LOC O"] * 10, "B-LOC E-LOC").name == "IOB2"


def test_one_stray_begin_does_not_make_an_iob1_file_iob2():
    assert scheme_of(*["I-LOC I-LOC O"] * 20, "O B-PER").name == "IOB1"


def test_damaged_tags_do_not_turn_tags_into_labels():
    assert scheme_of("B-LOC O", "x O", "B-PER O").shape == "prefix"


def test_tags_that_are_not_annotated_are_left_out_of_the_scheme():
    statistics = TagStatistics()
    statistics.add([None, "B-LOC", None])
    assert statistics.scheme() == IOB2


def test_small_letters_mark_as_large_ones_do():
    scheme = scheme_of("b-per i-per o b-loc")
    assert scheme.is_outside("o")
    assert spans_of("b-per i-per o b-loc", scheme) == [(0, 2, "per"), (3, 4, "loc")]


def test_parse_splits_at_the_first_separator_only():
    assert IOB2.parse("B-GPE-LOC") == ("B", "GPE-LOC")
    assert TagScheme("IOB2", "suffix").parse("GPE-LOC-B") == ("B", "GPE-LOC")


@pytest.mark.parametrize("tag", ["B-", "B", "o", "LOC", ""])
def test_parse_refuses_a_tag_without_a_mark_or_a_label(tag):
    assert IOB2.parse(tag) is None


def test_inside_after_outside_opens_an_entity_and_says_so():
    assert spans_of("O I-LOC I-LOC", IOB2) == [(1, 3, "LOC")]
    assert repairs_of("O I-LOC I-LOC", IOB2) == ["opens an entity: I-LOC after O"]


def test_type_switch_opens_an_entity_and_says_so():
    assert spans_of("B-ORG I-LOC", IOB2) == [(0, 1, "ORG"), (1, 2, "LOC")]
    assert repairs_of("B-ORG I-LOC", IOB2) == ["", "opens an entity: I-LOC after B-ORG"]


@pytest.mark.parametrize(
    ("tags", "scheme", "how"),
    [
        ("U-X I-X L-X", BILOU, "I-X after U-X"),
        ("S-X E-X", BIOES, "E-X after S-X"),
        ("B-X E-X I-X E-X", BIOES, "I-X after E-X"),
    ],
)
def test_inside_after_a_closed_entity_opens_one_and_says_so(tags, scheme, how):
    assert repairs_of(tags, scheme) == ["", f"opens an entity: {how}"]


def test_entity_without_an_end_is_kept_and_says_so():
    assert spans_of("B-X I-X O", BIOES) == [(0, 2, "X")]
    assert repairs_of("B-X I-X O", BIOES) == ["not closed: ends with I-X"]


def test_iob1_needs_no_repair_where_an_entity_starts_with_inside():
    assert repairs_of("O I-LOC B-LOC I-PER", IOB1) == ["", "", ""]


def test_io_joins_neighbours_of_one_type():
    assert spans_of("PER PER LOC O PER", IO) == [(0, 2, "PER"), (2, 3, "LOC"), (4, 5, "PER")]


def test_repair_of_a_suffix_tag_names_the_tag_as_it_stands_in_the_file():
    assert repairs_of("ORG-B LOC-I", TagScheme("IOB2", "suffix"))[-1] == "opens an entity: LOC-I after ORG-B"


def test_missing_tag_ends_an_entity():
    assert list(decode_tags(["B-X", None, "I-X"], IOB2)) == [
        TagSpan(0, 1, "X"),
        TagSpan(2, 3, "X", "opens an entity: I-X after a token that is not annotated"),
    ]
