"""The vote of the sources, the order of the passages, and the settings of sources."""

from itertools import pairwise

import pytest
from asked import GUIDE

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.drafting.gliner import WINDOW_WORDS, windows
from domain_ner.drafting.proposals import Proposals, screened
from domain_ner.drafting.run import draft
from domain_ner.drafting.sources import Setup, make_sources, read_weights
from domain_ner.drafting.voting import vote
from domain_ner.errors import DomainNerError
from domain_ner.guide.legality import SpanRules

RULES = SpanRules.of(GUIDE)
REDIS, SQUAD = LabelledSpan(0, 5, "INFRA"), LabelledSpan(10, 15, "TEAM")
EVEN = {"a": 1.0, "b": 1.0, "c": 1.0}


class Fixed:
    """A source with the given proposals, by text."""

    def __init__(self, name, by_text):
        self.name, self.by_text, self.n_read = name, by_text, 0

    def propose(self, texts):
        for text in texts:
            self.n_read += 1
            yield self.by_text.get(text, Proposals())


def test_the_score_is_the_weighted_share_that_agrees():
    proposals = {"a": Proposals({REDIS: 1.0}), "b": Proposals({REDIS: 1.0, SQUAD: 0.5}), "c": Proposals()}
    assert vote(proposals, EVEN, RULES).scores == {REDIS: pytest.approx(2 / 3), SQUAD: pytest.approx(1 / 6)}
    weighted = vote(proposals, {"a": 2.0, "b": 1.0, "c": 1.0}, RULES)
    assert weighted.scores == {REDIS: 0.75, SQUAD: 0.125} and weighted.sources[REDIS] == ("a", "b")


def test_a_source_that_failed_has_no_vote_and_is_named():
    voted = vote({"a": Proposals({REDIS: 1.0}), "b": Proposals(failed="budget")}, EVEN, RULES)
    assert voted.scores == {REDIS: 1.0} and voted.disagreement == 0 and voted.failed == {"b": "budget"}
    assert vote({"a": Proposals(failed="budget")}, EVEN, RULES).scores == {}


def test_of_two_labels_that_which_more_sources_give_is_suggested():
    service = LabelledSpan(0, 5, "SERVICE")
    proposals = {"a": Proposals({REDIS: 1.0}), "b": Proposals({service: 1.0}), "c": Proposals({service: 1.0})}
    voted = vote(proposals, EVEN, RULES)
    assert list(voted.scores) == [service] and len(voted.proposed) == 2


def test_the_disagreement_is_one_for_an_even_split_and_none_where_all_agree():
    both = {"a": Proposals({REDIS: 1.0, SQUAD: 1.0}), "b": Proposals({REDIS: 1.0})}
    assert vote(both, EVEN, RULES).disagreement == 1.0
    assert vote({"a": both["a"], "b": both["a"]}, EVEN, RULES).disagreement == 0


def test_what_is_below_the_least_score_is_disputed_but_not_suggested():
    voted = vote({"a": Proposals({REDIS: 1.0}), "b": Proposals()}, EVEN, RULES, min_score=0.6)
    assert not voted.scores and voted.disagreement == 1.0


def test_disputed_passages_come_first_then_those_that_a_source_failed_for():
    agreed, failed = Proposals({REDIS: 1.0}), Proposals(failed="budget")
    texts = ["agreed", "none", "failed", "disputed", "agreed"]
    first = Fixed("a", {"agreed": agreed, "failed": agreed, "disputed": agreed})
    second = Fixed("b", {"agreed": agreed, "failed": failed})
    drafted = draft(texts, [first, second], EVEN, RULES)
    assert [texts[number] for number in drafted.order] == ["disputed", "failed", "agreed", "none", "agreed"]
    assert sorted(drafted.order) == list(range(5))
    # A text that comes twice is read once, and counts twice.
    assert first.n_read == 4 and drafted.counts["a"].n_read == 5 and drafted.counts["a"].proposed == {"INFRA": 4}
    assert drafted.counts["b"].failed == {"budget": 1}


def test_what_the_guide_forbids_is_rejected_and_two_labels_of_one_name_stay():
    text = "Redis the Redis"
    spans = [REDIS, LabelledSpan(0, 5, "SERVICE"), LabelledSpan(0, 5, "X"), LabelledSpan(6, 15, "INFRA")]
    done = screened(text, dict.fromkeys(spans, 0.5), RULES)
    assert list(done.scores) == spans[:2] and done.rejected == {"unknown label": 1, "article": 1}


def test_of_two_that_overlap_the_longer_is_kept_and_the_other_counted():
    longer = LabelledSpan(0, 10, "TEAM")
    done = screened("Redis team", {REDIS: 1.0, longer: 0.5}, RULES)
    assert list(done.scores) == [longer] and done.rejected.total() == 1


@pytest.mark.parametrize("given", ["llm", "llm=0", "llm=-1", "llm=nan", "llm=inf", "other=1", "=1"])
def test_weights_that_make_no_sense_are_refused(given):
    with pytest.raises(DomainNerError, match="--weights"):
        read_weights(given)


def test_weights_are_1_unless_given():
    assert read_weights("llm=2, gliner=0.5") == {"llm": 2.0, "gliner": 0.5, "gazetteer": 1.0}


def test_the_guide_s_names_are_a_source_where_there_is_no_model():
    (only,) = make_sources(Setup(GUIDE))
    assert only.name == "gazetteer" and len(only.names)
    with pytest.raises(DomainNerError, match="no source"):
        make_sources(Setup(GUIDE, has_guide_names=False))


@pytest.mark.parametrize("n_words", [0, 1, WINDOW_WORDS, WINDOW_WORDS + 1, 1000])
def test_windows_cover_every_word_and_each_overlaps_the_next(n_words):
    text = " ".join(f"w{number}" for number in range(n_words))
    cut = list(windows(text))
    assert all(len(text[start:end].split()) <= WINDOW_WORDS for start, end in cut)
    assert {word for start, end in cut for word in text[start:end].split()} == set(text.split())
    for (_, end), (start, _) in pairwise(cut):
        assert start < end
