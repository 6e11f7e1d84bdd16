"""GLiNER as a source: long texts, the guide's labels and rules; a real, tiny model where the package is installed."""

import pytest
import tiny_encoders
from asked import GUIDE

from domain_ner.drafting.gliner import WINDOW_WORDS, GlinerSource, load_gliner
from domain_ner.drafting.sources import Setup, make_sources
from domain_ner.errors import DomainNerError
from domain_ner.guide.legality import SpanRules

TEXT = "The Payments squad moved Redis behind checkout-api."


class Finder:
    """Finds one word in each window, as GLiNER would answer."""

    def __init__(self, word, label, scores=(0.9,)):
        self.word, self.label, self.scores, self.asked = word, label, list(scores), []

    def predict_entities(self, text, labels, threshold):
        self.asked.append((text, labels, threshold))
        score = self.scores[min(len(self.asked), len(self.scores)) - 1]
        start = text.find(self.word)
        while start >= 0:
            yield {"start": start, "end": start + len(self.word), "label": self.label, "score": score}
            start = text.find(self.word, start + 1)


def test_what_is_found_in_windows_has_its_place_in_the_text_and_the_best_score():
    text = "one " * (WINDOW_WORDS - 10) + "Redis " + "two " * 300 + "Redis"
    model = Finder("Redis", "infra", scores=(0.6, 0.9, 0.7))
    (done,) = GlinerSource(model, GUIDE, 0.3).propose([text])
    assert [text[span.start : span.end] for span in done.scores] == ["Redis", "Redis"]
    assert list(done.scores.values()) == [0.9, 0.7] and {span.label for span in done.scores} == {"INFRA"}
    assert model.asked[0][1:] == (["service", "infra", "team", "endpoint"], 0.3)


def test_what_the_guide_forbids_is_rejected_with_the_reason():
    (done,) = GlinerSource(Finder("The Payments squad", "team"), GUIDE).propose([TEXT])
    assert not done.scores and done.rejected == {"article": 1}


def test_without_the_package_or_a_model_the_error_says_what_to_do():
    with pytest.raises(DomainNerError, match="gliner"):
        load_gliner("/no/such/model")


@pytest.mark.slow
def test_a_tiny_model_of_the_package_proposes_legal_spans(tmp_path):
    """With random weights: what it finds means nothing, but goes all the way."""
    gliner = pytest.importorskip("gliner")
    encoder = tiny_encoders.build("bert", tmp_path / "encoder", [TEXT] * 50)
    config = gliner.GLiNERConfig(
        model_name=str(encoder), hidden_size=tiny_encoders.WIDTH, max_width=6, max_len=200, span_mode="markerV0"
    )
    gliner.GLiNER.from_config(config).save_pretrained(tmp_path / "model")
    (source,) = make_sources(Setup(GUIDE, gliner=str(tmp_path / "model"), gliner_threshold=0.0))
    texts = [TEXT, "", TEXT * 50, "😀 Redis é /v1/x"]
    done = list(source.propose(texts))
    assert len(done) == 4 and done[0].scores and not done[1].scores and len(done[2].scores) > 50
    rules = SpanRules.of(GUIDE)
    for text, proposals in zip(texts, done, strict=True):
        assert all(not list(rules.faults(text, span)) for span in proposals.scores)
        assert all(0 <= score <= 1 for score in proposals.scores.values())
