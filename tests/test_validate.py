"""`validate` on the shipped guide and corpus: clean as they are, and no planted fault is missed."""

import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

import pytest
import srsly
from conftest import ANNOTATIONS, GUIDE, ROOT
from memory import peak_mb
from pipelines import run

from domain_ner.guide.findings import KINDS

PREFER = srsly.read_yaml(ROOT / "project.yml")["vars"]["prefer"]


def run_validate(folder, *options, annotations=ANNOTATIONS, guide=GUIDE):
    """Run the script; returns the finished process and the findings that are more than notes."""
    ran = run("validate_guide", guide, annotations, folder, "--prefer", PREFER, *options, check=False)
    findings = json.loads((folder / "guide.json").read_text(encoding="utf8"))["findings"]
    return ran, [finding for finding in findings if finding["severity"] != "note"]


def test_the_shipped_guide_and_corpus_are_clean(tmp_path):
    ran, findings = run_validate(tmp_path, "--strict")
    assert findings == []
    assert ran.returncode == 0, ran.stdout


class Planter:
    """A copy of the shipped corpus, in which each fault is planted in a row of its own."""

    def __init__(self, folder):
        self.folder = folder / "annotations"
        shutil.copytree(ANNOTATIONS, self.folder)
        self.rows = {
            path.name: path.read_text(encoding="utf8").splitlines() for path in sorted(self.folder.glob("*.jsonl"))
        }
        self.rng = random.Random(0)
        self.used = set()
        texts = [json.loads(line)["text"] for lines in self.rows.values() for line in lines]
        self.once = {text for text in texts if texts.count(text) == 1}
        self.planted = []

    def plant(self, kind, change, accepts=lambda row, span: True):
        """Change a span of a fresh row, `change(row, span)`, and remember that `kind` must be found there."""
        places = [
            (name, n) for name, lines in self.rows.items() for n in range(len(lines)) if (name, n) not in self.used
        ]
        self.rng.shuffle(places)
        for name, n in places:
            row = json.loads(self.rows[name][n])
            fitting = [span for span in row["spans"] if accepts(row, span)]
            if row["answer"] == "accept" and row["text"] in self.once and fitting:
                changed = change(row, fitting[0])
                self.rows[name][n] = changed if isinstance(changed, str) else json.dumps(row)
                self.used.add((name, n))
                self.planted.append((kind, f"{name}:{n + 1}"))
                return
        raise AssertionError(f"no row for {kind}")

    def append(self, kind, row):
        name = max(self.rows)
        self.rows[name].append(json.dumps(row))
        self.planted.append((kind, f"{name}:{len(self.rows[name])}"))

    def write(self):
        for name, lines in self.rows.items():
            (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf8")


def surface(row, span):
    return row["text"][span["start"] : span["end"]]


def of(*labels):
    return lambda row, span: span["label"] in labels


def set_span(**changes):
    def change(row, span):
        span.update({key: value(row, span) if callable(value) else value for key, value in changes.items()})

    return change


def replace_surface(new):
    """Put another name in the place of the span's, moving the spans behind it."""

    def change(row, span):
        made = new(surface(row, span)) if callable(new) else new
        moved, end = len(made) - (span["end"] - span["start"]), span["end"]
        row["text"] = row["text"][: span["start"]] + made + row["text"][end:]
        for other in row["spans"]:
            if other["start"] >= end:
                other["start"] += moved
                other["end"] += moved
        span["end"] += moved

    return change


def frequent(row, span):
    """A name that is annotated often enough that leaving it out shows."""
    return surface(row, span) in {"Redpanda", "ClickHouse", "Grafana", "Ceph", "CockroachDB", "Valkey", "Fastly"} and (
        row["text"].count(surface(row, span)) == 1
    )


def followed_by(chars):
    return lambda row, span: row["text"][span["end"] : span["end"] + 1] in chars and span["end"] < len(row["text"])


def preceded_by(chars):
    return lambda row, span: row["text"][max(0, span["start"] - 1) : span["start"]] in chars and span["start"] > 0


def copy_of(row, **changes):
    return json.loads(json.dumps(row | changes))


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The corpus with the faults, and what must be found where."""
    folder = tmp_path_factory.mktemp("planted")
    p = Planter(folder)
    wider, earlier = (
        set_span(end=lambda row, span: span["end"] + 1),
        set_span(start=lambda row, span: span["start"] - 1),
    )
    for _ in range(3):
        p.plant("unknown label", set_span(label="DATABASE"))
        p.plant("white space", wider, followed_by(" "))
        p.plant("punctuation", wider, followed_by(".,;"))
        p.plant("several labels", set_span(label="CONFIG"), frequent)
        p.plant("skipped", lambda row, span: row["spans"].remove(span), frequent)
        p.plant("rule", replace_surface("MAX_RETRIES=5"), of("CONFIG"))
        p.plant("not an entity", replace_surface("kubectl"), of("INFRA"))
    for _ in range(2):
        p.plant("white space", earlier, preceded_by(" "))
        p.plant("quotes", wider, followed_by('`"'))
        p.plant("possessive", replace_surface(lambda name: f"{name}'s"), of("INFRA", "TEAM"))
        p.plant("article", replace_surface(lambda name: f"the {name}"), of("TEAM"))
        p.plant("rule", replace_surface("v2/orders"), of("ENDPOINT"))
        p.plant("rule", replace_surface("/etc/nginx/nginx.conf"), of("ENDPOINT"))
        p.plant("not an entity", replace_surface("Python"), of("LIBRARY"))
    p.plant("unreadable", set_span(end=99_999))
    p.plant("unreadable", lambda row, span: '{"text": "cut of')
    p.plant("unreadable", set_span(start=-4))
    for answer in ("one", "other"):  # two strangers who do not agree
        spans = [{"start": 4, "end": 9, "label": "INFRA"}] if answer == "other" else []
        stranger = {"text": "The River rose overnight.", "spans": spans, "answer": "accept", "_annotator_id": answer}
        p.append("conflicting", stranger) if spans else p.rows[max(p.rows)].append(json.dumps(stranger))
    p.plant(
        "rule",
        set_span(end=lambda row, span: span["end"] - len(" team")),
        lambda row, span: surface(row, span).endswith(" team"),
    )
    whole = json.loads(p.rows["tillage.jsonl"][0])
    p.append("duplicate", copy_of(whole))
    p.rows["tillage.jsonl"][0] = json.dumps(whole)
    long = json.loads(p.rows["umbrafilm.jsonl"][1])
    p.append("near-duplicate", copy_of(long, text=long["text"] + " That is all for now.", _input_hash=1))
    p.write()
    ran, findings = run_validate(folder / "reports", annotations=p.folder)
    return p.planted, findings, ran


def test_forty_faults_are_planted_of_every_kind_that_annotations_can_have(planted):
    faults, _, _ = planted
    assert len(faults) >= 40
    of_corpus = {
        "too few mentions",
        "one surface dominates",
        "nested",
    }  # told of a whole type; Prodigy spans never nest
    of_guide = {kind for kind in KINDS if "example" in kind or "guide" in kind or kind in ("markup", "few edge cases")}
    notes = {kind for kind, (severity, _) in KINDS.items() if severity == "note"}
    assert {kind for kind, _ in faults} == set(KINDS) - of_corpus - of_guide - notes


def test_every_planted_fault_is_found_where_it_is(planted):
    faults, findings, ran = planted
    found = {(finding["kind"], finding["source"]) for finding in findings}
    assert [fault for fault in faults if fault not in found] == []
    assert ran.returncode == 1


def test_little_else_is_found(planted):
    """A fault may show in several ways, but only where one was planted, or at a mention of the same name."""
    faults, findings, _ = planted
    sources = {source for _, source in faults}
    elsewhere = [finding for finding in findings if finding["source"] not in sources]
    assert elsewhere == []


@pytest.mark.slow
def test_warnings_let_the_run_go_on_and_strict_does_not(tmp_path):
    p = Planter(tmp_path)
    p.plant("article", replace_surface(lambda name: f"the {name}"), of("TEAM"))
    p.write()
    assert run_validate(tmp_path / "reports", annotations=p.folder)[0].returncode == 0
    ran, _ = run_validate(tmp_path / "reports", "--strict", annotations=p.folder)
    assert ran.returncode == 1
    assert "begins with an article" in ran.stdout


def test_findings_of_one_kind_are_folded_on_the_screen_and_all_in_the_json(tmp_path):
    (tmp_path / "annotations").mkdir()
    with (tmp_path / "annotations" / "export.jsonl").open("w", encoding="utf8") as stream:
        for n in range(300):
            span = {"start": 0, "end": 5, "label": ["services", "infra"][n % 2]}
            stream.write(json.dumps({"text": f"Redis {n}", "spans": [span], "answer": "accept"}) + "\n")
    ran, findings = run_validate(tmp_path / "reports", annotations=tmp_path / "annotations")
    unknown = [line for line in ran.stdout.splitlines() if line.startswith("error: ")]
    assert [line.partition(": ")[2][:24].split(":")[0] for line in unknown] == ["export.jsonl"] * 2
    assert unknown[0].endswith("did you mean 'SERVICE'?") and unknown[1].endswith("did you mean 'INFRA'?")
    assert ran.stdout.count("… and 149 more like it: add it to `types` in the guide, give it its name in") == 2
    assert sum(finding["kind"] == "unknown label" for finding in findings) == 300
    assert ran.returncode == 1
    assert "vars.prefer names 'domain_ner-annotator-1'" in ran.stdout


def sentences(rows):
    """The sentences of the shipped corpus with their spans, to build a large corpus of."""
    for row in rows:
        start = 0
        for end in [*(match.end() for match in re.finditer(r"[.!?]\s+|\n+", row["text"])), len(row["text"])]:
            inside = [span for span in row["spans"] if start <= span["start"] and span["end"] <= end]
            crossing = [
                span
                for span in row["spans"]
                if span["start"] < start < span["end"] or span["start"] < end < span["end"]
            ]
            if end - start > 20 and not crossing:
                moved = [(span["start"] - start, span["end"] - start, span["label"]) for span in inside]
                yield row["text"][start:end] + " ", moved
            start = end


def slowness():
    """How much slower than a core that counts to a million in 70 ms this one is just now."""
    before, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number
    return (time.process_time() - before) / 0.07


@pytest.mark.slow
def test_twenty_thousand_passages_take_under_half_a_minute_and_a_gigabyte(example_rows, tmp_path):
    rng, pool = random.Random(0), list(sentences(example_rows))
    (tmp_path / "annotations").mkdir()
    with (tmp_path / "annotations" / "large.jsonl").open("w", encoding="utf8") as stream:
        for _ in range(20_000):
            text, spans = "", []
            for sentence, marked in rng.choices(pool, k=4):
                spans += [{"start": s + len(text), "end": e + len(text), "label": label} for s, e, label in marked]
                text += sentence
            stream.write(json.dumps({"text": text, "spans": spans, "answer": "accept"}) + "\n")
    script, reports = ROOT / "scripts" / "validate_guide.py", tmp_path / "reports"
    validating = subprocess.Popen(
        [sys.executable, script, GUIDE, tmp_path / "annotations", reports], stdout=subprocess.DEVNULL
    )
    slow, memory_mb = [1.0], [0.0]
    while (ended := os.wait4(validating.pid, os.WNOHANG))[0] == 0:
        slow.append(slowness())
        # Not ru_maxrss: that has what the process of the tests used when it started this one.
        memory_mb.append(peak_mb(validating.pid))
        time.sleep(0.5)
    usage = ended[2]
    # Its own time, by this machine's speed meanwhile: what else the machine does is no fault of it.
    assert usage.ru_utime + usage.ru_stime < 30 * max(1.0, statistics.median(slow))
    assert 0 < max(memory_mb) < 1000
    assert json.loads((tmp_path / "reports" / "guide.json").read_text())["n_passages"] > 19_800
