"""The reference pages of docs/ that are made of project.yml and of the options of its scripts."""

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import srsly
import typer

from domain_ner.commands.catalogue import COMMANDS
from domain_ner.commands.loading import load, single_command
from domain_ner.project.fingerprints import FOLDER

GENERATED = "<!-- Written by `spacy project run docs` from project.yml: change that, not this page. -->"
VARIABLE = re.compile(r"\$\{vars\.(\w+)\}")
# Under `vars:` in project.yml: a heading with the page that says more, a variable's comment, a variable.
HEADING = re.compile(r"^  ## (.+) \(docs/(\S+)\)$")
COMMENT = re.compile(r"^  # (.+)$")
ENTRY = re.compile(r"^  (\w+):")
MARKDOWN = re.compile(r"([\\*_<>\[\]|`])")


@dataclass(frozen=True)
class Group:
    """Variables under one heading of project.yml. page: of docs/, says more. comments: name to comment."""

    title: str
    page: str
    comments: Mapping[str, str]


@dataclass(frozen=True)
class Option:
    """An argument or option of a script. default: None where it has none."""

    name: str
    names: str
    meaning: str
    is_argument: bool
    is_flag: bool
    is_required: bool
    takes_several: bool
    default: str | None


@dataclass(frozen=True)
class Script:
    """A script of the project: what its help says."""

    summary: str
    options: Sequence[Option]


def pages(project: Path) -> dict[str, str]:
    """File name to text of each generated page. project: project.yml."""
    text = project.read_text(encoding="utf8")
    config = srsly.yaml_loads(text)
    scripts = {
        _path(command): read_script(command["name"], project.parent / _path(command)) for command in config["commands"]
    }
    return {
        "variables.md": _page(variables_page(groups(text), config)),
        "commands.md": _page(commands_page(config, scripts)),
    }


def groups(text: str) -> list[Group]:
    """The variables of project.yml with their headings and comments, in its order. text: of project.yml.

    Raises ValueError for a variable without a heading above it, or without one line of comment.
    """
    found: list[Group] = []
    comments: list[str] = []
    for line in text.partition("\nvars:\n")[2].splitlines():
        if line and not line.startswith("  "):
            break
        heading, comment, entry = HEADING.match(line), COMMENT.match(line), ENTRY.match(line)
        if heading:
            found.append(Group(heading[1], heading[2], {}))
        elif comment:
            comments.append(comment[1])
        elif entry:
            if not found or len(comments) != 1:
                raise ValueError(f"vars.{entry[1]} in project.yml needs a heading, and one line of comment above it")
            found[-1] = replace(found[-1], comments={**found[-1].comments, entry[1]: comments.pop()})
    return found


def read_script(name: str, path: Path) -> Script:
    """Import a command, and read its command line as its `--help` shows it. path: of the script that runs it."""
    function = load(name) if name in COMMANDS else _import(path).main
    command = typer.main.get_command(single_command(function))
    return Script((command.help or "").strip(), [_option(param) for param in command.params])


def variables_page(grouped: Sequence[Group], config: Mapping[str, Any]) -> Iterator[str]:
    """The lines of variables.md."""
    users = {name: [_link(command["name"]) for command in config["commands"] if name in _uses(command)]
             for name in config["vars"]}  # fmt: skip
    yield "# Variables"
    yield "Change a variable under `vars:` in `project.yml`, or for one run on the command line:"
    yield "```bash\nspacy project run all . --vars.encoder cnn\n```"
    yield "The folder, `.`, stands before the variables. A misspelt variable is an error that names the nearest one."
    for group in grouped:
        yield f"## {group.title}"
        yield f"[More on {group.title[0].lower()}{group.title[1:]}](../{group.page})"
        for name, comment in group.comments.items():
            yield f"### `{name}` {{#{name}}}"
            yield _escape(comment)
            yield f"Default: {_code(config['vars'][name])}. Used by {', '.join(users[name]) or 'no command'}."


def commands_page(config: Mapping[str, Any], scripts: Mapping[str, Script]) -> Iterator[str]:
    """The lines of commands.md."""
    yield "# Commands"
    yield "Run a command or a workflow from the project's folder:"
    yield "```bash\nspacy project run validate\n```"
    yield (
        "A command with files under *Reads* runs only if one of them, its code or its command line has changed."
        " `--force` runs it anyway. The other commands run each time."
    )
    yield "## Workflows"
    yield "\n".join(f"- `{name}`: {', '.join(map(_link_here, steps))}" for name, steps in config["workflows"].items())
    for command in config["commands"]:
        yield from _command(command, scripts[_path(command)], config["workflows"])


def _command(command: Mapping[str, Any], script: Script, workflows: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"## `{command['name']}` {{#{command['name']}}}"
    yield _escape(command["help"]) + "."
    reads = [dep for dep in command.get("deps", ()) if not dep.startswith(FOLDER)]
    writes = [*command.get("outputs", ()), *command.get("outputs_no_cache", ())]
    facts = {
        "Workflow": [f"`{name}`" for name, steps in workflows.items() if command["name"] in steps],
        "Reads": [f"`{path}`" for path in reads],
        "Writes": [f"`{path}`" for path in writes],
        "Variables": [f"[`{name}`](variables.md#{name})" for name in _uses(command)],
    }
    yield "\n".join(f"- {title}: {', '.join(values)}" for title, values in facts.items() if values)
    yield f"`{_path(command)}`: {_escape(script.summary)}"
    if script.options:
        yield _table(script.options, given(command["script"][0], script.options))


def given(line: str, options: Sequence[Option]) -> dict[str, list[str]]:
    """What a command line of project.yml gives to each argument and option, by name."""
    named = {f"--{option.name.replace('_', '-')}": option for option in options}
    named |= {name: option for option in options for name in option.names.split(" / ")}
    arguments = [option for option in options if option.is_argument]
    words, found = shlex.split(line)[2:], dict[str, list[str]]()
    while words:
        word = words.pop(0)
        option = named.get(word) if word.startswith("--") else arguments[0]
        if option is None:
            raise ValueError(f"{word} is no option of {shlex.split(line)[1]}")
        if option.is_argument:
            found.setdefault(option.name, []).append(word)
            arguments = arguments if option.takes_several else arguments[1:]
        else:
            found[option.name] = [word if option.is_flag else words.pop(0)]
    return found


def _table(options: Sequence[Option], values: Mapping[str, Sequence[str]]) -> str:
    rows = ["| argument or option | in `project.yml` | default | meaning |", "| --- | --- | --- | --- |"]
    for option in options:
        in_project = " ".join(map(_given, values.get(option.name, ())))
        default = "required" if option.is_required else _code(option.default) if option.default is not None else ""
        rows.append(f"| `{option.names}` | {in_project} | {default} | {_cell(option.meaning)} |")
    return "\n".join(rows)


def _given(value: str) -> str:
    variable = VARIABLE.fullmatch(value)
    return f"[`vars.{variable[1]}`](variables.md#{variable[1]})" if variable else _code(value)


def _option(param: Any) -> Option:
    is_argument = param.param_type_name == "argument"
    names = [param.name.upper()] if is_argument else [*param.opts, *param.secondary_opts]
    is_flag = bool(getattr(param, "is_flag", False))
    return Option(
        param.name, " / ".join(names), getattr(param, "help", "") or "", is_argument, is_flag,
        bool(param.required), param.nargs == -1, None if param.required else _default(param),
    )  # fmt: skip


def _default(param: Any) -> str | None:
    shown, value = getattr(param, "show_default", None), param.default
    if isinstance(shown, str):  # worked out when the command is called
        return shown
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    if isinstance(value, Path):
        return value.as_posix()
    return str(value) if isinstance(value, str | int | float) else None


def _import(path: Path) -> Any:
    """A script as a module; what stands beside it is found too. Its name is its own: two folders may share one."""
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    name = f"{path.parent.name}__{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _uses(command: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(VARIABLE.findall(" ".join(command["script"]))))


def _path(command: Mapping[str, Any]) -> str:
    return str(shlex.split(command["script"][0])[1])


def _link(command: str) -> str:
    return f"[`{command}`](commands.md#{command})"


def _link_here(command: str) -> str:
    return f"[`{command}`](#{command})"


def _code(value: Any) -> str:
    text = str(value).replace("|", "\\|")
    return f"`{text}`" if text else "empty"


def _escape(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", text)


def _cell(text: str) -> str:
    """Help in a table: it has Markdown's backticks."""
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join([GENERATED, *parts]) + "\n"
