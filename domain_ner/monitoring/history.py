"""Keeps a line for each window that was compared, so that runs of a timer build a trend."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from domain_ner.errors import DomainNerError
from domain_ner.files import write_text
from domain_ner.monitoring.report import MonitorReport, Past


def read_history(path: Path) -> list[Past]:
    """Read the windows of earlier runs, the oldest first; none if there is no file.

    Raises DomainNerError when a line is something else.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), 1):
        try:
            rows.append(Past.model_validate_json(line))
        except ValidationError as err:
            raise DomainNerError(
                f"{path}:{number} is no window of monitor: {err.errors()[0]['msg']}.", "Remove the line, or the file."
            ) from err
    return rows


def write_history(path: Path, past: Sequence[Past], report: MonitorReport) -> None:
    """Write the windows of earlier runs and of this one; one that is there, with the same figures, is not added."""
    rows = list(past)
    known = {(row.name, row.n_documents, row.figures) for row in rows}
    for window in report.windows:
        if (window.name, window.n_documents, window.figures) not in known:
            rows.append(
                Past(
                    date=report.date,
                    name=window.name,
                    n_documents=window.n_documents,
                    verdict=window.verdict,
                    figures=window.figures,
                )
            )
    write_text(path, "".join(f"{row.model_dump_json()}\n" for row in rows))
