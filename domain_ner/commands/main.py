"""Runs a command, from the command line or from a script, and handles Ctrl-C and errors.

Imports little: Ctrl-C is handled before anything that takes time.
"""

import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domain_ner.commands import stopping


def run() -> None:
    """Run `domain-ner`, or `python -m domain_ner`."""
    program = ["python", "-m", "domain_ner"] if Path(sys.argv[0]).name == "__main__.py" else ["domain-ner"]
    stopping.take_over(shlex.join([*program, *sys.argv[1:]]), in_project=False)
    from domain_ner.commands.loading import app

    _run(app)


def run_script(name: str) -> None:
    """Run a command as a script of the project. name: as in project.yml."""
    stopping.take_over(name, in_project=True)
    from domain_ner.commands.loading import load, single_command

    _run(single_command(load(name)))


def run_function(command: Callable[..., Any], name: str) -> None:
    """Run a command that is not part of the package. command: with typer's options. name: as in project.yml."""
    stopping.take_over(name, in_project=True)
    from domain_ner.commands.loading import single_command

    _run(single_command(command))


def _run(app: Callable[[], Any]) -> None:
    """Run a command line. Problems that the user can fix end it with a message and exit code 1, not a traceback."""
    with stopping.watch():
        from domain_ner.commands.console import complain
        from domain_ner.errors import DomainNerError

        try:
            app()
        except DomainNerError as error:
            complain(f"✘ {error}")
            sys.exit(1)
        except OSError as error:
            place = error.filename or f"{Path.cwd()} or {tempfile.gettempdir()}"
            complain(f"✘ {error.strerror or error}: {place}")
            complain("Check the permissions and the free space there.")
            sys.exit(1)
