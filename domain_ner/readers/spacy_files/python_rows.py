"""Reads rows of training data from literals in Python source, without running it. Part of `spacy_json`.

It reads lists, and additions to them at the top level of the file (`append`, `extend`, `insert`, `+=`, `+`). If code
changes the rows in another way, the file is refused: omissions would otherwise go unnoticed.
"""

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.readers.json_files.python_literals import parse, value_of
from domain_ner.readers.text_files.decoding import read_text

ADDING, TAKING_AWAY = ("append", "extend", "insert"), ("pop", "remove", "clear")


@dataclass
class _Rows:
    """The rows of a file. nodes: in order. names: of the lists with rows."""

    keys: Collection[str]
    nodes: list[ast.expr] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, value: ast.AST | None) -> bool:
        """Add the rows of an expression. False: it has none, or some that cannot be read."""
        if isinstance(value, ast.Name):
            return value.id in self.names
        if isinstance(value, ast.expr) and self.is_row(value):
            self.nodes.append(value)
            return True
        parts = _parts(value)
        are_rows = not isinstance(value, ast.Dict) and any(map(self.is_row, parts))
        are_read = []
        for part in parts:
            if are_rows and not isinstance(part, ast.Starred):
                self.nodes.append(part)
            else:
                are_read.append(self.add(part) or (isinstance(value, ast.Dict) and _is_literal(part)))
        return bool(are_read or parts or isinstance(value, ast.List)) and all(are_read)

    def is_row(self, node: ast.AST | None) -> bool:
        """Whether an expression looks like (text, …) or {'text': …}."""
        if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 1:
            return _is_text(node.elts[0]) and isinstance(node.elts[1], ast.Dict | ast.List | ast.Tuple)
        return isinstance(node, ast.Dict) and _dict_value(node, (*self.keys, "sentences")) is not None

    def says_entities(self, node: ast.AST) -> bool:
        """Whether an expression is certainly a row, wherever it stands."""
        if isinstance(node, ast.Tuple | ast.List) and len(node.elts) > 1 and _is_text(node.elts[0]):
            node = node.elts[1]
        return isinstance(node, ast.Dict) and isinstance(_dict_value(node, self.keys), ast.List | ast.Tuple | ast.Set)


def python_rows(path: Path, log: FileLog, keys: Collection[str]) -> Iterator[tuple[int, Any]]:
    """Yield (line, value) of each row.

    keys: of a row's entities.
    Raises DomainNerError if it is not Python, or if code changes the rows in a way that cannot be read.
    """
    try:
        rows = _find_rows(parse(read_text(path, log)), _Rows(keys), path)
    except (ValueError, RecursionError) as err:
        raise DomainNerError(
            f"{path} is neither JSON nor a Python literal: {err}.", "Export as JSON, or correct the line."
        ) from err
    for node in rows:
        log.n_documents += 1
        try:
            yield node.lineno, value_of(node)
        except ValueError as err:
            log.problem(node.lineno, f"{err}; expected (text, {{'entities': [(start, end, label)]}})")


def _find_rows(statements: Sequence[ast.stmt], rows: _Rows, path: Path) -> list[ast.expr]:
    """Find the rows of a file. Raises DomainNerError if some cannot be read."""
    unread: list[ast.AST] = []
    whole: set[int] = set()
    for statement in statements:
        change = statement.value if isinstance(statement, ast.Expr) else statement
        n_before = len(rows.nodes)
        added = _added(change)
        is_whole = (not _adds_one(change) or rows.is_row(added)) and rows.add(added)
        if len(rows.nodes) > n_before:
            rows.names |= _targets(change)
            unread += [change] * (not is_whole)
        whole |= {id(change)} if is_whole else set()
    read = {id(part) for node in rows.nodes for part in ast.walk(node)}
    for node in (node for statement in statements for node in ast.walk(statement)):
        changes = _adds(node) and bool(_targets(node) & rows.names) and id(node) not in whole
        if changes or _takes_away(node, rows.names) or (id(node) not in read and rows.says_entities(node)):
            unread.append(node)
    if unread:
        line = min(getattr(node, "lineno", 0) for node in unread)
        raise DomainNerError(
            f"{path}: line {line} adds rows, or changes them, in a way that cannot be read without running the file.",
            "Write all rows in one list of literals, or write the list to a JSON file (json.dump).",
        )
    return rows.nodes


def _method(node: ast.AST) -> tuple[str, str]:
    """Split `variable.method(…)` into (variable, method); both empty for anything else."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id, function.attr
    return "", ""


def _targets(node: ast.AST) -> set[str]:
    """Return the variables that an assignment or a method call affects."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    parts = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {part.id for part in parts if isinstance(part, ast.Name)} | ({_method(node)[0]} - {""})


def _adds_one(node: ast.AST) -> bool:
    """Whether a call adds one row, not a list of rows."""
    return _method(node)[1] in ("append", "insert")


def _added(node: ast.AST) -> ast.AST | None:
    """Return what an assignment or a call sets or adds; an expression returns itself."""
    if isinstance(node, ast.Call):
        return node.args[-1] if _method(node)[1] in ADDING and node.args else None
    return getattr(node, "value", None) if isinstance(node, ast.stmt) else node


def _adds(node: ast.AST) -> bool:
    """Whether an assignment or a call adds to its variable: `x.append(…)`, `x += …`, `x = x + …`."""
    if isinstance(node, ast.AugAssign) or _method(node)[1] in ADDING:
        return True
    value = node.value if isinstance(node, ast.Assign) else None
    parts = ast.walk(value) if isinstance(value, ast.BinOp) else ()
    return any(isinstance(part, ast.Name) and part.id in _targets(node) for part in parts)


def _takes_away(node: ast.AST, names: Collection[str]) -> bool:
    """Whether a statement removes or replaces rows of a list."""
    variable, method = _method(node)
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store | ast.Del)
        and isinstance(node.value, ast.Name)
    ):
        return node.value.id in names
    return variable in names and method in TAKING_AWAY


def _parts(node: ast.AST | None) -> list[ast.expr]:
    """List the expressions that may contain rows: in a list or an object, or beside `+` and `*`."""
    if isinstance(node, ast.List | ast.Tuple):
        return node.elts
    if isinstance(node, ast.Dict):  # {"classes": …, "annotations": rows}
        return node.values
    if isinstance(node, ast.Starred):
        return [node.value]
    return [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) else []


def _is_literal(node: ast.AST) -> bool:
    return not any(isinstance(part, ast.Name | ast.Call | ast.comprehension) for part in ast.walk(node))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _dict_value(node: ast.Dict, keys: Collection[str]) -> ast.expr | None:
    pairs = zip(node.keys, node.values, strict=True)
    return next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value in keys), None)
