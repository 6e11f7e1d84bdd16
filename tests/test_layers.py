"""The rooms of the package: a module imports from its own room and from those below it. Files stay short."""

import ast
import re
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import distribution
from pathlib import Path

import pytest
from conftest import ROOT

# From the ground up: a room may import from those before it, and from itself. A folder is one room, with all in it.
ROOMS = [
    "__init__", "errors", "processes", "files", "project", "devices", "annotations", "metrics", "readers", "corpus",
    "conversion",
    "guide", "llm", "encoders", "transformer", "onnx_encoder", "crf_ner", "optimizing", "training", "writers",
    "evaluation", "llm_fallback", "selecting", "pseudo_labels", "inspection", "monitoring", "reports", "packaging",
    "huggingface", "annotating", "reviewing", "drafting", "releasing", "serving", "client", "api", "commands",
    "__main__",
]  # fmt: skip
# Pure: no spaCy and no PyTorch.
PURE_ROOMS = {"__init__", "errors", "processes", "files", "project", "annotations", "metrics", "llm", "client"}
PURE_MODULES = {
    "corpus/assignments", "corpus/connected", "corpus/damage", "corpus/file_splits", "corpus/grouping",
    "corpus/near_duplicates", "corpus/normalization", "corpus/set_join", "corpus/splits", "crf_ner/charts",
    "crf_ner/decoding", "crf_ner/padding", "crf_ner/selection", "crf_ner/settings", "guide/markup",
    "monitoring/observations",
    "onnx_encoder/threads", "serving/batching", "serving/settings", "transformer/alignment", "transformer/batches",
    "transformer/windows",
}  # fmt: skip
MAX_LINES = 300
HEAVY = {"spacy", "spacy_transformers", "torch", "transformers", "thinc"}
PACKAGE = ROOT / "domain_ner"
MODULES = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))
PURE = [name for name in MODULES if name.split("/")[0] in PURE_ROOMS or name in PURE_MODULES]


@cache
def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [
        node for node in ast.walk(ast.parse(path.read_text("utf8"))) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def imported_names(path: Path) -> list[str]:
    found = []
    for node in imports(path):
        names = [alias.name for alias in node.names]
        # Of `from domain_ner.readers import brat`, `domain_ner.readers.standoff.brat` is one too.
        found += names if isinstance(node, ast.Import) else [node.module, *(f"{node.module}.{name}" for name in names)]
    return found


def own_imports(path: Path) -> list[str]:
    """The modules of the package that a file imports, as in LAYERS."""
    inner = [
        name.partition(".")[2].replace(".", "/") for name in imported_names(path) if name.split(".")[0] == "domain_ner"
    ]
    found = [name if name in MODULES else f"{name}/__init__" if name else "__init__" for name in inner]
    return [name for name in found if name in MODULES]


def room_of(name: str) -> str:
    return name.partition("/")[0]


def test_every_module_is_in_a_room():
    assert {room_of(name) for name in MODULES} == set(ROOMS)
    assert set(MODULES) >= PURE_MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_from_its_own_room_and_from_those_below(name):
    for imported in own_imports(PACKAGE / f"{name}.py"):
        assert ROOMS.index(room_of(imported)) <= ROOMS.index(room_of(name)), imported


def defined_in(name: str) -> set[str]:
    """The names that a module defines at its top level."""
    found = set()
    for node in ast.parse((PACKAGE / f"{name}.py").read_text("utf8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("room", [name for name in ROOMS if (PACKAGE / name).is_dir() and name != "files"])
def test_a_room_names_what_is_public_in_it(room):
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf8"))) or ""
    public = re.findall(r"`(\w+)`\s+\(`(\w+)`\)", docstring.partition("Public: ")[2])
    assert public
    for name, module in public:
        assert name in defined_in(f"{room}/{module}"), name


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_know_no_framework(name):
    assert not HEAVY & {imported.split(".")[0] for imported in imported_names(PACKAGE / f"{name}.py")}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("readers/")])
def test_what_one_format_needs_is_imported_when_it_is_read(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf8"))
    top_level = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or node.names[0].name for node in top_level]
    assert not {name.partition(".")[0] for name in names} & {"bioc", "cassis", "lxml"}


@pytest.mark.parametrize("name", [name for name in MODULES if room_of(name) != "commands"])
def test_only_the_commands_print_and_read_the_command_line(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"print", "input"}
    if name != "project/hook":  # it looks for `project run` in spaCy's command line
        assert "argv" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_what_spacy_finds_by_entry_point_imports_without_torch():
    """spaCy loads every entry point when it misses a name, so that one import that fails breaks every pipeline."""
    todo = [entry.module for entry in distribution("domain-ner").entry_points if entry.group != "console_scripts"]
    assert todo
    seen = set()
    while todo:
        module = todo.pop().removeprefix("domain_ner.").replace(".", "/")
        seen.add(module)
        path = PACKAGE / (f"{module}/__init__.py" if (PACKAGE / module).is_dir() else f"{module}.py")
        top_level = [
            node for node in ast.parse(path.read_text("utf8")).body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        names = [getattr(node, "module", None) or node.names[0].name for node in top_level]
        assert not {name.split(".")[0] for name in names} & {"torch", "transformers", "spacy_transformers"}, module
        todo += [name for name in names if name.startswith("domain_ner.") and name not in seen]


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: set(own_imports(PACKAGE / f"{name}.py")) for name in MODULES}
    list(TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize("folder", ["domain_ner", "scripts", "benchmarks", "tests"])
def test_no_file_is_too_long(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    n_lines = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf8").splitlines()) for path in paths}
    assert not {name: n for name, n in n_lines.items() if n > MAX_LINES}


def test_no_two_test_files_have_the_same_name():
    """Folders of tests are no packages: pytest imports a second file of that name in place of the first, and fails."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, n in names.items() if n > 1] == []
