"""A thousand passages against a server that fails, hangs and lies; `kill -9` half-way; Ctrl-C. All of it takes long."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from asked import GUIDE, NAMES, QUICK
from conftest import GUIDE as EXAMPLE
from conftest import ROOT
from llm_server import Behaviour, serving, wait_for
from pipelines import run

from domain_ner.drafting.run import draft
from domain_ner.drafting.sources import Setup, make_sources, read_weights
from domain_ner.guide.legality import SpanRules
from domain_ner.llm.budget import Limits, Prices
from domain_ner.llm.retrying import Retries
from domain_ner.llm.session import LlmSettings, open_llm

pytestmark = pytest.mark.slow

RULES = SpanRules.of(GUIDE)
TEXTS = [f"The Payments squad moved Redis to node {number} behind checkout-api." for number in range(1000)]
FAILURES = ("status_500", "status_429", "hang_up", "truncated", "broken_json", "broken_stream")


def failing(seed):
    """20 % of all calls fail, 5 % hang or drip, 5 % lie; by text and call, so that a run can be repeated."""

    def fail(text, number):
        chance = random.Random(f"{seed} {text} {number}")
        draw = chance.random()
        if draw < 0.20:
            return chance.choice(FAILURES)
        if draw < 0.25:
            return chance.choice(("hang", "drip_body", "drip_headers"))
        return "lie" if draw < 0.30 else None

    return fail


def drafted(settings, texts=TEXTS):
    with open_llm(settings, GUIDE) as session:
        setup = Setup(GUIDE, extractor=session.extractor, n_threads=settings.n_threads, stop=session.client.close)
        done = draft(texts, make_sources(setup), read_weights(""), RULES)
    return done, session


def settings_of(url, cache, **changes):
    given = {"timeout_s": 1.0, "retries": Retries(n=8, first_s=0.001, longest_s=0.01), "n_threads": 8}
    return LlmSettings(url, "m", cache=cache, **given | changes)


def test_a_thousand_passages_with_failures_lies_and_hangs_lose_nothing_and_come_from_the_cache_next_time(tmp_path):
    does = Behaviour(NAMES, failing(1))
    with serving(does) as url:
        settings = settings_of(url, tmp_path)
        first, session = drafted(settings)
        assert len(first.voted) == len(first.order) == 1000 and sorted(first.order) == list(range(1000))
        counts = first.counts["llm"]
        assert counts.n_read + counts.failed.total() == 1000 and counts.n_read >= 995
        assert session.budget.calls >= does.n_calls > 1300
        for text, voted in zip(TEXTS, first.voted, strict=True):
            for span in voted.scores:
                assert text[span.start : span.end] in NAMES and not list(RULES.faults(text, span))
        assert counts.rejected and set(counts.rejected) <= {
            "not in the text", "illegal label", "only inside words", "no such occurrence", "without a text", "article"
        }  # fmt: skip
        n_calls = does.n_calls
        does.fail = lambda text, number: None
        second, session = drafted(settings)
        assert does.n_calls - n_calls == session.budget.calls <= counts.failed.total() + counts.problems.total()
        third, session = drafted(settings)
        assert session.budget.calls == 0 and not third.counts["llm"].failed
        assert [voted.scores for voted in third.voted] == [voted.scores for voted in second.voted]


@pytest.mark.parametrize(
    "limits", [Limits(calls=500), Limits(tokens=200_000), Limits(money=0.5), Limits(calls=400, tokens=10**6, money=1.0)]
)
def test_a_budget_is_never_passed_by_eight_threads_whatever_fails(tmp_path, limits):
    does = Behaviour(NAMES, failing(2))
    with serving(does) as url:
        changes = {"limits": limits, "prices": Prices(1.0, 4.0), "timeout_s": 0.3}
        done, session = drafted(settings_of(url, tmp_path, **changes), TEXTS[:600])
    budget, counts = session.budget, done.counts["llm"]
    assert counts.failed["budget"] > 0 and counts.n_read + counts.failed.total() == 600
    assert does.n_calls <= budget.calls <= (limits.calls or 10**9)
    assert does.tokens <= budget.spent.total <= (limits.tokens or 10**12)
    assert budget.money <= (limits.money or 10**9)


def command(url, raw, out):
    options = ["--llm", url, "--model", "m", "--timeout", "20", "--concurrency", "4"]
    return [sys.executable, str(ROOT / "scripts" / "draft_annotations.py"), str(EXAMPLE), str(raw), str(out), *options]


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS[:200]), encoding="utf8")
    return path


def slow(text, number):
    def answer(handler, body):
        time.sleep(0.02)
        handler.answer([{"text": "Redis", "label": "INFRA"}], body)

    return answer


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_after_kill_9_and_ctrl_c_the_next_run_asks_only_what_did_not_come_back(raw, tmp_path, number):
    does, out = Behaviour(NAMES, slow), tmp_path / "out"
    with serving(does) as url:
        process = subprocess.Popen(command(url, raw, out), cwd=ROOT, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: does.n_calls >= 80, 60)
        os.kill(process.pid, number)
        _, told = process.communicate(timeout=30)
        assert process.returncode == (-9 if number == signal.SIGKILL else 130)
        assert number == signal.SIGKILL or "is in the cache" in told
        assert not (out / "draft.json").exists()
        n_calls = does.n_calls
        run("draft_annotations", *command(url, raw, out)[2:])
        # At most what the four threads were waiting for is asked again.
        assert 200 - n_calls <= does.n_calls - n_calls <= 200 - n_calls + 4
    kept = json.loads((out / "draft.json").read_text("utf8"))
    assert kept["n_passages"] == 200 and kept["suggestions"]["INFRA"] == 200


def test_two_runs_at_once_share_a_cache(raw, tmp_path):
    does = Behaviour(NAMES, slow)
    cache = ["--cache", str(tmp_path / "cache")]
    with serving(does) as url:
        running = [
            subprocess.Popen([*command(url, raw, tmp_path / name), *cache], cwd=ROOT, stdout=subprocess.DEVNULL)
            for name in "ab"
        ]
        assert [process.wait(120) for process in running] == [0, 0]
        n_calls = does.n_calls
        run("draft_annotations", *command(url, raw, tmp_path / "c")[2:], *cache)
        assert does.n_calls == n_calls


def test_a_passage_of_a_megabyte_is_a_task_and_is_not_sent(tmp_path):
    (tmp_path / "raw.jsonl").write_text(json.dumps({"text": "Redis " * 200_000}) + "\n", encoding="utf8")
    does = Behaviour(NAMES)
    with serving(does) as url:
        asked = ["--llm", url, "--model", "m", "--guide-names"]
        run("draft_annotations", EXAMPLE, tmp_path / "raw.jsonl", tmp_path / "out", *asked)
    kept = json.loads((tmp_path / "out" / "draft.json").read_text("utf8"))
    assert does.n_calls == 0 and kept["suggestions"] == {"INFRA": 200_000}
    assert kept["sources"]["llm"]["failed"] == {"longer than --max-chars": 1}


def test_a_wrong_key_stops_all_threads_at_once(tmp_path):
    from domain_ner.errors import DomainNerError

    does = Behaviour(NAMES, lambda text, number: "hang" if "node 3 " in text else None, key="right")
    with serving(does) as url:
        start = time.monotonic()
        with pytest.raises(DomainNerError, match="answered 401"):
            drafted(settings_of(url, tmp_path, timeout_s=60.0, retries=QUICK))
    assert time.monotonic() - start < 10 and does.n_calls < 40
