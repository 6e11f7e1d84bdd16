"""Installs a pipeline's wheels into an environment of its own: what that takes on disk, and how it starts there."""

import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from domain_ner.packaging.wheels import Release, build_wheels, in_order

ROOT = Path(__file__).parents[2]
ROUNDS = 3
START = """
import json, sys
from time import perf_counter
begun = perf_counter()
import spacy
spacy.load(sys.argv[1])("The payment-gateway lost its connection to Redis.")
took = perf_counter() - begun
with open("/proc/self/status") as status:
    memory = next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM"))
print(json.dumps([took, memory]))
"""


@dataclass(frozen=True)
class Installed:
    """size_mb: of all packages, without compiled files. start_s: import spaCy, load, first text; the best of three.
    memory_mb: the peak of that. is_consistent: whether `pip check` finds nothing.
    """

    n_packages: int
    size_mb: float
    start_s: float
    memory_mb: float
    is_consistent: bool


def install(model: Path, *beside: str) -> Installed:
    """Measure in a new environment. beside: more packages to install there."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        release = build_wheels(model, ROOT, room / "wheels", Release("measured", "1.0.0"))
        venv.create(room / "venv")
        python = str(room / "venv" / "bin" / "python")
        pip = [sys.executable, "-m", "pip", "--python", python]
        # The versions of here, but of what the packages beside it want otherwise.
        kept = {dist.name: dist.version.partition("+")[0] for dist in distributions() if dist.name != "domain-ner"}
        pinned = [] if beside else [f"{name}=={version}" for name, version in kept.items()]
        (room / "constraints.txt").write_text("\n".join(pinned), encoding="utf8")
        wheels = map(str, in_order(room / "wheels"))
        given = ["install", "--quiet", "--no-compile", "-c", str(room / "constraints.txt"), *wheels, *beside]
        subprocess.run([*pip, *given], check=True)
        packages = next((room / "venv" / "lib").glob("python*/site-packages"))
        size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
        n_packages = len(list(packages.glob("*.dist-info")))
        command = [python, "-I", "-c", START, release.name]
        runs = [
            json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=room).stdout)
            for _ in range(ROUNDS + 1)  # the first compiles
        ][1:]
        checked = subprocess.run([*pip, "check"], check=False, stdout=sys.stderr).returncode == 0
        return Installed(n_packages, size / 1e6, min(run[0] for run in runs), min(run[1] for run in runs), checked)


def table(made: dict[str, Installed]) -> list[str]:
    """A row for each environment."""
    lines = ["| wheels | packages | installed MB | start s | memory MB | `pip check` |", "| --- |" + " ---: |" * 5]
    return lines + [
        f"| {name} | {of.n_packages} | {of.size_mb:,.0f} | {of.start_s:.1f} | {of.memory_mb:,.0f} |"
        f" {'clean' if of.is_consistent else 'conflicts'} |"
        for name, of in made.items()
    ]
