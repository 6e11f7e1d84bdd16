"""Raw texts, labelled by a pipeline and by other sources."""

import pytest
import spacy
from watched import passages, trained

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.pseudo_labels.combining import Source, label_texts
from domain_ner.pseudo_labels.completing import Limits
from domain_ner.pseudo_labels.raw_texts import new_texts

GIVEN = passages(40, "raw")
TEXTS = [text for text, _ in GIVEN]
LABELS = frozenset({"INFRA", "TEAM"})


@pytest.fixture
def nlp(tmp_path_factory):
    return spacy.load(trained(tmp_path_factory.getbasetemp() / "watched") / "model")


def labelled(nlp, texts, sources=(), **limits):
    passages_, done = label_texts(nlp, texts, sources, Limits(**limits))
    return list(passages_), done


def source(annotated, name="drafts", labels=LABELS, **fields):
    made = {text: Passage(text, tuple(sorted(spans)), "d:1", **fields) for text, spans in annotated.items()}
    return Source(name, made, labels)


def test_what_the_pipeline_is_sure_of_is_an_entity(nlp):
    found, done = labelled(nlp, TEXTS, sure=0.5)
    expected = [tuple(sorted(LabelledSpan(*entity) for entity in entities)) for _, entities in GIVEN]
    assert [one.spans for one in found] == expected
    assert done.n_passages == 40 and sum(done.entities.values()) == sum(map(len, expected))


def test_what_it_is_unsure_of_is_unknown_and_nothing_is_both(nlp):
    found, done = labelled(nlp, TEXTS, sure=0.9999, possible=0.05)
    assert done.n_unknown > 0 and sum(done.entities.values()) < sum(len(entities) for _, entities in GIVEN)
    for one in found:
        taken = {place for span in one.spans for place in range(span.start, span.end)}
        assert not taken & {place for start, end in one.unknown for place in range(start, end)}


def test_a_good_source_makes_sure_and_a_type_it_does_not_look_for_stays(nlp):
    truth = {text: [LabelledSpan(*one) for one in entities if one[2] == "INFRA"] for text, entities in GIVEN}
    limits = {"sure": 0.9995, "possible": 0.05}
    alone, _ = labelled(nlp, TEXTS, **limits)
    found, done = labelled(nlp, TEXTS, [source(truth, labels=frozenset({"INFRA"}))], **limits)

    def count(some, label):
        return sum(span.label == label for one in some for span in one.spans)

    assert count(found, "INFRA") > count(alone, "INFRA") and count(found, "TEAM") == count(alone, "TEAM")
    assert done.named["drafts"]["INFRA"] > 0.8 and done.misnamed["drafts"]["INFRA"] < 0.3


def test_a_source_that_guesses_is_not_believed(nlp):
    wrong = {text: [LabelledSpan(0, len(text.split()[0]), "TEAM")] for text in TEXTS}
    found, done = labelled(nlp, TEXTS, [source(wrong)], sure=0.9)
    assert all(span not in one.spans for one in found for span in wrong[one.text])
    assert done.named["drafts"]["TEAM"] < 0.5


def test_a_source_says_nothing_of_what_it_left_open(nlp):
    """Of a passage of yes/no answers, and of an unknown range, no missing span is a vote against it."""
    plain, _ = labelled(nlp, TEXTS, sure=0.9)
    for fields in ({"partial": True}, {"unknown": ((0, 500),)}):
        found, _ = labelled(nlp, TEXTS, [source({text: [] for text in TEXTS}, **fields)], sure=0.9)
        assert [one.spans for one in found] == [one.spans for one in plain]
    against, _ = labelled(nlp, TEXTS, [source({text: [] for text in TEXTS})], sure=0.9)
    assert sum(len(one.spans) for one in against) <= sum(len(one.spans) for one in plain)


def test_spans_within_tokens_and_unknown_types_are_left_out(nlp):
    text = "Ask the Payments squad why."
    odd = {text: [LabelledSpan(1, 5, "TEAM"), LabelledSpan(0, 3, "ANIMAL")]}
    (one,), done = labelled(nlp, [text], [source(odd)], sure=0.5)
    assert done.n_outside == 1 and {span.label for span in one.spans} <= LABELS


def test_an_empty_text_is_a_passage_too(nlp):
    found, done = labelled(nlp, ["", "Redis was slow at noon."], sure=0.5)
    assert [len(one.spans) for one in found] == [0, 1] and done.n_passages == 2


def test_new_texts_are_no_copies_of_known_ones():
    known = "The Payments squad restarted Redis and Kafka at noon because the queue was full of old messages."
    near = known.replace("messages", "jobs")
    assert new_texts([known, near, "Something else.", " ", "Something else."], [known]) == ["Something else."]
    assert new_texts(["a", "b"], []) == ["a", "b"]
