"""Finds overrides of variables that project.yml does not have, which weasel would ignore silently."""

from collections.abc import Collection, Iterable

from domain_ner.errors import nearest

# Other sections that weasel lets an override change.
OTHER_SECTIONS = ("env.", "project.")


def unknown_variables(overrides: Iterable[str], variables: Collection[str]) -> list[str]:
    """Return a sentence for each override of an unknown variable, with the nearest name.

    overrides: dotted names, `vars.encoder`. variables: the names under `vars` in project.yml.
    """
    known = {f"vars.{name}" for name in variables}
    wrong = [name for name in overrides if name not in known and not name.startswith(OTHER_SECTIONS)]
    return [f"No variable {name} in project.yml.{_hint(name, variables)}" for name in wrong]


def _hint(name: str, variables: Collection[str]) -> str:
    near = nearest(name.partition(".")[2].replace("-", "_"), variables)
    return f" Did you mean vars.{near}?" if near else ""
