"""`docs`: the reference pages of docs/ from project.yml, and the site from docs/."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import typer
from _reference import pages

from domain_ner.commands.console import say, writes
from domain_ner.commands.main import run_function
from domain_ner.errors import DomainNerError, raise_for
from domain_ner.files import write_text

# What makes a browser fetch something; a link that waits for a click does not.
TAGS = re.compile(r"<(?:script|img|iframe|source|video|audio|embed|link)\b[^>]*>")
FETCHED = re.compile(r"""(?:src|srcset|href)=["']?((?:https?:)?//[^\s"'>]+)""")
IN_STYLES = re.compile(r"""(?:@import\s*["']?|url\(["']?)((?:https?:)?//[^\s"')]+)""")


@writes("site")
def main(
    project: Path = typer.Argument(..., help="project.yml, of which the reference pages are made."),
    docs: Path = typer.Argument(..., help="Folder of the pages; the generated ones go to reference/ in it."),
    site: Path = typer.Option(Path("training/site"), help="Folder for the site; it is replaced."),
    check: bool = typer.Option(False, "--check", help="Only say whether the generated pages are up to date."),
) -> None:
    """Write docs/reference/variables.md and commands.md, and build the site; any broken link stops it."""
    made = {docs / "reference" / name: text for name, text in pages(project).items()}
    if check:
        require_fresh(made)
        return
    for path, text in made.items():
        write_text(path, text)
    build(project.parent / "mkdocs.yml", site.resolve())
    require_self_contained(site)
    say(f"site: {site}/index.html; with search: python -m http.server --directory {site}")


def require_fresh(made: Mapping[Path, str]) -> None:
    """Raise DomainNerError that names the pages on disk that differ from what would be written."""
    stale = [str(path) for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf8") != text]
    raise_for(stale, summary="{n} generated pages are not up to date:", fix="Run: python -m spacy project run docs")


def build(config: Path, site: Path) -> None:
    """Build the site; a warning, of a link that leads nowhere, say, is an error."""
    if find_spec("mkdocs") is None:
        raise DomainNerError("MkDocs is not installed.", 'Install it: pip install -e ".[docs]"')
    options = ["--strict", "--config-file", str(config), "--site-dir", str(site)]
    # Without the theme's notice of its end of life, and the colours of a terminal.
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", *options], check=False, capture_output=True, text=True,
        encoding="utf8", env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    if built.returncode:
        raise DomainNerError(f"mkdocs build --strict failed:\n{built.stdout}{built.stderr}".rstrip())


def require_self_contained(site: Path) -> None:
    """Raise DomainNerError where a page would fetch something from another host."""
    raise_for(
        list(external_requests(site)),
        summary="{n} files of the site fetch something from another host:",
        fix="Put it into docs/, or turn it off in mkdocs.yml.",
    )


def external_requests(site: Path) -> Iterator[str]:
    """A line for each address outside the site that its pages and styles make a browser fetch."""
    for path in sorted(site.rglob("*")):
        if path.suffix not in {".html", ".css"}:
            continue
        text = path.read_text(encoding="utf8")
        for tag in TAGS.findall(text):
            yield from (f"{path}: {address}" for address in FETCHED.findall(tag))
        yield from (f"{path}: {address}" for address in IN_STYLES.findall(text))


if __name__ == "__main__":
    run_function(main, "docs")
