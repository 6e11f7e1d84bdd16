"""The group of a passage, which stays in one split: the value of a key of `meta`, or its document."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

from domain_ner.annotations.passages import Passage
from domain_ner.errors import DomainNerError, did_you_mean

DOCUMENT = "document"
MAX_KEYS = 12
# How programs write a whole number in a column with missing values, and how they write true and false.
WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
BOOLEANS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


def group_value(passage: Passage, group_by: str) -> Any:
    """Look up a passage's value of a key; None if it has none. group_by: a key of `meta`, or `document`."""
    value = passage.meta.get(group_by, passage.document if group_by == DOCUMENT else None)
    return None if value == "" or (isinstance(value, float) and isnan(value)) else value


def group_names(passages: Sequence[Passage], group_by: str) -> list[str]:
    """Name each passage's group, as `canonical_names` does; empty if it has none, and for an empty key."""
    if not group_by:
        return [""] * len(passages)
    return canonical_names((file_of(passage.source), group_value(passage, group_by)) for passage in passages)


def canonical_names(values: Iterable[tuple[str, Any]]) -> list[str]:
    """Name values independently of how a tool wrote them: 1, 1.0, "1" and "1.0" are `1`, True and "True" are `true`.

    Other strings are their own names ("01" is not "1"). Two different strings in one file are two values, even if they
    denote the same number: a tool writes a whole column in one way, so "1" and "1.0" stay apart there.

    values: (file, value) of each passage; None gets an empty name.
    """
    named = [(file, value, value_name(value)) for file, value in values]
    texts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file, value, name in named:
        if isinstance(value, str):
            texts[file, name].add(value)
    apart = {name for (_, name), written in texts.items() if len(written) > 1}
    return [value if isinstance(value, str) and name in apart else name for _, value, name in named]


def canonical_key(key: str) -> str:
    """Rename a key `group_by=value` to use the name that `canonical_names` gives the value."""
    group_by, _, value = key.partition("=")
    return f"{group_by}={value_name(value)}"


def file_of(source: str) -> str:
    """Return the file part of a source, `file:line`."""
    return source.rpartition(":")[0] or source


def count_ungrouped(passages: Sequence[Passage], group_by: str) -> int:
    """Count the passages that lack the key to group by.

    Raises DomainNerError when all of them lack it, with the keys that they have.
    """
    n_without = sum(group_value(passage, group_by) is None for passage in passages)
    if n_without < len(passages) or not passages:
        return n_without
    keys = _keys(passages)
    listed = [f"{key} ({n:,} passages, {n_values:,} values)" for key, (n, n_values) in list(keys.items())[:MAX_KEYS]]
    if len(keys) > MAX_KEYS:
        listed.append(f"{len(keys) - MAX_KEYS} more")
    near = did_you_mean(group_by, keys)
    choices = 'one of these, or to "" (each passage by itself)' if keys else '"" (each passage by itself)'
    raise DomainNerError(
        f"vars.group_by is {group_by!r}, but none of the {len(passages):,} passages has that key in its `meta`. They"
        f" have: {', '.join(listed) or 'no key at all'}.{near and f' D{near[1:]}'}",
        f"Set group_by in project.yml to {choices}. Passages with the same value stay in one split.",
    )


def value_name(value: Any) -> str:
    """Name a single value, regardless of other values; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        whole = WHOLE.fullmatch(value)
        return (whole[1] if whole[1] != "-0" else "0") if whole else BOOLEANS.get(value, value)
    return str(_in_order(value))


def _in_order(value: Any) -> Any:
    """Sort the keys of a value's objects, and make its whole floats integers: tools vary both."""
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_in_order(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _keys(passages: Iterable[Passage]) -> dict[str, tuple[int, int]]:
    """Count the passages and distinct values of each key, the most frequent key first."""
    n_passages: Counter[str] = Counter()
    values: dict[str, set[int]] = defaultdict(set)
    for passage in passages:
        for key in {*map(str, passage.meta), DOCUMENT}:
            value = group_value(passage, key)
            if value is not None:
                n_passages[key] += 1
                values[key].add(hash(value_name(value)))
    return {key: (n, len(values[key])) for key, n in n_passages.most_common()}
