"""What becomes of annotations and of documents on their way into the corpus: the names, and how a step says so.

A step of the conversion takes passages and returns them with outcomes. The ledger is written from these, in one place
(`domain_ner.conversion.accounts`).
"""

from dataclasses import dataclass

IMPORTED = "imported"
REPAIRED = "repaired"
DOUBTFUL = "kept as it is, doubtful"
FLATTENED = "flattened"
MERGED = "merged duplicate"
OVERRULED = "another annotator's kept"
MASKED = "masked as unknown"
REJECTED = "rejected by the annotator"
IGNORED = "ignored by the annotator"
CANCELLED = "cancelled"
PREDICTION = "prediction"
UNWANTED = "label left out (vars.labels)"
DROPPED = "dropped"
# In the order of the summary. The first four are in the corpus; only `dropped` counts as lost.
OUTCOMES = (
    IMPORTED, REPAIRED, DOUBTFUL, FLATTENED, MERGED, OVERRULED, MASKED, REJECTED, IGNORED, CANCELLED, PREDICTION,
    UNWANTED, DROPPED,
)  # fmt: skip
KEPT = (IMPORTED, REPAIRED, DOUBTFUL, FLATTENED)
# What a person decided to leave out was not lost by us.
LEFT_OUT = (REJECTED, IGNORED, CANCELLED, PREDICTION, UNWANTED)
# What `ledger.jsonl` says where there is no annotation.
UNREADABLE_DOCUMENT, UNREADABLE_TOKEN = "unreadable document", "unreadable token"
UNREADABLE = (UNREADABLE_DOCUMENT, UNREADABLE_TOKEN)

# What becomes of an accepted document: a passage of the corpus, or one of these reasons why it is none of its own.
IN_CORPUS = "in the corpus"
SAME_ANNOTATOR = "the same text again, by the same annotator"
OTHER_ANNOTATOR = "the same text, another annotator's kept"
UNNAMED = "the same text again, its annotator not named"
BY_VOTE = "the same text, its annotators' spans put together"
GATHERED = "yes/no answers, put together with others on the same text"
ANSWERED = "yes/no answers, the text is annotated in full elsewhere"
NO_TEXT = "no text"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step says of one annotation.

    row: its number in the ledger. outcome: one of OUTCOMES; empty where the step only adds a reason and what becomes of
        the annotation is still open. reason: a repair, or why it is so; empty for none.
    A step says IMPORTED of all that it keeps. An annotation with a repair then counts as REPAIRED.
    """

    row: int
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LeftOutDocument:
    """An accepted document that is no passage of its own, and why.

    source: `file:line`. reason: one of the above. kept: the source of the passage that stands for it; empty for none.
    """

    source: str
    reason: str
    kept: str = ""
