"""Writes the front matter of a model card for the Hugging Face hub: language, licence, tags and scores.

Format: https://huggingface.co/docs/hub/model-cards and modelcard.md of huggingface/hub-docs.
"""

from dataclasses import dataclass
from typing import Any

import srsly

from domain_ner.encoders.card import EncoderCard
from domain_ner.evaluation.schema import Headline

# From the hub's list, https://huggingface.co/docs/hub/repositories-licenses; any other licence is given as `other`.
LICENCES = {
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "isc", "unlicense", "zlib", "afl-3.0",
    "artistic-2.0", "mpl-2.0", "epl-1.0", "epl-2.0", "eupl-1.1", "eupl-1.2", "osl-3.0", "ms-pl", "ecl-2.0", "ncsa",
    "postgresql", "wtfpl", "gpl", "gpl-2.0", "gpl-3.0", "agpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "cc", "cc0-1.0",
    "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0",
    "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0",
}  # fmt: skip
# The hub's name for spaCy's code of no particular language.
ANY_LANGUAGE, MULTILINGUAL = "xx", "multilingual"
TASK = "token-classification"


@dataclass(frozen=True)
class HubScores:
    """Micro scores on a test set, 0..1. n_passages: of the test set."""

    n_passages: int
    precision: float
    recall: float
    f1: float


def front_matter(name: str, lang: str, licence: str, head: Headline, encoder: EncoderCard) -> str:
    """Write the front matter of a spaCy package.

    name: of the package. lang: spaCy's code. licence: SPDX, or empty for none stated. head: the scores on the test set.
    """
    micro = head.micro
    scores = HubScores(head.n_passages, micro.precision.value, micro.recall.value, micro.f1.value)
    return render(name, lang, licence, scores, library="spacy", base_model=encoder.hub_id if encoder.path else "")


def render(  # noqa: PLR0913
    name: str, lang: str, licence: str, scores: HubScores, *, library: str, base_model: str
) -> str:
    """Write the YAML, between two lines of dashes.

    library: that loads the model, as the hub names it. base_model: hub id of the encoder, or empty. Others as in
    `front_matter`.
    """
    data: dict[str, Any] = {"language": [MULTILINGUAL if lang == ANY_LANGUAGE else lang]}
    data |= _licence(licence)
    data |= {"library_name": library, "pipeline_tag": TASK, "tags": [library, TASK, "named-entity-recognition"]}
    if base_model:
        data["base_model"] = base_model
    data |= {"metrics": ["precision", "recall", "f1"], "model-index": [{"name": name, "results": [_result(scores)]}]}
    return f"---\n{srsly.yaml_dumps(data, indent_mapping=2, indent_sequence=2, indent_offset=0).rstrip()}\n---"


def _licence(licence: str) -> dict[str, str]:
    if not licence:
        return {}
    identifier = licence.lower().removesuffix("-only").removesuffix("-or-later")
    if identifier in LICENCES:
        return {"license": identifier}
    return {"license": "other", "license_name": "-".join(licence.lower().split())}


def _result(scores: HubScores) -> dict[str, Any]:
    figures = [("Precision", "precision", scores.precision), ("Recall", "recall", scores.recall)]
    figures.append(("F1", "f1", scores.f1))
    return {
        "task": {"type": TASK, "name": "NER"},
        "dataset": {"type": "held-out-test-set", "name": f"{scores.n_passages:,} test passages", "split": "test"},
        "metrics": [{"type": kind, "name": f"NER {name}", "value": round(value, 4)} for name, kind, value in figures],
    }
