import pytest

from domain_ner.metrics.scores import Score, score_entities


def test_counts_only_exact_matches():
    gold = [(0, 5, "TEAM"), (10, 15, "INFRA")]
    predicted = [(0, 5, "TEAM"), (10, 14, "INFRA"), (20, 22, "INFRA")]
    scores = score_entities([(gold, predicted)])
    assert scores.by_type["TEAM"] == Score(n_correct=1, n_predicted=1, n_gold=1)
    assert scores.by_type["INFRA"] == Score(n_correct=0, n_predicted=2, n_gold=1)
    assert scores.micro == Score(n_correct=1, n_predicted=3, n_gold=2)


def test_a_right_span_with_the_wrong_label_is_missing_and_spurious():
    scores = score_entities([([(0, 5, "TEAM")], [(0, 5, "INFRA")])])
    assert scores.by_type == {"INFRA": Score(0, 1, 0), "TEAM": Score(0, 0, 1)}


def test_entities_of_different_documents_do_not_match():
    scores = score_entities([([(0, 5, "TEAM")], []), ([], [(0, 5, "TEAM")])])
    assert scores.micro == Score(0, 1, 1)


def test_figures():
    score = Score(n_correct=2, n_predicted=4, n_gold=8)
    assert (score.precision, score.recall, score.f1) == (0.5, 0.25, pytest.approx(1 / 3))


def test_nothing_predicted_and_nothing_gold_is_zero_not_an_error():
    scores = score_entities([([], [])])
    assert scores.micro.f1 == scores.macro_f1 == 0.0


def test_macro_leaves_out_a_type_that_the_gold_does_not_have():
    scores = score_entities([([(0, 1, "A"), (2, 3, "B")], [(0, 1, "A"), (5, 6, "C")])])
    assert scores.macro_f1 == pytest.approx(0.5)


def test_agrees_with_spacys_scorer(example_rows):
    """The same figures as spaCy's own, on gold documents with every third entity dropped or relabelled."""
    import spacy
    from spacy.scorer import Scorer
    from spacy.training import Example

    from domain_ner.annotations.passages import LabelledSpan, Passage
    from domain_ner.corpus.docs import DocRules, entities, make_doc
    from domain_ner.corpus.tokenizer import create_tokenizer

    nlp = spacy.blank("en")
    spans = [tuple(LabelledSpan(s["start"], s["end"], s["label"]) for s in row["spans"]) for row in example_rows[:60]]
    passages = [Passage(row["text"], span, "x:1") for row, span in zip(example_rows, spans, strict=False)]
    rules = DocRules(create_tokenizer()(nlp))
    gold, predicted = ([make_doc(passage, rules).doc for passage in passages] for _ in range(2))
    for n, doc in enumerate(predicted):
        kept = [ent for i, ent in enumerate(doc.ents) if (i + n) % 3]
        doc.ents = [
            doc.char_span(e.start_char, e.end_char, "TEAM" if i % 4 == 0 else e.label_) for i, e in enumerate(kept)
        ]
    theirs = Scorer.score_spans([Example(p, g) for p, g in zip(predicted, gold, strict=True)], "ents")
    ours = score_entities((entities(g), entities(p)) for g, p in zip(gold, predicted, strict=True))
    assert ours.micro.f1 == pytest.approx(theirs["ents_f"])
    for label, figures in theirs["ents_per_type"].items():
        assert ours.by_type[label].precision == pytest.approx(figures["p"])
        assert ours.by_type[label].recall == pytest.approx(figures["r"])
