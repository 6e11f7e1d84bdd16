"""What spaCy's command line imports when it starts (entry point `spacy_cli`), whatever its command is.

For `spacy project run` it prepares the project; in all other commands it does nothing, and imports nothing.
"""

import sys
from collections.abc import Sequence


def before_run(arguments: Sequence[str]) -> None:
    """Refuse misspelt variables, and note changes of the code, before `spacy project run` of a domain-ner project.

    arguments: of the command line, without the program.
    Raises SystemExit (1) for a variable that project.yml does not have.
    """
    if list(arguments[:2]) != ["project", "run"]:
        return
    try:
        from domain_ner.project.preparation import prepare  # noqa: PLC0415 (each command of spaCy imports this module)
    except ImportError:  # a weasel that is not known here: runs go on without
        return
    prepare(arguments[2:])


before_run(sys.argv[1:])
