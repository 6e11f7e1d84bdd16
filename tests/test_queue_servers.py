"""The parts of `benchmark-queue-servers` that need no server: each difference is found and named."""

import json
import sys
from dataclasses import replace

import pytest
from conftest import ROOT

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.errors import DomainNerError
from domain_ner.writers.queues import write_queue

sys.path.append(str(ROOT / "benchmarks"))

from _servers.environments import chosen
from _servers.queue_desks import TOOLS, label_studio_result, label_studio_shown
from _servers.queues import BLIND, HARD, NEXT_BATCH, SUGGEST, Queue, Shown, Task, differences, harder, read_tasks
from queue_servers import losses

TEXT = "🧯 Redis is down, ask Payments."
REDIS, PAYMENTS, WRONG = LabelledSpan(2, 7, "INFRA"), LabelledSpan(21, 29, "TEAM"), LabelledSpan(8, 10, "TEAM")
META = {"org": "zorp", "why": "unsure", "priority": 2.5}
GOLD = Passage(TEXT, (REDIS, PAYMENTS), "x:1", {"org": "zorp"}, document="d1")
TASK = Task(GOLD, (REDIS, WRONG), META, 0.25)


def queue(tmp_path, name=NEXT_BATCH, task=TASK):
    return Queue(name, tmp_path, [task], "en_p 1.0.0")


def shown(meta=META, suggested=TASK.suggested, document="d1"):
    carried = {"domain_ner": json.dumps({"document": document, "meta": meta})}
    return Shown(TEXT, suggested, carried, meta, "en_p 1.0.0 abc", 0.25)


def told(tmp_path, one, name=NEXT_BATCH, task=TASK):
    return list(differences(queue(tmp_path, name, task), [one]))


def test_what_is_shown_as_it_was_written_does_not_differ(tmp_path):
    assert not told(tmp_path, shown())
    assert not told(tmp_path, replace(shown(), model=None, score=None))
    assert not told(tmp_path, shown(meta={}), SUGGEST, replace(TASK, meta={}))
    blind = replace(shown(meta={}, suggested=()), model="", score=None)
    assert not told(tmp_path, blind, BLIND, replace(TASK, meta={}, suggested=()))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"suggested": (REDIS, PAYMENTS)}, "missing are 8-10 TEAM; not expected are 21-29 TEAM"),
        ({"text": TEXT + " "}, "its text is missing"),
        ({"model": "other"}, "suggested by 'other'"),
        ({"model": ""}, "suggested by ''"),
        ({"score": None}, "with score None"),
        ({"carried": {}}, "the id and the meta are missing"),
        ({"carried": shown(document="1").carried}, "the id is '1'"),
        ({"carried": shown(meta={"why": "unsure", "priority": 2.5}).carried}, "meta is"),
        ({"seen": {}}, "the reason is shown as None"),
    ],
)
def test_each_difference_is_named(tmp_path, change, line):
    found = told(tmp_path, replace(shown(), **change))
    assert any(line in one for one in found) and any("d1" in one for one in found)


def test_suggestions_in_a_blind_task_are_named(tmp_path):
    task = replace(TASK, meta={}, suggested=())
    assert len(told(tmp_path, shown(meta={}), BLIND, task)) == 2


def test_another_order_is_named(tmp_path):
    other = replace(TASK, gold=replace(GOLD, text="Nothing.", document="d2"))
    tasks = Queue(NEXT_BATCH, tmp_path, [TASK, other], "en_p 1.0.0")
    lines = list(differences(tasks, [replace(shown(document="d2"), text="Nothing."), shown()]))
    assert lines == ["the order of the 2 tasks is not that of the file"]


def test_an_answer_that_does_not_come_back_whole_is_named(tmp_path):
    back = replace(GOLD, meta=META)
    changed = [replace(back, spans=(REDIS,)), replace(back, document="1"), replace(back, meta={"org": "zorp"})]
    assert not list(losses(queue(tmp_path), {TEXT: back}))
    assert all(len(list(losses(queue(tmp_path), {TEXT: one}))) == 1 for one in changed)
    assert len(list(losses(queue(tmp_path), {"Other.": back}))) == 2


def label_studio_task(tmp_path):
    passage = replace(GOLD, spans=TASK.suggested, meta=META, scores={REDIS: 0.5, WRONG: 0.25})
    files = write_queue([passage], tmp_path / "tasks", lang="en", model_version="en_p 1.0.0")
    (given,) = json.loads(next(path for path in files if "label_studio" in path.name).read_text(encoding="utf8"))
    return given


def test_tasks_are_read_as_label_studio_gets_them(tmp_path):
    given = label_studio_task(tmp_path)
    (task,) = read_tasks(tmp_path, {TEXT: GOLD})
    assert (task, task.is_right) == (TASK, False)
    assert not told(tmp_path, label_studio_shown(given))


def test_an_answer_keeps_right_regions_and_adds_missing_ones(tmp_path):
    given = label_studio_task(tmp_path)
    kept, added = label_studio_result(given, TASK)
    assert kept == given["predictions"][0]["result"][0]
    assert added["value"] == {"start": 21, "end": 29, "text": "Payments", "labels": ["TEAM"]}


def test_a_region_with_other_words_is_an_error(tmp_path):
    given = label_studio_task(tmp_path)
    given["predictions"][0]["result"][0]["value"]["start"] += 1
    with pytest.raises(DomainNerError, match="other words"):
        label_studio_shown(given)


def test_hard_characters_move_the_gold_entities():
    for number in range(2 * len(HARD)):
        passage = harder(replace(GOLD, document=""), number)
        words = [passage.text[one.start : one.end] for one in passage.spans]
        assert (words, passage.text.endswith(TEXT), passage.document) == (
            ["Redis", "Payments"], True, f"passage {number}",
        )  # fmt: skip


def test_an_unknown_tool_is_an_error():
    with pytest.raises(DomainNerError, match="doccano, label_studio"):
        chosen("doccano, prodigy", TOOLS)
