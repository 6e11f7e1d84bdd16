"""Plants shifts in a corpus, and counts how often `monitor` finds them, how often it finds some where none is planted,
and how far its estimate of F1 is from the truth.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean

import typer
from _monitoring.shifts import SHIFTS
from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.commands.main import run_function
from domain_ner.corpus.docs import entities
from domain_ner.evaluation.predicting import load_pipeline, read_docs
from domain_ner.metrics.perturbations import Passage
from domain_ner.monitoring.baseline import Identity, Known
from domain_ner.monitoring.building import make_baseline, observe_gold, vocabulary_of
from domain_ner.monitoring.comparing import MonitorSettings
from domain_ner.monitoring.judging import monitor_window
from domain_ner.monitoring.observations import Observation
from domain_ner.monitoring.report import VERDICTS, WindowReport
from domain_ner.monitoring.windows import Window
from domain_ner.reports.markdown import table

UNDISTURBED, ELSEWHERE = "undisturbed", "another domain"
# A type doubled: the most frequent one, one of which a window has about a hundred, and one of middling frequency.
FREQUENT, HUNDRED, MIDDLING = DOUBLED = ("the most frequent type doubled", "a type doubled", "a rarer type doubled")
WITHIN = 0.03


@dataclass(frozen=True)
class Run:
    """A window that was compared, and its true F1."""

    report: WindowReport
    f1: float


def main(
    folders: list[Path] = typer.Argument(..., help="Projects with a trained pipeline and corpus/train, dev and test."),
    documents: int = typer.Option(1000, min=10, help="Documents of a window."),
    windows: int = typer.Option(20, min=1, help="Windows of each shift."),
    quiet: int = typer.Option(200, min=1, help="Windows without a shift."),
    shares: str = typer.Option("1,0.2", help="Shares of the documents that are changed, separated by commas."),
    alpha: float = typer.Option(0.01, help="Probability of a false alarm."),
    only: str = typer.Option("", help="Shifts to plant, separated by commas; empty: all."),
    model: str = typer.Option("training/model-calibrated", help="The pipeline, in each project."),
    output: Path = typer.Option(Path("benchmarks/monitoring.md"), help="The tables to write (Markdown)."),
) -> None:
    """Count found shifts, false alarms and errors of the estimated F1, and write benchmarks/monitoring.md."""
    parts = []
    pools = {folder: Pools(folder, folder / model) for folder in folders}
    for folder, pool in pools.items():
        others = [other for other in folders if other != folder]
        far = pool.predict(_passages(pools[others[0]].gold)) if others else []
        rows = []
        for name, share, observed in pool.shifts([float(share) for share in shares.split(",")], far):
            if only and name not in only.split(","):
                continue
            n = quiet if name == UNDISTURBED else windows
            runs = [pool.run(observed, share, documents, alpha, seed, name) for seed in range(n)]
            label = pool.doubled(documents).get(name, "")
            n_label = sum((one.gold or {}).get(label, 0) for one in pool.plain) * documents / len(pool.plain)
            rows.append(_row(f"{name} ({label}, {n_label:.0f} a window)" if label else name, share, runs))
            typer.echo(f"{folder.resolve().name}: {' | '.join(rows[-1])}")
        parts += [
            f"{folder.resolve().name}: {len(pool.gold):,} documents that the pipeline did not learn, {model}",
            table(HEADS, rows),
        ]
    output.write_text("\n\n".join(parts) + "\n", encoding="utf8")


class Pools:
    """A pipeline, documents that it did not learn, and their numbers; windows are drawn from them."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.nlp: Language = load_pipeline(model)
        corpora = [folder / "corpus" / f"{name}.spacy" for name in ("train", "dev", "test")]
        train, dev, test = (read_docs(path, self.nlp.vocab) for path in corpora)
        self.vocabulary = vocabulary_of(train)
        self.gold = [*dev, *test]
        self.plain = self.predict(_passages(self.gold))

    def predict(self, passages: Sequence[Passage]) -> list[Observation]:
        """The numbers of passages, predicted as text, as in production."""
        return observe_gold(self.nlp, [self._doc(passage) for passage in passages], self.vocabulary)

    def shifts(
        self, shares: Sequence[float], far: Sequence[Observation]
    ) -> Iterator[tuple[str, float, Sequence[Observation]]]:
        """Yield name, share of changed documents, and the numbers of all documents in changed form."""
        yield UNDISTURBED, 0.0, self.plain
        for name in DOUBLED:
            yield name, 0.0, self.plain
        for name, plant in SHIFTS.items():
            changed = self.predict(plant(_passages(self.gold), Random(0)))
            yield from ((name, share, changed) for share in shares)
        if far:
            yield from ((ELSEWHERE, share, far) for share in shares)

    def run(self, changed: Sequence[Observation], share: float, n: int, alpha: float, seed: int, name: str) -> Run:
        """Split the documents anew in baseline and window, and compare. A window has no document of the baseline."""
        rng = Random(f"{seed} {name} {share}")
        order = rng.sample(range(len(self.plain)), len(self.plain))
        kept, drawn = order[n:], order[:n]
        if name in DOUBLED:
            drawn = self._doubled(drawn, self.doubled(n)[name], rng)
        chosen = []
        for number in drawn:
            is_changed = rng.random() < share
            there = rng.choice(changed) if name == ELSEWHERE else changed[number]
            chosen.append(there if is_changed else self.plain[number])
        identity = Identity(name="benchmark", version="0", sha256="0")
        baseline = make_baseline(
            [self.plain[number] for number in kept], identity, self.nlp.lang, "corpus", vocabulary=self.vocabulary
        )
        window = Window(f"{name} {seed}", n, chosen)
        report = monitor_window(Known(baseline, ("0",), ""), window, MonitorSettings(alpha=alpha, seed=seed), {})
        return Run(report, true_f1(chosen))

    def doubled(self, n: int) -> dict[str, str]:
        """The types that are doubled. n: documents of a window."""
        counts = Counter[str]()
        for observation in self.plain:
            counts.update(observation.gold or {})
        ranked = [label for label, _ in counts.most_common()]
        wanted = 100 * len(self.plain) / n
        near = min(ranked, key=lambda label: abs(counts[label] - wanted))
        return {FREQUENT: ranked[0], HUNDRED: near, MIDDLING: ranked[len(ranked) // 2]}

    def _doubled(self, drawn: list[int], label: str, rng: Random) -> list[int]:
        """Take the documents with a type twice, in place of others."""
        having = [number for number in drawn if label in (self.plain[number].gold or {})]
        others = [number for number in drawn if label not in (self.plain[number].gold or {})]
        return having + having + rng.sample(others, max(0, len(others) - len(having)))

    def _doc(self, passage: Passage) -> Doc:
        doc = self.nlp.make_doc(passage.text)
        spans = [doc.char_span(*entity[:2], label=entity[2], alignment_mode="expand") for entity in passage.entities]
        taken: set[int] = set()
        kept = []
        for span in spans:
            if span is not None and not taken & set(range(span.start, span.end)):
                kept.append(span)
                taken |= set(range(span.start, span.end))
        doc.set_ents(kept)
        return doc


def true_f1(observations: Sequence[Observation]) -> float:
    """F1 of the reported entities."""
    found = sum(len(given) for one in observations for given in one.confidences.values())
    correct, gold = (
        sum(n for one in observations for n in (getattr(one, part) or {}).values()) for part in ("correct", "gold")
    )
    return 2 * correct / (found + gold) if found + gold else 0.0


HEADS = [
    "shift", "share", "windows", "flagged", *VERDICTS, "true F1", "estimated F1", "mean error", "within 3 points",
    "in interval", "first finding",
]  # fmt: skip


def _row(name: str, share: float, runs: Sequence[Run]) -> list[str]:
    verdicts = Counter(run.report.verdict for run in runs)
    flagged = [run for run in runs if run.report.significant]
    estimates = [(run.f1, run.report.f1) for run in runs if run.report.f1]
    first = Counter(f"{run.report.significant[0].name} {run.report.significant[0].label}".strip() for run in flagged)
    errors = [abs(found.value - true) for true, found in estimates]
    return [
        name,
        f"{100 * share:.0f} %" if share else "",
        str(len(runs)),
        str(len(flagged)),
        *(str(verdicts[verdict]) for verdict in VERDICTS),
        f"{100 * fmean(true for true, _ in estimates):.1f}",
        f"{100 * fmean(found.value for _, found in estimates):.1f}",
        f"{100 * fmean(errors):.1f}",
        f"{sum(error <= WITHIN for error in errors)}",
        f"{sum(found.low <= true <= found.high for true, found in estimates)}",
        first.most_common(1)[0][0] if first else "",
    ]


def _passages(docs: Sequence[Doc]) -> list[Passage]:
    return [Passage(doc.text, tuple(sorted(entities(doc)))) for doc in docs]


if __name__ == "__main__":
    run_function(main, "benchmark-monitor")
