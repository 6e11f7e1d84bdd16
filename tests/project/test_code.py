"""The files of code that a script runs, in a small package."""

import ast

import pytest

from domain_ner.project.code import Sources, files_of

FILES = {
    "scripts/show.py": "from _shared import say\n\ndef main():\n    from domain_ner.shapes import circle\n",
    "scripts/_shared.py": "import json\n",
    "scripts/run.py": 'from domain_ner.commands.main import run_script\n\nrun_script("show-shapes")\n',
    "scripts/other.py": "import domain_ner.shapes.square\n",
    "domain_ner/__init__.py": "",
    "domain_ner/commands/__init__.py": "",
    "domain_ner/commands/main.py": "",
    "domain_ner/commands/other.py": "import domain_ner.shapes.square\n",
    "domain_ner/commands/show_shapes.py": "def main():\n    from domain_ner.shapes import numbers\n",
    "domain_ner/numbers.py": "",
    "domain_ner/shapes/__init__.py": "",
    "domain_ner/shapes/circle.py": "import domain_ner.numbers\nPAGE = 'circle.html.j2'\n",
    "domain_ner/shapes/square.py": "from domain_ner.numbers import two\n",
    "domain_ner/shapes/circle.html.j2": "{% include 'base.css' %}",
    "domain_ner/shapes/base.css": "",
    "domain_ner/shapes/square.html.j2": "",
    "domain_ner/packaging/__init__.py": "",
    "domain_ner/packaging/wheels.py": "",
    "domain_ner/packaging/__pycache__/wheels.pyc": "",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf8")
    return tmp_path


def code_of(folder, script="scripts/show.py", sources=None):
    files = files_of(folder / script, folder / "domain_ner", sources or Sources())
    return {path.relative_to(folder).as_posix() for path in files}


def test_imports_are_followed_with_their_packages_and_templates_and_nothing_else_is(folder):
    assert code_of(folder) == {
        "scripts/show.py", "scripts/_shared.py", "domain_ner/__init__.py", "domain_ner/numbers.py",
        "domain_ner/shapes/__init__.py", "domain_ner/shapes/circle.py", "domain_ner/shapes/circle.html.j2",
        "domain_ner/shapes/base.css",
    }  # fmt: skip


def test_of_the_package_s_commands_the_one_that_a_script_runs_is_followed(folder):
    assert code_of(folder, "scripts/run.py") == {
        "scripts/run.py", "domain_ner/__init__.py", "domain_ner/commands/__init__.py", "domain_ner/commands/main.py",
        "domain_ner/commands/show_shapes.py", "domain_ner/shapes/__init__.py",
    }  # fmt: skip


def test_what_builds_wheels_depends_on_all_of_the_package(folder):
    (folder / "scripts" / "show.py").write_text("import domain_ner.packaging.wheels\n")
    package = {name for name in FILES if name.startswith("domain_ner/") and "__pycache__" not in name}
    assert code_of(folder) == {"scripts/show.py", *package}


@pytest.mark.parametrize("text", ["import domain_ner.numbers\nthis is no Python\n", "\0"])
def test_a_script_that_is_no_python_is_a_file_all_the_same(folder, text):
    (folder / "scripts" / "show.py").write_text(text)
    assert code_of(folder) == {"scripts/show.py"}


def test_what_was_parsed_before_is_not_parsed_again_unless_it_has_changed(folder, monkeypatch):
    sources = Sources()
    before = code_of(folder, sources=sources)
    with monkeypatch.context() as patched:
        patched.setattr(ast, "parse", None)
        assert code_of(folder, sources=Sources(sources.used)) == before
    with (folder / "scripts" / "_shared.py").open("a") as stream:
        stream.write("import domain_ner.shapes.square\n")
    assert code_of(folder, sources=Sources(sources.used)) - before == {"domain_ner/shapes/square.py"}
