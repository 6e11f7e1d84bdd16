"""Writes the corpora, the tokenizer, the ledger and the split of each group."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domain_ner.annotations.outcomes import OUTCOMES
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.ledger_rows import OUTCOME_KEY, REASONS_KEY
from domain_ner.conversion.tokenising import Corpus
from domain_ner.corpus.token_splits import SplitRule
from domain_ner.files import atomic_path, write_text


def write_corpora(corpora: Mapping[str, Corpus], folder: Path) -> None:
    """Write a `.spacy` file for each split."""
    for name, corpus in corpora.items():
        with atomic_path(folder / f"{name}.spacy") as temporary:
            corpus.docs.write(temporary)


def write_tokenizer(rules: Sequence[SplitRule], folder: Path, *, normalize: str) -> None:
    """Write tokenizer.json, from which `create-config` configures the pipeline's tokenizer."""
    splits = [{"pattern": rule.pattern, "reason": rule.reason, "examples": list(rule.examples)} for rule in rules]
    write_json({"splits": splits, "normalize": normalize}, folder / "tokenizer.json")


def write_ledger(ledger: Ledger, folder: Path) -> None:
    """Write ledger.jsonl (a line per annotation), left_out.jsonl (a line per accepted document that is not a passage of
    its own), and ledger.json (the sums).
    """
    for name, lines in (("ledger.jsonl", ledger.to_jsonl()), ("left_out.jsonl", ledger.left_out_to_jsonl())):
        with atomic_path(folder / name) as temporary, temporary.open("w", encoding="utf8", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    write_json(_summary(ledger), folder / "ledger.json")


def write_json(data: Any, path: Path) -> None:
    """Write plain data as readable JSON."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def _summary(ledger: Ledger) -> dict[str, Any]:
    """Return the sums for ledger.json; its keys are a published format."""
    outcomes = ledger.outcomes()
    return {
        "annotations": len(ledger.rows),
        "fates": {outcome: outcomes[outcome] for outcome in OUTCOMES if outcomes[outcome]},
        "how": [
            {OUTCOME_KEY: outcome, REASONS_KEY: reason, "n": n}
            for (outcome, reason), n in ledger.reasons().most_common()
        ],
        "documents": dict(ledger.documents),
        "accepted": dict(ledger.passages),
        "files": dict(sorted(ledger.n_read.items())),
        "lost": {loss.kind: {"n": loss.n_lost, "of": loss.n, "share": loss.share} for loss in ledger.losses_by_kind()},
        "notes": [{"file": file, "note": note} for file, note in ledger.notes],
    }
