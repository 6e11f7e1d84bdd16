"""The memory of a process that predicts stays within bounds: its pipeline is loaded anew when it has grown."""

import pytest
import spacy
from fragile_pipelines import ruler

from domain_ner.annotating import memory
from domain_ner.annotating.memory import FreshPipeline, resident


def test_it_is_loaded_once_while_the_process_does_not_grow():
    fresh = FreshPipeline(lambda: spacy.blank("en"))
    assert fresh.n_loaded == 0 and fresh.get() is fresh.get() and fresh.n_loaded == 1


def test_it_is_loaded_anew_when_the_process_has_grown(monkeypatch):
    sizes = iter([100, 150, 201, 120, 190, 210, 230])
    monkeypatch.setattr(memory, "resident", lambda: next(sizes))
    fresh = FreshPipeline(lambda: spacy.blank("en"), max_growth=100)
    first = fresh.get()  # 100
    assert fresh.get() is first  # 150
    second = fresh.get()  # 201: loaded anew, 120
    assert second is not first and fresh.get() is second  # 190
    assert fresh.get() is second  # 210, not yet 120 + 100


def test_where_the_system_says_nothing_it_stays(monkeypatch):
    monkeypatch.setattr(memory, "resident", lambda: 0)
    fresh = FreshPipeline(lambda: spacy.blank("en"), max_growth=0)
    assert fresh.get() is fresh.get()


@pytest.mark.slow
def test_new_words_do_not_fill_the_memory(tmp_path):
    pipeline = ruler(tmp_path / "ruler")
    fresh = FreshPipeline(lambda: spacy.load(pipeline), max_growth=4_000_000)
    fresh.get()
    begun = resident()
    for number in range(0, 60_000, 200):
        nlp = fresh.get()
        with nlp.memory_zone():
            for text in nlp.pipe([f"word{n} and name{n}x at {n}" for n in range(number, number + 200)]):
                assert text
    assert resident() - begun < 40_000_000 and fresh.n_loaded < 10
