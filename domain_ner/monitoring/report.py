"""Defines the report of `monitor` and its JSON schema."""

from pathlib import Path

from pydantic import ValidationError

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.schema_base import Part, Share
from domain_ner.monitoring.baseline import Identity

FINE, LOOK, RETRAIN = VERDICTS = ("fine", "look", "retrain")
DOCUMENTS, AGGREGATES = "documents", "aggregates"


class Finding(Part):
    """A statistic on the baseline and on a window. name: as in `features`. label: a type; empty: of all text.

    baseline, window: a share or mean; of histograms the number of what they count, of vectors that of documents.
    difference: window minus baseline; PSI of histograms; distance of vectors, in standard deviations.
    limit: the size of a difference that some statistic reaches by chance with probability alpha.
    p: of this statistic alone; p_corrected: for the number of statistics (Westfall & Young's step-down maxT).
    is_small: significant or not, it is too small to matter. passages: ids that contribute most.
    """

    name: str
    label: str
    baseline: float
    window: float
    difference: float
    limit: float
    p: Share
    p_corrected: Share
    is_significant: bool
    is_small: bool
    passages: list[str]

    @property
    def counts(self) -> bool:
        """Whether it changes the verdict."""
        return self.is_significant and not self.is_small


class Reviewed(Part):
    """F1 on reviewed samples of the window, with its interval. agrees: whether the intervals overlap."""

    value: Share
    low: Share | None
    high: Share | None
    agrees: bool


class EstimatedF1(Part):
    """F1 estimated without labels, with its 95 % interval. baseline: F1 on the labelled documents of the baseline.

    n_predicted: reported entities. expected: entities expected in the text.
    """

    value: Share
    low: Share
    high: Share
    baseline: Share
    n_predicted: float
    expected: float
    reviewed: Reviewed | None = None

    @property
    def difference(self) -> float:
        """The estimate minus F1 of the baseline."""
        return self.value - self.baseline


class Figures(Part):
    """What trends are drawn of; shares in 0..1, None where it is not known. entities: on 1,000 tokens."""

    f1: float | None
    f1_low: float | None
    f1_high: float | None
    mean_confidence: float | None
    entities: float | None
    empty: float
    tokens: float | None
    unseen: float | None


class WindowReport(Part):
    """A window compared with the baseline. kind: documents, or aggregates of a service.

    n_compared: documents that were tested, drawn at random if there are more. reasons: for the verdict.
    missing: numbers that it lacks, so that they are not compared. f1, by_type: estimates; null and empty where F1
    cannot be estimated.
    """

    name: str
    kind: str
    n_documents: int
    n_compared: int
    verdict: str
    reasons: list[str]
    findings: list[Finding]
    f1: EstimatedF1 | None
    by_type: dict[str, EstimatedF1]
    figures: Figures
    missing: list[str]

    @property
    def passages(self) -> set[str]:
        """The ids of the passages behind the findings that change the verdict."""
        return {name for finding in self.findings if finding.counts for name in finding.passages}

    @property
    def significant(self) -> list[Finding]:
        """The significant findings, those that change the verdict first, the least probable first."""
        chosen = [finding for finding in self.findings if finding.is_significant]
        return sorted(chosen, key=lambda finding: (finding.is_small, finding.p_corrected, finding.p))


class Past(Part):
    """A window of an earlier run, as `--history` keeps it."""

    date: str
    name: str
    n_documents: int
    verdict: str
    figures: Figures


class MonitorReport(Part):
    """A report. alpha: probability of a false alarm in a window. margin: drop of F1 that asks for retraining, 0..1.

    source: of the baseline. history: windows of earlier runs, the oldest first. blind_spots: what this cannot see.
    """

    version: int = 1
    date: str
    pipeline: Identity
    source: str
    corpus: str
    baseline: Figures
    n_baseline: int
    alpha: Share
    margin: Share
    n_permutations: int
    windows: list[WindowReport]
    history: list[Past]
    blind_spots: list[str]

    @property
    def verdict(self) -> str:
        """That of the last window, which is the newest."""
        return self.windows[-1].verdict


def read_report(path: Path) -> MonitorReport:
    """Read `monitor.json`. Raises DomainNerError for any other file."""
    try:
        return MonitorReport.model_validate_json(path.read_text(encoding="utf8"))
    except (OSError, UnicodeDecodeError, ValidationError) as err:
        raise DomainNerError(
            f"{path} is no report of monitor of this version.", "Give its monitor.json, or run monitor again."
        ) from err
