"""Scores on real corpora, of a recogniser that knows the names of its training data by heart, against seqeval,
nervaluate and spaCy's own scorer. `pytest --corpora FOLDER` names the folder that holds wnut17 and so.
"""

from collections import Counter
from pathlib import Path

import pytest
import spacy
from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.evaluation.predicting import evaluate_pipeline, input_doc
from domain_ner.metrics.schemes import EXACT, PARTIAL, STRICT, TYPE, match

ROOT = Path(__file__).parents[2]


def conll(path):
    """The sentences of a file, a word and an IOB2 tag in each line."""
    nlp, docs = spacy.blank("en"), []
    for block in path.read_text("utf8").strip().split("\n\n"):
        words, tags = zip(*(line.split("\t") for line in block.splitlines()), strict=True)
        docs.append(Doc(nlp.vocab, words=words, ents=list(tags)))
    return docs


def example():
    """The shipped annotations, one document for each text; every fourth is tested."""
    read = read_annotations(ROOT / "assets" / "annotations", ImportSettings(prefer=["*"]))
    rules, docs = DocRules(create_tokenizer()(spacy.blank("en"))), []
    for passage in read.merged:
        docs.append(make_doc(passage, rules).doc)
    return [doc for n, doc in enumerate(docs) if n % 4], docs[::4]


@pytest.fixture(scope="module", params=["example", "wnut17", "so"])
def tested(request):
    """Gold documents, those predicted, and both as entities in tokens."""
    if request.param == "example":
        train, gold = example()
    else:
        folder = request.config.getoption("--corpora")
        if not folder:
            pytest.skip("give the folder of the corpora: pytest --corpora FOLDER")
        train, gold = (conll(Path(folder) / request.param / f"{split}.conll") for split in ("train", "test"))
    nlp = spacy.blank("en")
    names = {(ent.text, ent.label_) for doc in train for ent in doc.ents if len(ent.text) > 1}
    ruler = nlp.add_pipe("entity_ruler")
    # And it takes words in title case for names of the commonest type, for in wnut17 no name is in both halves.
    common = Counter(ent.label_ for doc in train for ent in doc.ents).most_common(1)[0][0]
    ruler.add_patterns([{"label": common, "pattern": [{"IS_TITLE": True, "OP": "+"}]}])
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in sorted(names)])
    predicted = []
    for doc in gold:
        copy = Doc(nlp.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
        predicted.append(ruler(copy))
    pairs = [
        tuple([(e.start, e.end, e.label_) for e in doc.ents] for doc in two)
        for two in zip(gold, predicted, strict=True)
    ]
    assert sum(len(one) for one, _ in pairs) > 500 and sum(len(one) for _, one in pairs) > 50
    return nlp, gold, predicted, pairs


def test_agrees_with_seqeval(tested):
    metrics = pytest.importorskip("seqeval.metrics")
    scheme = pytest.importorskip("seqeval.scheme")
    _, gold, predicted, pairs = tested
    tags = [
        [[t.ent_iob_ + (f"-{t.ent_type_}" if t.ent_type_ else "") for t in doc] for doc in docs]
        for docs in (gold, predicted)
    ]
    report = metrics.classification_report(*tags, output_dict=True, mode="strict", scheme=scheme.IOB2, zero_division=0)
    ours = match(pairs, STRICT)
    theirs = report["micro avg"]
    assert (ours.precision, ours.recall, ours.f1) == pytest.approx(
        (theirs["precision"], theirs["recall"], theirs["f1-score"])
    )
    assert 0.02 < ours.f1 < 0.98


def test_agrees_with_nervaluate(tested):
    nervaluate = pytest.importorskip("nervaluate")
    pairs = tested[-1]
    labels = sorted({one[2] for both in pairs for some in both for one in some})
    golden, predicted = (
        [[{"label": label, "start": start, "end": end - 1} for start, end, label in pair[n]] for pair in pairs]
        for n in (0, 1)
    )
    theirs = nervaluate.Evaluator(golden, predicted, tags=labels, loader="dict").evaluate()["overall"]
    for name, other in ((STRICT, "strict"), (EXACT, "exact"), (PARTIAL, "partial"), (TYPE, "ent_type")):
        ours, found = match(pairs, name), theirs[other]
        counted = (found.correct, found.incorrect, found.partial, found.missed, found.spurious)
        assert (ours.n_correct, ours.n_incorrect, ours.n_partial, ours.n_missed, ours.n_spurious) == counted, name
        assert ours.f1 == pytest.approx(found.f1)


def test_evaluate_agrees_with_spacys_scorer_by_type(tested):
    nlp, gold, *_ = tested
    for doc in gold:
        doc.user_data.setdefault("source", "a:1")
    docs = [nlp(input_doc(nlp, doc)) for doc in gold]
    scored = Scorer.score_spans([Example(doc, one) for doc, one in zip(docs, gold, strict=True)], "ents", getter=ents)
    found = evaluate_pipeline(nlp, gold).scores
    assert (found.micro.precision, found.micro.recall, found.micro.f1) == pytest.approx(
        (scored["ents_p"], scored["ents_r"], scored["ents_f"])
    )
    for label, theirs in scored["ents_per_type"].items():
        ours = found.by_type[label]
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx((theirs["p"], theirs["r"], theirs["f"])), label


def ents(doc: Doc, _: str) -> list[Span]:
    return list(doc.ents)
