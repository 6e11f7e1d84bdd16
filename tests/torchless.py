"""A Python environment without PyTorch: links to all installed packages but those that an optimised pipeline does
without.
"""

import sys
from pathlib import Path

from conftest import ROOT

ABSENT = ("torch", "transformers", "spacy_transformers", "onnx", "sentencepiece", "safetensors", "functorch")


def link_packages(folder: Path) -> list[str]:
    """Make the environment in an empty folder; returns the command of a Python that sees nothing else."""
    for packages in map(Path, sys.path):
        if packages.name == "site-packages":
            for path in packages.iterdir():
                name = path.name.partition("-")[0]  # of a package, or of the folder of its metadata
                if name not in ABSENT and path.suffix != ".pth" and not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path)
    if not (folder / "domain_ner").exists():
        (folder / "domain_ner").symlink_to(ROOT / "domain_ner")
    return [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n"]
