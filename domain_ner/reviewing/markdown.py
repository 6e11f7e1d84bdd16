"""Renders a review as Markdown, and the sentences that page and command line share."""

from domain_ner.metrics.resampling import SCORE_NAMES
from domain_ner.reports.markdown import ALL_ROW, table
from domain_ner.reports.numbers import percent
from domain_ner.reviewing.review_schema import ContractReview, Measure, Review, TypeReview

HEADS = ("type", "precision", "recall", "F1", "predicted", "reviewed", "correct", "to find")
CONTRACT_HEADS = ("contract", "estimate", "at least", "confidence", "verdict", "more passages")
STRATUM_HEADS = ("stratum", "passages", "drawn", "reviewed")
MAX_NAMED = 20
UNKNOWN = "?"


def review_markdown(review: Review) -> str:
    """Render the review as tables."""
    rows = [type_row(ALL_ROW, review.overall), *(type_row(label, one) for label, one in review.by_type.items())]
    contracts = [contract_row(contract) for contract in review.contracts]
    parts = [
        f"# Review of {pipeline_name(review)}",
        f"{headline(review)} {when_to_stop(review)}",
        *([table(CONTRACT_HEADS, contracts), about_contracts(review)] if contracts else []),
        "## Scores of the whole population",
        table(HEADS, rows),
        about_scores(review),
        "## More passages",
        table(["type", *SCORE_NAMES], [more_row(ALL_ROW, review.overall), *_more_rows(review)]),
        about_more(review),
        *(["## Not reviewed", still_missing(review)] if review.missing else []),
        "## Strata",
        table(STRATUM_HEADS, stratum_rows(review)),
    ]
    return "\n\n".join(parts) + "\n"


def pipeline_name(review: Review) -> str:
    """Name and version."""
    return f"{review.pipeline['name']} {review.pipeline['version']}"


def headline(review: Review) -> str:
    """Say what was reviewed."""
    shown = "blind" if review.is_blind else "with suggestions, which make reviewers agree more with the pipeline"
    return f"{review.n_reviewed:,} passages of {review.n_passages:,} were reviewed, {shown}."


def when_to_stop(review: Review) -> str:
    """Say whether to stop, or about how many more passages are needed."""
    goal = "to prove all contracts" if review.contracts else f"for intervals of ±{percent(review.width)} over all types"
    hopeless = [one.contract for one in review.contracts if one.value is not None and one.value < one.least]
    if hopeless:
        return f"More passages will hardly prove {'; '.join(hopeless)}: the estimate is lower."
    if review.n_more == 0:
        return f"Stop: this is enough {goal}."
    if review.n_more is None:
        return f"It is not foreseeable how many passages are needed {goal}."
    return f"About {review.n_more:,} more passages are needed {goal}."


def about_scores(review: Review) -> str:
    """Explain the table of scores."""
    return (
        f"With {percent(review.level)} % intervals for all {review.n_passages:,} passages. predicted: in all of them; "
        "reviewed, correct: in the sample. to find: entities of the reviewers in the sample."
    )


def about_contracts(review: Review) -> str:
    """Explain the confidence of the contracts."""
    level = f"{100 * review.confidence:g} %"
    return (
        f"All contracts together are proven with {level} confidence (Bonferroni)."
        if review.is_joint
        else f"Each contract is proven by itself with {level} confidence."
    )


def about_more(review: Review) -> str:
    """Explain the forecast."""
    return (
        f"About how many more passages make the interval ±{percent(review.width)} wide, if they are like those "
        f"reviewed. {UNKNOWN}: not foreseeable."
    )


def still_missing(review: Review) -> str:
    """Say which tasks are not reviewed, and what that costs; empty if all are."""
    if not review.missing:
        return ""
    named = ", ".join(map(str, review.missing[:MAX_NAMED])) + " …" * (len(review.missing) > MAX_NAMED)
    parts = [f"{len(review.missing):,} of {review.n_drawn:,} tasks are not reviewed: {named}."]
    if review.n_after_gap:
        parts.append(
            f"{review.n_after_gap:,} reviewed tasks come after the first of these and do not count yet: only the first "
            "tasks without a gap are a random sample."
        )
    if review.incomplete:
        named = ", ".join(map(str, review.incomplete[:MAX_NAMED])) + " …" * (len(review.incomplete) > MAX_NAMED)
        parts.append(f"Tasks with yes/no answers or disputed tokens alone count as not reviewed: {named}.")
    return " ".join(parts)


def type_row(label: str, one: TypeReview) -> list[str]:
    """The figures of a type."""
    measures = [with_interval(measure) for measure in (one.precision, one.recall, one.f1)]
    return [label, *measures, *(f"{n:,}" for n in (one.n_predicted, one.n_reviewed, one.n_correct, one.n_gold))]


def more_row(label: str, one: TypeReview) -> list[str]:
    """The further passages for each measure of a type."""
    return [label, *(more(measure.n_more) for measure in (one.precision, one.recall, one.f1))]


def contract_row(contract: ContractReview) -> list[str]:
    """The figures of a contract."""
    return [
        contract.contract,
        UNKNOWN if contract.value is None else percent(contract.value),
        percent(contract.bound),
        f"{100 * contract.confidence:.4g} %",
        verdict(contract),
        more(contract.n_more),
    ]


def verdict(contract: ContractReview) -> str:
    """Whether it is proven."""
    return "proven" if contract.is_proven else "not proven"


def stratum_rows(review: Review) -> list[list[str]]:
    """The figures of all strata."""
    return [[one.name, f"{one.n_passages:,}", f"{one.n_drawn:,}", f"{one.n_reviewed:,}"] for one in review.strata]


def with_interval(measure: Measure) -> str:
    """Format a measure in per cent with its interval."""
    if measure.value is None:
        return UNKNOWN
    return f"{percent(measure.value)} ({percent(measure.low)}–{percent(measure.high)})"


def more(n: int | None) -> str:
    """Format a number of further passages."""
    return UNKNOWN if n is None else f"{n:,}"


def _more_rows(review: Review) -> list[list[str]]:
    return [more_row(label, one) for label, one in review.by_type.items()]
