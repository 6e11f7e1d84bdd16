"""Reads untrusted Python literals without running them, with limits, so that nothing is lost silently."""

import ast
import warnings
from collections.abc import Sequence
from reprlib import repr as short
from typing import Any

# The parser needs about a hundred times as much memory as the text.
MAX_CHARS = 1 << 24


def parse(source: str) -> Sequence[ast.stmt]:
    """Parse Python source to statements. Raises ValueError, with position and reason, if it is invalid or too long."""
    if len(source) > MAX_CHARS:
        raise ValueError(f"more than {MAX_CHARS:,} characters of Python")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(source).body
    except SyntaxError as err:
        raise ValueError(f"line {err.lineno}: {err.msg}") from err
    except (ValueError, RecursionError, MemoryError) as err:
        raise ValueError(str(err) or type(err).__name__) from err


def value_of(node: ast.AST) -> Any:
    """Evaluate a literal. Raises ValueError if it is not one, or if a key occurs twice with different values."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Dict):
            _require_single_keys(inner)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError) as err:
        raise ValueError("Python that is not a literal") from err


def load_literal(text: str) -> Any:
    """Load a literal, as pandas writes lists into cells. Raises ValueError if the text is not one."""
    body = parse(text.strip())
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise ValueError("Python that is not a literal")
    return value_of(body[0].value)


def _require_single_keys(node: ast.Dict) -> None:
    values: dict[Any, str] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and values.setdefault(key.value, ast.dump(value)) != ast.dump(value):
            raise ValueError(f"the duplicate key {short(key.value)} in a dict has two values: expected it once")
