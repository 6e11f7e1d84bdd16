import tracemalloc

import pytest
import spacy
from spacy.tokens import DocBin, Span

from domain_ner.corpus.corpus_file import CorpusFile
from domain_ner.corpus.docs import to_docbin


def docs(n=5):
    nlp = spacy.blank("en")
    made = []
    for i in range(n):
        doc = nlp.make_doc(f"Redis {i} fails on day {i} 🔥.")
        doc.ents = [Span(doc, 0, 1, label="INFRA")]
        doc.spans["sc"] = [Span(doc, 0, 1, label="INFRA"), Span(doc, 0, 2, label="SERVICE")]
        doc.user_data["source"] = f"a:{i}"
        made.append(doc)
    made[-1].set_ents([], default="missing")
    return [*made, nlp.make_doc("")]


def told(read):
    return [
        (doc.text, [(ent.text, ent.label_) for ent in doc.ents], [token.ent_iob for token in doc],
         [(span.text, span.label_) for span in doc.spans.get("sc", [])], doc.user_data, doc.has_unknown_spaces)
        for doc in read.get_docs(spacy.blank("en").vocab)
    ]  # fmt: skip


def test_spacy_reads_back_what_its_own_docbin_would_hold(tmp_path):
    corpus = CorpusFile()
    for doc in docs():
        corpus.add(doc)
    corpus.write(tmp_path / "x.spacy")
    written = DocBin().from_disk(tmp_path / "x.spacy")
    assert len(corpus) == len(written) == 6
    assert told(written) == told(DocBin().from_bytes(to_docbin(docs()).to_bytes()))


@pytest.mark.parametrize("times", [1, 2])
def test_it_can_be_written_more_than_once_and_added_to(tmp_path, times):
    corpus = CorpusFile()
    for n in range(times):
        corpus.add(docs(1)[0])
        corpus.write(tmp_path / "x.spacy")
        assert len(DocBin().from_disk(tmp_path / "x.spacy")) == n + 1


def test_no_documents_are_a_corpus_too(tmp_path):
    CorpusFile().write(tmp_path / "x.spacy")
    assert len(DocBin().from_disk(tmp_path / "x.spacy")) == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_documents(tmp_path):
    doc = spacy.blank("en").make_doc("word " * 2_000)
    tracemalloc.start()
    corpus = CorpusFile()
    for _ in range(200):
        corpus.add(doc)
    corpus.write(tmp_path / "x.spacy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
