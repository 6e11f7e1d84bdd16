"""Hooks into spaCy's command line, which imports this module on every start (entry point `spacy_cli`).

Prepares the project for `spacy project run`; for all other commands it does and imports nothing.
"""

import sys
from collections.abc import Sequence


def before_run(arguments: Sequence[str]) -> None:
    """Reject misspelt variables, and record code changes, before `spacy project run` of a domain-ner project.

    arguments: of the command line, without the program.
    Raises SystemExit (1) for a variable that project.yml does not have.
    """
    if list(arguments[:2]) != ["project", "run"]:
        return
    try:
        from domain_ner.project.preparation import prepare  # noqa: PLC0415 (each command of spaCy imports this module)
    except ImportError:  # an unknown version of weasel: the run continues without it
        return
    prepare(arguments[2:])


before_run(sys.argv[1:])
