"""What is kept of each text: entities by visible characters, candidates, one for each text."""

import spacy

from domain_ner.annotating.reading import Document
from domain_ner.reviewing.places import place
from domain_ner.reviewing.population import scan


def documents(*texts):
    return [Document(f"d{number}", f"raw:{number}", text) for number, text in enumerate(texts)]


def ruler(*names):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "INFRA", "pattern": name} for name in names])
    return nlp


def test_a_place_ignores_white_space_and_the_form_of_accents():
    assert place("Caf\u00e9  Redis", 6, 11, "A") == place("\n Cafe\u0301\u00a0Redis", 8, 13, "A") == (4, 9, "A")


def test_repeated_and_wordless_documents_are_counted_and_left_out():
    scanned = scan(ruler("Redis"), documents("Redis is up.", "", " Redis  is up.", "\n", "Fine."))
    assert [passage.id for passage in scanned.passages] == ["d0", "d4"]
    assert (scanned.n_documents, scanned.n_repeated, scanned.n_wordless, scanned.n_failed) == (5, 1, 2, 0)
    assert [passage.number for passage in scanned.passages] == [0, 4]
    assert scanned.labels == ["INFRA"]


def test_a_document_on_which_the_pipeline_fails_costs_only_itself():
    nlp = ruler("Redis")

    @spacy.Language.component("fails_on_kafka")
    def fails_on_kafka(doc):
        if "Kafka" in doc.text:
            raise ValueError(doc.text)
        return doc

    nlp.add_pipe("fails_on_kafka")
    scanned = scan(nlp, documents("Redis is up.", "Kafka is up.", "Fine."))
    assert [passage.id for passage in scanned.passages] == ["d0", "d2"]
    assert scanned.n_failed == 1


def test_the_frame_has_what_is_found_by_type():
    scanned = scan(ruler("Redis", "Kafka"), documents("Redis and Kafka.", "Fine."))
    frame = scanned.frame(["INFRA", "TEAM"])
    assert frame.counts.tolist() == [[2, 0], [0, 0]]
    assert frame.least.tolist() == [1, 1]  # the rules give no confidence
    assert frame.spurious[0, 0] > 0
