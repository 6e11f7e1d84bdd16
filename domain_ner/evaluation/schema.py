"""Defines the shape of `training/reports/evaluation.json`. Knows no pipeline and no files."""

from pydantic import Field

from domain_ner.evaluation.confidence_schema import Certainty, Histogram
from domain_ner.evaluation.schema_base import Part, Share


class Figure(Part):
    """A score and its 95 % interval, by bootstrap over documents; null: too few documents."""

    value: Share
    low: Share | None
    high: Share | None


class TypeScore(Part):
    """Exact matches of one type, or of all. support: entities in gold. verdict: against the target, for types."""

    precision: Figure
    recall: Figure
    f1: Figure
    n_correct: int
    n_predicted: int
    support: int
    verdict: str = ""


class MacroScore(Part):
    """The mean over the types that gold has."""

    precision: Figure
    recall: Figure
    f1: Figure


class Headline(Part):
    """Scores of one test set."""

    n_passages: int
    micro: TypeScore
    macro: MacroScore
    by_type: dict[str, TypeScore]


class SchemeScore(Part):
    """The scores if boundary or type errors are forgiven, as SemEval-2013 task 9 counts; meaning: which.

    n_correct + n_incorrect + n_partial counts pairs: together with n_missed it is the number of entities in gold, with
    n_spurious the number of predicted ones. So n_spurious leaves out what overlaps an entity in gold.
    """

    meaning: str
    precision: Share
    recall: Share
    f1: Share
    n_correct: int
    n_incorrect: int
    n_partial: int
    n_missed: int
    n_spurious: int


class Marked(Part):
    """An entity in an excerpt; start and end in characters of the excerpt. confidence: of a prediction that has one."""

    start: int
    end: int
    label: str
    confidence: Share | None = None


class ShownMistake(Part):
    """Corresponding gold and predicted entities that differ, with an excerpt of the text around them.

    start, end: of the mistake in the passage, in characters; offset: start of the excerpt in the passage. tokens: start
    and end of each token in the excerpt. label: the type under which it is counted; labels: all types in it.
    """

    kind: str
    label: str = ""
    labels: list[str]
    source: str
    start: int
    end: int
    offset: int
    text: str
    tokens: list[tuple[int, int]]
    gold: list[Marked]
    predicted: list[Marked]
    confidence: Share | None


class KindCount(Part):
    """Mistakes of one kind and the entities in them: gold entities that were not predicted exactly (false negatives),
    and predicted entities that are not in gold (false positives).
    """

    n_mistakes: int
    n_false_negatives: int
    n_false_positives: int


class Slice(Part):
    """The score of the entities with one value of a trait."""

    value: str
    precision: Share
    recall: Share
    f1: Share
    n_correct: int
    n_predicted: int
    support: int


class Varied(Part):
    """The diversity of the mentions of a type in a split. n_once: surfaces with one mention. top: most frequent one."""

    n_mentions: int
    n_surfaces: int
    n_once: int
    top: str
    n_top: int


class SplitScore(Part):
    """Micro F1 on a split, or on a sample of it. share_sure: share of confidences of at least 0.99.

    entropy: mean binary entropy of the confidences, in bits: from 0 (always certain) to 1 (always 50 %).
    """

    n_passages: int
    f1: Figure
    share_sure: Share | None
    entropy: Share | None


class Grouped(Part):
    """Micro F1 on passages of a new group, by leaving out one group at a time. key: of `meta`, which names the group.

    low, high: 95 % interval.
    """

    key: str
    n_groups: int
    low: Share
    high: Share


class Source(Part):
    """The annotations in the exports for the test documents. n_annotations: intended by people, including lost ones.

    recall: of these. fates: number of annotations by fate, as in the ledger.
    """

    n_annotations: int
    recall: Share
    fates: dict[str, int]


class Shape(Part):
    """Scores on changed texts. difference: of F1 from that on the original texts, with its 95 % interval, and p."""

    name: str
    meaning: str
    f1: Share
    difference: float
    low: float | None
    high: float | None
    p: Share
    by_type: dict[str, float]


class Shapes(Part):
    """Robustness, on a sample of the test set. f1, by_type: on the original texts."""

    n_passages: int
    f1: Share
    by_type: dict[str, float]
    shapes: list[Shape]


class Evaluation(Part):
    """A row of training.jsonl. epoch: from 1. f1: micro, on dev. losses: by component, since the last evaluation.

    A loss that is no number is null.
    """

    epoch: int
    step: int
    f1: Share
    losses: dict[str, float | None]


class Tip(Part):
    """Advice for a type. rule: the rule that applies; what: what to do; why: the figures that it is based on.

    kinds, other: the kinds of the mistakes behind it, and the type they are confused with. passages: of these mistakes,
    the most confident first, at most 50. queue: prefix of the files with review tasks, in the folder of the report;
    empty if there are none.
    """

    label: str
    rule: str
    what: str
    why: str
    kinds: list[str]
    other: str
    passages: list[str]
    queue: str = ""


class Report(Part):
    """An evaluation. Figures are shares in 0..1.

    model_sha256: of the evaluated pipeline's folder. date: of the evaluation, YYYY-MM-DD. test_set: the name of the
        test set of the headline.
    mistake_counts: kind to type to number. Each mistake counts once: under its (first) type in gold or, if gold has no
        entity, under the predicted type.
    mistake_entities: kind to its mistakes, false negatives and false positives. Their sums are `support - n_correct`
        and `n_predicted - n_correct` of `headline.micro`.
    confusion: gold type to predicted type to number of entities; the empty name is "no entity". Overlapping entities
        count as found: boundaries do not matter. A row sums to the support of its type, a column to the number of its
        predictions. Spurious entities and surplus parts of split ones have no entity in gold; missing entities and
        surplus parts of merged ones have no prediction.
    slices: trait to scores of its values. diversity: split to type to figures. splits: scores by split, which show
        overfitting. test_sets: scores on other test sets, by name. grouped: null: too few groups.
    source: null: no ledger was given.
    certainty: type to calibration, "" for all; empty without confidences. robustness: null: not measured.
    """

    version: int = 1
    pipeline: str
    model_sha256: str = ""
    date: str = ""
    test_set: str = ""
    labels: list[str]
    headline: Headline
    advice: list[Tip]
    schemes: dict[str, SchemeScore]
    mistake_counts: dict[str, dict[str, int]]
    mistake_entities: dict[str, KindCount] = Field(default_factory=dict)
    mistakes: list[ShownMistake]
    confusion: dict[str, dict[str, int]]
    slices: dict[str, list[Slice]]
    confidence: Histogram | None
    diversity: dict[str, dict[str, Varied]]
    splits: dict[str, SplitScore]
    test_sets: dict[str, Headline]
    grouped: Grouped | None = None
    source: Source | None
    certainty: dict[str, Certainty]
    robustness: Shapes | None
    training: list[Evaluation]
