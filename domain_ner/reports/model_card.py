"""Writes the model card of a packaged pipeline: types, scores, data, and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_ner import __version__
from domain_ner.annotations.outcomes import IN_CORPUS
from domain_ner.corpus.token_splits import named_words
from domain_ner.encoders.card import EncoderCard, is_foreign, name_languages
from domain_ner.evaluation.parity_schema import Parity
from domain_ner.evaluation.predicting import FLOOR_F1, TARGET_F1
from domain_ner.evaluation.schema import Figure, Report, TypeScore
from domain_ner.guide.schema import Guide
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.card_use import contact, intended_use, out_of_scope
from domain_ner.reports.hub_metadata import front_matter
from domain_ner.reports.markdown import table
from domain_ner.reports.numbers import elsewhere, percent, with_interval
from domain_ner.reports.parity_markdown import parity_markdown

# The card warns of changed texts that lower F1 by at least this.
FALL = 0.03
# Types named in the description of a package.
MAX_NAMED = 10
USAGE = """Install the two wheels by file: if you install them by name, pip also looks on a public index.

```bash
pip install domain_ner-{own_version}-py3-none-any.whl {name}-{version}-py3-none-any.whl
```

```python
import spacy

nlp = spacy.load("{name}")
for ent in nlp("…").ents:
    print(ent.text, ent.label_, ent._.confidence)
```"""


@dataclass(frozen=True)
class Facts:
    """The facts for a card. name, version, licence: of the package; licence: empty if none is stated.

    ledger: in the shape of ledger.json. calibration: in the shape of calibration.json, empty for a pipeline without
    confidences. group_by: the key of `meta` that the splits keep together, or empty. spans_key: of the `doc.spans` that
    the pipeline writes its entities to, empty if it writes `doc.ents`. splits: the patterns that its tokenizer
    learned. author, email, url: the contact, as in spaCy's meta.json; empty if not given. parity: the comparison of an
    optimised pipeline with the trained one, None for a trained one.
    """

    name: str
    version: str
    licence: str
    lang: str
    guide: Guide
    report: Report
    encoder: EncoderCard
    ledger: Mapping[str, Any]
    calibration: Mapping[str, Any]
    group_by: str
    spans_key: str = ""
    splits: Sequence[str] = ()
    author: str = ""
    email: str = ""
    url: str = ""
    parity: Parity | None = None


def model_card(facts: Facts) -> str:
    """Write the card as Markdown: the package's README, with front matter for the Hugging Face hub."""
    parts = [
        front_matter(facts.name, facts.lang, facts.licence, facts.report.headline, facts.encoder),
        f"# {facts.name} {facts.version}",
        f"A spaCy pipeline that finds {len(facts.report.labels)} types of names: {facts.guide.title}.",
        _made(facts),
        USAGE.format(name=facts.name, version=facts.version, own_version=__version__),
        "## Intended use",
        intended_use(facts.lang),
        "## Scores by type",
        _types(facts),
        _measured(facts),
        "## Confidence",
        *_confidence(facts),
        parity_markdown(facts.parity) if facts.parity else "",
        "## Training data",
        *_data(facts),
        "## Limits",
        _limits(facts),
        "## Out-of-scope use",
        out_of_scope(has_not_entities=bool(facts.guide.not_entities)),
        "## Contact",
        contact(facts.author, facts.email, facts.url),
        "## Encoder and licence",
        _encoder(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def meta_of(facts: Facts) -> dict[str, Any]:
    """Return the card's data for meta.json: spaCy's own keys, and the scores on the test set under `domain_ner`."""
    head = facts.report.headline
    contacts = {"author": facts.author, "email": facts.email, "url": facts.url}
    return {key: value for key, value in contacts.items() if value} | {
        "description": _description(facts),
        "license": facts.licence,
        "performance": _performance(facts),
        "domain_ner": {
            "performance": f"on the {head.n_passages} test passages, as packaged: the scores of the model card",
            "date": facts.report.date,
            "n_test_passages": head.n_passages,
            "micro": _score_values(head.micro.precision, head.micro.recall, head.micro.f1),
            "by_type": {
                label: _score_values(score.precision, score.recall, score.f1)
                | {"support": score.support, "verdict": score.verdict}
                for label, score in head.by_type.items()
            },
            "target_f1": TARGET_F1,
            "floor_f1": FLOOR_F1,
            "calibration_error": _error(facts.report),
            "thresholds": {
                label: threshold["confidence"] for label, threshold in facts.calibration.get("thresholds", {}).items()
            },
            "decoding": facts.calibration.get("decoding", ""),
            "encoder": {
                "name": facts.encoder.name,
                "hub_id": facts.encoder.hub_id,
                "revision": facts.encoder.revision,
                "licence": facts.encoder.licence,
                "sha256": facts.encoder.files,
            },
        },
    }


def _description(facts: Facts) -> str:
    """Write the package's summary, one line; an index truncates a long one."""
    labels, n_more = facts.report.labels[:MAX_NAMED], len(facts.report.labels) - MAX_NAMED
    more = f" and {n_more} more types" if n_more > 0 else ""
    return " ".join(f"Finds {', '.join(labels)}{more}: {facts.guide.title}.".split())


def _made(facts: Facts) -> str:
    when = f"Evaluated on {facts.report.date}" if facts.report.date else "Evaluated"
    return f"{when} with domain-ner {__version__}."


def _performance(facts: Facts) -> dict[str, Any]:
    """Return the scores on the test set under spaCy's names. They replace the scores on dev from training, which date
    from before the calibration.
    """
    head, prefix = facts.report.headline, f"spans_{facts.spans_key}" if facts.spans_key else "ents"
    micro = _short(head.micro)
    return {f"{prefix}_{name}": value for name, value in micro.items()} | {
        f"{prefix}_per_type": {label: _short(score) for label, score in head.by_type.items()}
    }


def _short(score: TypeScore) -> dict[str, float]:
    return {"p": score.precision.value, "r": score.recall.value, "f": score.f1.value}


def _score_values(precision: Figure, recall: Figure, f1: Figure) -> dict[str, float]:
    return {"precision": precision.value, "recall": recall.value, "f1": f1.value}


def _error(report: Report) -> float | None:
    return report.certainty[""].after.ece if "" in report.certainty else None


def _types(facts: Facts) -> str:
    definitions = {entity_type.label: entity_type.definition for entity_type in facts.guide.types}
    rows = [
        [
            label,
            *map(with_interval, (score.f1, score.precision, score.recall)),
            f"{score.support:,}",
            definitions.get(label, ""),
        ]
        for label, score in facts.report.headline.by_type.items()
    ]
    micro = facts.report.headline.micro
    figures = map(with_interval, (micro.f1, micro.precision, micro.recall))
    rows.append([f"**{ALL_TYPES} (micro)**", *figures, f"{micro.support:,}", ""])
    return table(["type", "F1", "precision", "recall", "support", "what it is"], rows)


def _measured(facts: Facts) -> str:
    separation = f" No `{facts.group_by}` is both in training and in test." if facts.group_by else ""
    n, other = facts.report.headline.n_passages, elsewhere(facts.report)
    return (
        f"Exact matches of boundaries and type on {n:,} test passages that are not in the training data, in per cent; "
        f"in brackets 95 % intervals, by bootstrap over passages.{separation}{f' Micro F1: {other}.' if other else ''}"
    )


def _confidence(facts: Facts) -> list[str]:
    error = _error(facts.report)
    if error is None:
        return ["The pipeline computes no confidences."]
    by_chance = facts.report.certainty[""].after.ece_by_chance
    meaning = (
        "`ent._.confidence` is the probability of the entity under the model, calibrated on development data. On the "
        f"test passages, confidence and precision are {percent(error)} points apart on average (expected calibration "
        f"error; {percent(by_chance)} by chance alone)."
    )
    thresholds = facts.calibration.get("thresholds", {})
    if facts.calibration.get("decoding") == "marginal":
        least = {threshold["confidence"] for threshold in thresholds.values()}
        return [meaning, f"It reports spans with a confidence of at least {percent(max(least, default=0.0))} %."]
    if not thresholds:
        return [meaning]
    rows = [
        [
            label,
            f"{threshold['confidence']:.3f}" if threshold["is_reached"] else "not reported",
            percent(threshold["precision"]),
        ]
        for label, threshold in thresholds.items()
    ]
    heads = ["type", "minimum confidence", "precision on development data"]
    return [meaning, 'Entities below these confidences are in `doc.spans["below_threshold"]`:', table(heads, rows)]


def _data(facts: Facts) -> list[str]:
    ledger, diversity = facts.ledger, facts.report.diversity
    n_accepted, n_files = ledger.get("documents", {}).get("accepted", 0), len(ledger.get("files", {}))
    n_passages = ledger.get("accepted", {}).get(IN_CORPUS, n_accepted)
    lost = [
        f"{percent(loss['share'])} % of the {kind}"
        for kind, loss in ledger.get("lost", {}).items()
        if loss["n"] or kind == "annotations"
    ]
    origin = (
        f"Language `{facts.lang}`. {ledger.get('annotations', 0):,} annotations in {n_files:,} exports, of "
        f"{n_accepted:,} accepted documents, which are {n_passages:,} passages; "
        f"{' and '.join(lost) or 'none'} were lost in conversion."
    )
    n_words = len(named_words(facts.splits))
    origin += " The package contains no words of their text except those in the types and their definitions" + (
        f", and {n_words:,} words in the split rules of its tokenizer (`splits` in config.cfg)." if n_words else "."
    )
    rows = [
        [label, *(f"{split[label].n_mentions:,}" if label in split else "0" for split in diversity.values())]
        for label in facts.report.labels
    ]
    return [origin, table(["mentions", *diversity], rows)] if diversity else [origin]


def _limits(facts: Facts) -> str:
    limits = [
        f"{label} has an F1 below {percent(FLOOR_F1)}: have people review these entities."
        for label, score in facts.report.headline.by_type.items()
        if score.verdict == "below"
    ]
    limits += [
        f"{label} is not reported at all: the development data could not guarantee the requested precision."
        for label, threshold in facts.calibration.get("thresholds", {}).items()
        if not threshold.get("is_reached", True)
    ]
    if is_foreign(facts.encoder, facts.lang):
        limits.append(
            f"Its encoder was pretrained on {name_languages(facts.encoder.languages)}, not on `{facts.lang}`."
        )
    limits += _unseen(facts.report)
    shapes = facts.report.robustness.shapes if facts.report.robustness else []
    for shape in sorted(shapes, key=lambda shape: shape.difference):
        if shape.difference <= -FALL:
            limits.append(
                f"Changed text, {shape.name} ({shape.meaning}): F1 falls by {percent(-shape.difference)} points."
            )
    limits.append("It was trained on one kind of text: evaluate it on yours before you rely on it.")
    return "\n".join(f"- {limit}" for limit in limits)


def _unseen(report: Report) -> list[str]:
    recall = {
        slice_score.value: slice_score.recall for slice_score in report.slices.get("surface", []) if slice_score.support
    }
    if "unseen" not in recall:
        return []
    known = recall.get("seen in training")
    seen = "" if known is None else f", and {percent(known)} % of names seen in training"
    return [f"It finds {percent(recall['unseen'])} % of names not seen in training{seen}."]


def _encoder(facts: Facts) -> str:
    encoder = facts.encoder
    source = f" ({encoder.hub_id}, revision {encoder.revision})" if encoder.hub_id else ""
    sums = "".join(f" SHA-256 of {name} before training: `{value}`." for name, value in encoder.files.items())
    licence = facts.licence or "none stated"
    if not encoder.path:
        return f"No pretrained encoder: {encoder.name}. Licence of this package: {licence}."
    return (
        f"Trained from the encoder {encoder.name}{source}, licence {encoder.licence or 'unknown'}.{sums} "
        f"Licence of this package: {licence}."
    )
