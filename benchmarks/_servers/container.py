"""Runs the commands of deploy/Dockerfile in a clean environment, with the image's folders moved into one of our own."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _servers.processes import HOST
from domain_ner.errors import DomainNerError

DEPLOY = Path(__file__).parents[2] / "deploy"


@dataclass(frozen=True)
class Container:
    """What the image runs. check: the health check. environment: the image's, and nothing else."""

    python: Path
    command: Sequence[str]
    check: Sequence[str]
    environment: dict[str, str]

    def is_healthy(self) -> bool:
        """Whether the health check of the image passes."""
        return not subprocess.run(self.check, env=self.environment, stderr=subprocess.DEVNULL, check=False).returncode


def built_from(wheels: Sequence[Path], pipeline: str, folder: Path, port: int, settings: dict[str, str]) -> Container:
    """Run what the Dockerfile runs to build the image.

    wheels: what `package` wrote. pipeline: the name of the installed package. folder: for the environment; new.
    settings: variables of the environment, as an operator sets them.
    Raises DomainNerError if a command of the Dockerfile fails.
    """
    build = folder / "build"
    build.mkdir(parents=True)
    for path in [DEPLOY / "requirements.txt", *wheels]:
        shutil.copy(path, build)
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf8").replace("\\\n", " ").replace("$PIPELINE", pipeline)
    moved = {"/venv": f"{folder}/venv", "/build": str(build), "python -m venv": f"{sys.executable} -m venv"}
    for old, new in moved.items():
        text = text.replace(old, new)
    lines = re.findall(r"^(RUN|ENV|ENTRYPOINT|HEALTHCHECK) +(.+)$", text, re.MULTILINE)
    first = dict(reversed(lines))
    install = next(line for kind, line in lines if kind == "RUN" and "pip install" in line)
    ran = subprocess.run(["bash", "-ec", install], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise DomainNerError(f"A command of the Dockerfile failed: {install}\n{ran.stderr[-2000:]}")
    environment = {
        **dict(re.findall(r"(\w+)=(\S+)", first["ENV"])),
        "PATH": "",
        **settings,
        "DOMAIN_NER_HOST": HOST,
        "DOMAIN_NER_PORT": str(port),
    }
    return Container(
        folder / "venv" / "bin" / "python",
        json.loads(first["ENTRYPOINT"]),
        json.loads(first["HEALTHCHECK"].partition("CMD ")[2]),
        environment,
    )
