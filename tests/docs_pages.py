"""The pages of docs/ and README.md: their blocks of code, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

import srsly
from conftest import ROOT

PROJECT = srsly.read_yaml(ROOT / "project.yml")
COMMANDS = {command["name"]: command for command in PROJECT["commands"]}
RUNNABLE = {*COMMANDS, *PROJECT["workflows"]}
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
GENERATED = {REFERENCE / "variables.md", REFERENCE / "commands.md"}
PAGES = [ROOT / "README.md", *sorted(set(DOCS.rglob("*.md")) - GENERATED)]
GUIDES = [page for page in PAGES if page.parent == DOCS]
FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})(.*)$")
CODE = re.compile(r"(`+)(.+?)\1")
WEASEL = re.compile(r"<!-- WEASEL.*?START.*?END[^>]*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code. line: the number of its first line, from 1."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


@cache
def read(page):
    """The text of a page, with empty lines for what weasel writes into the README."""
    return WEASEL.sub(lambda found: "\n" * found[0].count("\n"), page.read_text(encoding="utf8"))


@cache
def parts(page):
    """(blocks of code, lines of the page with those of blocks emptied)."""
    blocks, prose, inside, fence, language, start = [], [], [], "", "", 0
    for number, line in enumerate(read(page).splitlines(), start=1):
        found = FENCE.match(line)
        if fence and found and found[2].startswith(fence) and not found[3].strip():
            blocks.append(Block(page, start, language, dedent("\n".join(inside)) + "\n"))
            fence, inside = "", []
        elif fence:
            inside.append(line)
        elif found:
            fence, language, start = found[2], found[3].strip().partition(" ")[0], number + 1
        prose.append("" if fence or found else line)
    assert not fence, f"{page}: a block that does not end"
    return blocks, prose


def blocks(language, *pages):
    return [block for page in pages or PAGES for block in parts(page)[0] if block.language == language]


def marked(block):
    """Whether the line above a block says that it needs a GPU, a hub, a network or hours."""
    lines = read(block.page).splitlines()
    return re.search(r"<!-- needs: (gpu|hub|network|hours) -->", lines[block.line - 3]) is not None


def code_spans(page):
    """(line, code) of all code in sentences."""
    for number, line in enumerate(parts(page)[1], start=1):
        for found in CODE.finditer(line):
            yield number, found[2].strip()


def shell_commands(text):
    """The words of each command of a shell block."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        command = []
        for word in [*words, ";"]:
            if word in {"&&", "||", "|", ";"}:
                if command:
                    yield command
                command = []
            else:
                command.append(word)


def spacy_words(words):
    """The words after `spacy` in a command line that calls it, or else none."""
    if Path(words[0]).name == "spacy":
        return words[1:]
    return words[3:] if Path(words[0]).name.startswith("python") and words[1:3] == ["-m", "spacy"] else []
