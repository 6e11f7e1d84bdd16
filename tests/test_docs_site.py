"""docs/ and README.md: what they show exists, what exists is shown, and the site is built from them."""

import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import typer
from conftest import ROOT
from docs_pages import (
    COMMANDS,
    DOCS,
    GUIDES,
    PAGES,
    PROJECT,
    REFERENCE,
    RUNNABLE,
    blocks,
    code_spans,
    parts,
    read,
    shell_commands,
    spacy_words,
)

# What a page says of a folder of the project: `training/reports/ledger.json`.
PATH = re.compile(
    r"(?<![\w/.-])(?:assets|benchmarks|configs|corpus|docs|domain_ner|findings|scripts|tests|training)/[\w./-]*\w"
)
# A value for one run is the user's.
GIVEN = re.compile(r"(--vars\.\w+)[ =](?:'[^']*'|\"[^\"]*\"|\S+)")
# Below these are files of the user's own.
OF_USERS = ("assets/annotations/", "assets/encoders/", "assets/raw", "training/exports/")


def shown_commands():
    """(where, words) of every command line in a block, or in code in a sentence that begins like one."""
    for block in blocks("bash"):
        yield from ((str(block), words) for words in shell_commands(block.text))
    for page in PAGES:
        for line, code in code_spans(page):
            if re.match(r"(spacy|python3?|\S*/python3?) \S+", code) or " project run " in code:
                yield from ((f"{page.relative_to(ROOT)}:{line}", words) for words in shell_commands(code))


SHOWN = list(shown_commands())


def script_options():
    """The options of each script, as in the reference, which another test compares with the scripts."""
    found, script = {}, ""
    for line in (REFERENCE / "commands.md").read_text(encoding="utf8").splitlines():
        heading = re.match(r"`([\w/]+\.py)`:", line)
        row = re.match(r"\| `(--[^`]+)` \|", line)
        if heading:
            script = heading[1]
            found[script] = {"--help"}
        elif row:
            found[script] |= set(row[1].split(" / "))
    return found


def options_in(words):
    return {word.partition("=")[0] for word in words if word.startswith("--") and word != "--"}


def is_override(option):
    """Whether an option overrides a setting or variable, like `--training.max_steps`."""
    return "." in option


def test_the_navigation_lists_exactly_the_pages():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf8")
    named = re.findall(r": ([\w/-]+\.md)$", config, re.MULTILINE)
    assert sorted(named) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_the_generated_pages_are_up_to_date():
    """Fix it with: python -m spacy project run docs."""
    ran = subprocess.run(
        [sys.executable, "scripts/build_docs.py", "project.yml", "docs", "--check"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf8", check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_project_command_shown_exists_with_its_variables():
    wrong = []
    for where, words in SHOWN:
        if "project" in words and words[words.index("project") + 1 :][:1] == ["run"]:
            name = (words[words.index("project") + 2 :] or [""])[0]
            known = {"--force", "--dry", "--help", *(f"--vars.{variable}" for variable in PROJECT["vars"])}
            wrong += [f"{where}: no command {name}"] if name not in RUNNABLE | {"", "NAME"} else []
            wrong += [f"{where}: no option {option} of {name}" for option in options_in(words) - known]
    assert not wrong, "\n".join(wrong)


def test_every_script_shown_exists_with_its_options():
    known, wrong = script_options(), []
    for where, words in SHOWN:
        for script in (word for word in words if re.fullmatch(r"(?:scripts|benchmarks)/\w+\.py", word)):
            behind = words[words.index(script) + 1 :]
            unknown = options_in(behind) - known.get(script, set())
            wrong += [f"{where}: no script {script}"] if script not in known else []
            wrong += [f"{where}: no option {option} of {script}" for option in unknown if script in known]
    assert not wrong, "\n".join(wrong)


def test_every_module_shown_exists():
    modules = [
        (where, words[2]) for where, words in SHOWN if Path(words[0]).name.startswith("python") and words[1:2] == ["-m"]
    ]
    wrong = [f"{where}: no module {module}" for where, module in modules if not has_module(module)]
    assert modules
    assert not wrong, "\n".join(wrong)


@cache
def has_module(name):
    return find_spec(name) is not None


def test_every_command_of_spacy_shown_exists_with_its_options():
    from spacy.cli._util import app

    root, wrong = typer.main.get_command(app), []
    for where, words in SHOWN:
        command, behind = root, spacy_words(words)
        while behind and behind[0] in getattr(command, "commands", {}):
            command, *behind = command.commands[behind[0]], *behind[1:]
        if behind and hasattr(command, "commands"):
            wrong.append(f"{where}: spaCy has no {behind[0]}")
        known = {name for param in command.params for name in [*param.opts, *param.secondary_opts]} | {"--help"}
        wrong += [
            f"{where}: no option {option} of spaCy's {command.name}"
            for option in options_in(behind) - known if not is_override(option)
        ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_python_block_compiles(block):
    compile(block.text, str(block), "exec")


def test_every_variable_mentioned_exists():
    wrong = [
        f"{page.relative_to(ROOT)}:{number}: no variable {name}"
        for page in PAGES
        for number, line in enumerate(read(page).splitlines(), start=1)
        for name in re.findall(r"\bvars\.([a-z]\w*)", line)
        if name not in PROJECT["vars"]
    ]
    assert not wrong, "\n".join(wrong)


@cache
def written():
    """Every path that project.yml names for a command, with its parent folders."""
    texts = [str(value) for value in PROJECT["vars"].values()]
    for command in COMMANDS.values():
        texts += [*command.get("outputs", ()), *command.get("outputs_no_cache", ()), *command["script"]]
        texts.append(command["help"])
    paths = {path for text in texts for path in PATH.findall(text)}
    return paths | {parent.as_posix() for path in paths for parent in Path(path).parents}


@cache
def made_folders():
    outputs = [path for command in COMMANDS.values() for path in command.get("outputs", ())]
    return [path for path in outputs if not Path(path).suffix]


def test_what_a_block_needs_is_one_of_four():
    """Any other word would let the block run in a test, or be taken for one that runs."""
    found = [re.findall(r"<!-- needs: (.*?) -->", page.read_text(encoding="utf8")) for page in PAGES]
    assert {word for words in found for word in words} <= {"gpu", "hub", "network", "hours"}


@cache
def source():
    files = [path for folder in ("scripts", "domain_ner", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf8") for path in sorted(files))


def is_path(path):
    """Whether a path is in the repository or written by the code, as far as its names show without a run."""
    is_made = path.startswith(("training", "corpus", "benchmarks"))
    is_made_folder = any(path.startswith(f"{folder}/") for folder in made_folders())
    if (
        path in written()
        or is_made_folder
        or path.startswith(OF_USERS)
        or (not path.startswith(("training", "corpus")) and (ROOT / path).exists())
    ):
        return True
    name = re.escape(Path(path).name)
    return is_made and re.search(rf"[\"'/ {{(`]{name}\b|\b{name}[\"'`]", source()) is not None


def test_every_path_mentioned_exists_or_is_written_by_a_command():
    wrong = []
    for page in PAGES:
        codes = [*code_spans(page), *((block.line, block.text) for block in parts(page)[0] if block.language == "bash")]
        wrong += [
            f"{page.relative_to(ROOT)}:{line}: {path}"
            for line, code in codes for path in PATH.findall(GIVEN.sub(r"\1", code)) if not is_path(path)
        ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def codes_of_guides():
    for page in GUIDES:
        yield from (code for _, code in code_spans(page))
        yield from (block.text for block in parts(page)[0])


@pytest.mark.parametrize("kind", ["commands", "variables"])
def test_every_command_and_variable_is_on_a_page_outside_the_reference(kind):
    text = "\n".join(codes_of_guides())
    names = COMMANDS if kind == "commands" else PROJECT["vars"]
    missing = [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
    assert not missing


def load(script):
    spec = spec_from_file_location(script, ROOT / "scripts" / f"{script}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_site_replaces_a_link_to_another_file_of_the_repository_by_its_name():
    replace = load("_site_links").replace_links
    text = "[`README.md`](../README.md), [how](../../configs/presets.yml#x), [data](data.md), [gone](../gone.md)"
    shown = "`README.md`, how (`configs/presets.yml`), [data](data.md), [gone](../gone.md)"
    assert replace(text, ROOT, "docs/reference").partition(",")[2] == shown.partition(",")[2]
    assert replace(text, ROOT, "docs").partition(",")[0] == "`README.md`"


def test_docstrings_get_the_sections_that_mkdocstrings_reads():
    pytest.importorskip("griffe")
    text = "Do it.\n\na: one, not: two. b, c: three\n    and more.\nReturns a list.\nRaises ValueError when not."
    assert load("_docstrings").to_google(text, ["a", "b", "c"], "Args") == (
        "Do it.\n\nArgs:\n    a: one, not: two.\n    b: three and more.\n    c: three and more."
        "\n\nReturns:\n    a list.\n\nRaises:\n    ValueError: when not."
    )


def test_files_that_a_page_loads_from_another_host_are_found(tmp_path):
    page = '<a href="https://a.org">link</a><script src="x.js"></script><script src="https://b.org/x.js"></script>'
    (tmp_path / "index.html").write_text(page, encoding="utf8")
    (tmp_path / "site.css").write_text("p { background: url(//c.org/x.png) } a { background: url(x.png) }", "utf8")
    code = "import sys; sys.path.insert(0, 'scripts'); import pathlib, build_docs as b; print(*b.external_requests("
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}pathlib.Path(sys.argv[1])), sep='\\n')", tmp_path],
        cwd=ROOT, capture_output=True, text=True, encoding="utf8", check=True,
    )  # fmt: skip
    assert [line.rpartition(" ")[2] for line in ran.stdout.splitlines()] == ["https://b.org/x.js", "//c.org/x.png"]


def test_the_list_of_findings_has_every_script():
    scripts = {path.name for path in (ROOT / "findings").glob("*.sh")}
    assert scripts
    for page in (ROOT / "findings" / "README.md", DOCS / "findings.md"):
        assert set(re.findall(r"^\| \[?`(\w+\.sh)`", page.read_text(encoding="utf8"), re.MULTILINE)) == scripts
