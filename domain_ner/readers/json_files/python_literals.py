"""Python literals from elsewhere, read and never run: bounded, and nothing in them lost in silence."""

import ast
import warnings
from collections.abc import Sequence
from reprlib import repr as short
from typing import Any

# The parser takes some hundred times as much memory as the text is long.
MAX_CHARS = 1 << 24


def parse(source: str) -> Sequence[ast.stmt]:
    """The statements of Python source. Raises ValueError, with where and why, for what is none or too long."""
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
    """The value of a node. Raises ValueError where it is no literal, and where a key stands twice with two values."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Dict):
            _require_single_keys(inner)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError) as err:
        raise ValueError("Python that is no literal") from err


def load_literal(text: str) -> Any:
    """The value of a literal, as pandas writes lists into cells. Raises ValueError where a text is none."""
    body = parse(text.strip())
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise ValueError("Python that is no literal")
    return value_of(body[0].value)


def _require_single_keys(found: ast.Dict) -> None:
    values: dict[Any, str] = {}
    for key, value in zip(found.keys, found.values, strict=True):
        if isinstance(key, ast.Constant) and values.setdefault(key.value, ast.dump(value)) != ast.dump(value):
            raise ValueError(f"the key {short(key.value)} stands twice in a dict, with two values: expected it once")
