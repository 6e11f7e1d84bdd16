import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.corpus.tokenizer import create_tokenizer

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "domain_ner.Tokenizer.v1"}}}


@pytest.fixture(scope="module")
def tokenize():
    return create_tokenizer()(spacy.blank("en"))


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("set MAX_RETRIES=5 now", "MAX_RETRIES"),
        ("see https://api.example.io/v2/orders?x=1", "/v2/orders"),
        ("path=/v1/logs/{id}.", "/v1/logs/{id}"),
        ("“Redis”", "Redis"),
        ("`retry.backoff_ms`: 250", "retry.backoff_ms"),
        ("Jaeger/OpenTelemetry SDK", "OpenTelemetry SDK"),
        ("Redis's memory", "Redis"),
        ("a Redis-backed cache", "Redis"),
        ("the Integration CoE.", "Integration CoE"),
        ("Look in Control-M.", "Control-M"),
        ("pin lodash@4.17.21, please", "lodash@4.17.21"),
        ("ask SRE…", "SRE"),
        ("in S3.", "S3"),
        ("runs on ack-jkt-b.", "ack-jkt-b"),
    ],
)
def test_names_stand_apart_from_what_is_around_them(tokenize, text, entity):
    start = text.index(entity)
    assert tokenize(text).char_span(start, start + len(entity)) is not None


@given(st.text())
def test_the_text_is_never_altered(tokenize, text):
    assert tokenize(text).text == text


def test_is_found_by_name_and_survives_the_disk(tmp_path):
    nlp = spacy.blank("en", config=CONFIG)
    text = 'KEY=1 "https://a.b/c/d" don\'t'
    nlp.to_disk(tmp_path / "nlp")
    assert [token.text for token in spacy.load(tmp_path / "nlp")(text)] == [token.text for token in nlp(text)]


@pytest.mark.parametrize("lang", ["de", "fr", "es", "xx"])
def test_other_languages(lang):
    nlp = spacy.blank(lang, config=CONFIG)
    assert "KEY" in [token.text for token in nlp("KEY=1")]
