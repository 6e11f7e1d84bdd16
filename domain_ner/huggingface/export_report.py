"""Writes the model card of an exported model, and its parity sheet as Markdown."""

from dataclasses import dataclass

from domain_ner import __version__
from domain_ner.huggingface.parity_schema import ARGMAX, NO_LEXICAL, PIPELINE, Parity, ParityRow
from domain_ner.huggingface.strategies import STRATEGIES, TASK
from domain_ner.reports.comparison_markdown import difference
from domain_ner.reports.hub_metadata import HubScores, render
from domain_ner.reports.markdown import ALL_ROW, table
from domain_ner.reports.numbers import percent

MEANINGS = {
    PIPELINE: "the spaCy pipeline: CRF, lexical features, calibration and thresholds",
    ARGMAX: "the same, but each token has its most probable label, whatever its neighbours have",
    NO_LEXICAL: "the pipeline, if the form of a word told nothing: mean lexical features",
    "simple": "each wordpiece has its most probable label; equal neighbours are merged",
    "first": "a word has the label of its first wordpiece",
    "average": "a word has the label with the highest mean over its wordpieces",
    "max": "a word has the label of its surest wordpiece",
}
USAGE = """```python
from transformers import pipeline

tagger = pipeline("{task}", model="{folder}", aggregation_strategy="{strategy}", stride={stride})
for entity in tagger("…"):
    print(entity["word"], entity["entity_group"], entity["score"], entity["start"], entity["end"])
```"""


@dataclass(frozen=True)
class CardFacts:
    """What the card says beside the sheet. name: of the model, and of the folder in the example.

    lang: spaCy's code. licence: empty for none stated. base_model: hub id of the encoder, or empty.
    """

    name: str
    lang: str
    licence: str = ""
    base_model: str = ""


def best_strategy(parity: Parity) -> ParityRow:
    """The aggregation strategy with the highest F1, the simplest of equals."""
    return max((parity.row(name) for name in STRATEGIES), key=lambda row: row.micro.f1)


def parity_markdown(parity: Parity) -> str:
    """Write the sheet: scores by strategy, F1 by type, and what the rows mean."""
    return "\n\n".join(["# Parity of the exported model with its pipeline", *_sheet(parity)]) + "\n"


def model_card(parity: Parity, facts: CardFacts) -> str:
    """Write the card as Markdown, with front matter for the Hugging Face hub. The scores are the best strategy's."""
    best = best_strategy(parity)
    scores = HubScores(parity.n_passages, best.micro.precision, best.micro.recall, best.micro.f1)
    types = list(best.by_type)
    front = render(facts.name, facts.lang, facts.licence, scores, library="transformers", base_model=facts.base_model)
    usage = USAGE.format(task=TASK, folder=facts.name, strategy=best.name, stride=parity.stride)
    parts = [
        front,
        f"# {facts.name}",
        f"Finds {len(types)} types of names in text in `{facts.lang}`: {', '.join(types)}. Exported from a spaCy "
        f"pipeline ({parity.pipeline}) with domain-ner {__version__} on {parity.date}.",
        usage,
        f"Labels are IOB2: `B-` begins an entity, `I-` continues it. The encoder reads {parity.window} wordpieces at "
        "once; without `stride`, the rest of a longer text is cut off without a word.",
        "## Scores",
        *_sheet(parity),
        "## Limits",
        "\n".join(f"- {line}" for line in _limits(parity)),
    ]
    return "\n\n".join(parts) + "\n"


def _sheet(parity: Parity) -> list[str]:
    heads = ["entities by", "F1", "difference", "precision", "recall", "agreement", "entities"]
    by_type = ["type", *(row.name for row in parity.rows), "support"]
    labels = list(parity.row(PIPELINE).by_type)
    return [
        f"Exact matches of offsets and type on {parity.n_passages:,} passages of {parity.test}, in per cent; "
        f"{parity.date}, transformers {parity.transformers}. The difference is from the pipeline, in points. Agreement "
        "is the F1 with the pipeline's entities in the place of the annotations.",
        table(heads, map(_figures, parity.rows)),
        "\n".join(f"- {row.name}: {MEANINGS[row.name]}" for row in parity.rows),
        "F1 by type:",
        table(by_type, [*(_of_type(parity, label) for label in labels), _overall(parity)]),
        _made(parity),
    ]


def _figures(row: ParityRow) -> list[str]:
    shares = map(percent, (row.micro.precision, row.micro.recall, row.agreement))
    return [row.name, percent(row.micro.f1), difference(row.difference), *shares, f"{row.n_predicted:,}"]


def _of_type(parity: Parity, label: str) -> list[str]:
    scores = [row.by_type[label].f1 if label in row.by_type else 0.0 for row in parity.rows]
    return [label, *map(percent, scores), f"{parity.row(PIPELINE).by_type[label].support:,}"]


def _overall(parity: Parity) -> list[str]:
    return [ALL_ROW, *(percent(row.micro.f1) for row in parity.rows), f"{parity.row(PIPELINE).micro.support:,}"]


def _made(parity: Parity) -> str:
    n_long = (
        f"{parity.n_long:,} passages are longer than {parity.window} wordpieces; their parts share {parity.stride}."
    )
    if not parity.epochs:
        return f"The encoder is the pipeline's; only the classifier was fitted. {n_long}"
    return (
        f"The encoder was trained for {parity.epochs} epochs to give the pipeline's probabilities by itself. {n_long}"
    )


def _limits(parity: Parity) -> list[str]:
    best = best_strategy(parity)
    limits = [
        f"It has neither the CRF nor the lexical features of the pipeline: by `{best.name}`, its F1 differs by "
        f"{difference(best.difference)} points.",
        "`score` is the mean of a softmax over wordpieces. It is not the probability of the entity, which the pipeline "
        "gives as `ent._.confidence`, and no threshold of the pipeline applies.",
    ]
    if not parity.has_words:
        limits.append(
            "Its tokenizer does not mark where words end: `first`, `average` and `max` take what is between two spaces "
            "for a word, with the full stop or bracket at its edge."
        )
    return limits
