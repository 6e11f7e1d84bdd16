"""The shape of `training/reports/evaluation.json`. Knows no pipeline and no files."""

from pydantic import Field

from domain_ner.evaluation.confidence_schema import Certainty, Histogram
from domain_ner.evaluation.schema_base import Part, Share


class Figure(Part):
    """A score and its 95 % interval, by bootstrap over documents; null: there is too little to tell."""

    value: Share
    low: Share | None
    high: Share | None


class TypeScore(Part):
    """Exact matches of one type, or of all. support: entities in gold. verdict: against the target, of types."""

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
    """What is right where something is forgiven; meaning: what. As SemEval-2013 task 9 counts.

    n_correct + n_incorrect + n_partial is the same on both sides: with n_missed these are all entities in gold, with
    n_spurious all that were predicted. So n_spurious leaves out what overlaps an entity in gold.
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
    """An entity within a shown stretch of text, in characters of it. confidence: of a predicted one that has any."""

    start: int
    end: int
    label: str
    confidence: Share | None = None


class ShownMistake(Part):
    """Gold and predicted entities that belong together and differ, with the text around them.

    start, end: of the mistake in the passage, in characters; offset: where the shown text begins there. tokens: start
    and end of each in the shown text. label: the type under which it is counted; labels: all that take part.
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
    """Mistakes of one kind, and the entities in them: those in gold that were not found as they are (false negatives),
    and those predicted that are not in gold (false positives).
    """

    n_mistakes: int
    n_false_negatives: int
    n_false_positives: int


class Slice(Part):
    """The score of the entities that share a trait."""

    value: str
    precision: Share
    recall: Share
    f1: Share
    n_correct: int
    n_predicted: int
    support: int


class Varied(Part):
    """How varied the mentions of a type are in a split. n_once: surfaces with one mention. top: the commonest."""

    n_mentions: int
    n_surfaces: int
    n_once: int
    top: str
    n_top: int


class SplitScore(Part):
    """Micro F1 on a split, or on a sample of it. share_sure: of its predictions with a confidence, at 0.99 or above.

    entropy: mean binary entropy of those confidences, in bits: 0, always sure, to 1, never more than even.
    """

    n_passages: int
    f1: Figure
    share_sure: Share | None
    entropy: Share | None


class Grouped(Part):
    """Micro F1 on passages of another group, by leaving out one group at a time. key: of `meta`, which names the group.

    low, high: 95 % interval.
    """

    key: str
    n_groups: int
    low: Share
    high: Share


class Source(Part):
    """What the exports hold for the test documents. n_annotations: that people meant, those included that were lost.

    recall: of these. fates: what became of every annotation, as in the ledger.
    """

    n_annotations: int
    recall: Share
    fates: dict[str, int]


class Shape(Part):
    """Scores on texts in worse shape. difference: of F1 from that of the same as they are, its 95 % interval, and p."""

    name: str
    meaning: str
    f1: Share
    difference: float
    low: float | None
    high: float | None
    p: Share
    by_type: dict[str, float]


class Shapes(Part):
    """Robustness, on a sample of the test set. f1, by_type: of its texts as they are."""

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
    """What to do for a type. rule: which rule says so; why: the figures it rests on.

    kinds, other: of the mistakes that show it, and the type they are mixed up with. passages: where they are, the most
    confident mistakes first, at most 50. queue: beginning of the names of the files that hold these as review tasks, in
    the folder of the report; empty where none were written.
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

    model_sha256: of the pipeline's folder, as it was evaluated. date: of the evaluation, YYYY-MM-DD. test_set: what
        the headline was measured on.
    mistake_counts: kind to type to how many. Each mistake counts once: under its type in gold, the first one where
        there are several, or, where gold has none, under the type that was predicted.
    mistake_entities: kind to its mistakes, false negatives and false positives. Their sums are `support - n_correct`
        and `n_predicted - n_correct` of `headline.micro`.
    confusion: gold type to predicted type to how many entities; the empty name is "no entity". Entities that overlap
        count as found, so that boundaries play no part. A row adds up to the support of its type, a column to what was
        predicted of it. Found where gold has none are spurious entities and surplus parts of split ones; not found are
        missing entities and surplus parts of merged ones.
    slices: trait to scores of its values. diversity: split to type to figures. splits: how much better it is on what
        it learned. test_sets: scores on other test sets, by name. grouped: null: too few groups to tell.
    source: null: the ledger is not known.
    certainty: type to calibration, "" for all; empty without confidences. robustness: null: not tested.
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
