"""Writes the front matter of a model card for the Hugging Face hub: language, licence, tags and scores.

Format: https://huggingface.co/docs/hub/model-cards and modelcard.md of huggingface/hub-docs.
"""

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


def front_matter(name: str, lang: str, licence: str, head: Headline, encoder: EncoderCard) -> str:
    """Write the YAML, between two lines of dashes.

    name: of the package. lang: spaCy's code. licence: SPDX, or empty for none stated. head: the scores on the test set.
    """
    data: dict[str, Any] = {"language": [MULTILINGUAL if lang == ANY_LANGUAGE else lang]}
    data |= _licence(licence)
    data |= {"library_name": "spacy", "pipeline_tag": TASK, "tags": ["spacy", TASK, "named-entity-recognition"]}
    if encoder.path and encoder.hub_id:
        data["base_model"] = encoder.hub_id
    data |= {"metrics": ["precision", "recall", "f1"], "model-index": [{"name": name, "results": [_result(head)]}]}
    return f"---\n{srsly.yaml_dumps(data, indent_mapping=2, indent_sequence=2, indent_offset=0).rstrip()}\n---"


def _licence(licence: str) -> dict[str, str]:
    if not licence:
        return {}
    identifier = licence.lower().removesuffix("-only").removesuffix("-or-later")
    if identifier in LICENCES:
        return {"license": identifier}
    return {"license": "other", "license_name": "-".join(licence.lower().split())}


def _result(head: Headline) -> dict[str, Any]:
    micro = head.micro
    figures = (("Precision", "precision", micro.precision), ("Recall", "recall", micro.recall), ("F1", "f1", micro.f1))
    return {
        "task": {"type": TASK, "name": "NER"},
        "dataset": {"type": "held-out-test-set", "name": f"{head.n_passages:,} test passages", "split": "test"},
        "metrics": [
            {"type": kind, "name": f"NER {name}", "value": round(figure.value, 4)} for name, kind, figure in figures
        ],
    }
