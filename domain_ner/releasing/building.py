"""Builds the wheels of a version, as `package` does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain_ner.evaluation.predicting import read_docs
from domain_ner.monitoring.building import package_baseline
from domain_ner.packaging.building import build_tested_wheels
from domain_ner.packaging.documents import Inputs, describe
from domain_ner.packaging.wheels import Release
from domain_ner.releasing.candidate import Candidate, Statements

# Test passages whose predictions are compared in the clean environment.
MAX_COMPARED = 50


@dataclass(frozen=True)
class WheelBuilder:
    """Builds wheels in a project. documents: reports, guide and encoder's card; None: no model card.

    is_tested: whether to install them into a clean environment, and to compare the predictions there.
    """

    candidate: Candidate
    statements: Statements
    documents: Inputs | None
    say: Callable[[str], None]
    is_tested: bool = True

    def __call__(self, wheels: Path, version: str, epoch: int) -> str:
        """Build the wheels of a version into a new folder. epoch: time of the files in them. Returns the model card."""
        candidate, said = self.candidate, self.statements
        named = Release(candidate.package.partition("_")[2], version)
        inputs, documents = self.documents, None
        test, *learned = (candidate.corpus / f"{split}.spacy" for split in ("test", "train", "dev"))
        if inputs is not None:
            documents = describe(
                candidate.model,
                candidate.nlp,
                named,
                inputs,
                licence=said.licence,
                contact=said.contact,
                group_by=said.group_by,
                baseline=package_baseline(candidate.nlp, candidate.model, test, learned),
            )
        docs = read_docs(test, candidate.nlp.vocab)[:MAX_COMPARED]
        build_tested_wheels(
            candidate.model,
            candidate.nlp,
            wheels,
            named,
            documents=documents,
            texts=[doc.text for doc in docs],
            say=self.say,
            is_tested=self.is_tested,
            epoch=epoch,
        )
        return documents.readme if documents else ""
