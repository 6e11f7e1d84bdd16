"""What passages say of where they are from, by which they are kept together: a key of `meta`, or the document."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from domain_ner.errors import DomainNerError, did_you_mean
from domain_ner.passages import Passage

DOCUMENT = "document"
MAX_KEYS = 12


def group_value(passage: Passage, group_by: str) -> Any:
    """The value of a key, None where the passage has none. group_by: a key of `meta`, or `document`."""
    value = passage.meta.get(group_by, passage.document if group_by == DOCUMENT else None)
    return None if value == "" else value


def count_ungrouped(passages: Sequence[Passage], group_by: str) -> int:
    """How many passages lack the key by which they are to be grouped.

    Raises DomainNerError when all of them do, naming the keys that they have.
    """
    n_without = sum(group_value(passage, group_by) is None for passage in passages)
    if n_without < len(passages) or not passages:
        return n_without
    keys = _keys(passages)
    listed = [f"{key} ({n:,} passages, {n_values:,} values)" for key, (n, n_values) in list(keys.items())[:MAX_KEYS]]
    if len(keys) > MAX_KEYS:
        listed.append(f"{len(keys) - MAX_KEYS} more")
    near = did_you_mean(group_by, keys)
    choices = 'one of these, or to "" (each passage for itself)' if keys else '"" (each passage for itself)'
    raise DomainNerError(
        f"vars.group_by is {group_by!r}, and none of the {len(passages):,} passages has that key in its `meta`. They"
        f" have: {', '.join(listed) or 'no key at all'}.{near and f' D{near[1:]}'}",
        f"Set group_by in project.yml to {choices}: what has one value of it stays in one split.",
    )


def _keys(passages: Iterable[Passage]) -> dict[str, tuple[int, int]]:
    """Passages and different values of each key, the most frequent key first."""
    n_passages: Counter[str] = Counter()
    values: dict[str, set[int]] = defaultdict(set)
    for passage in passages:
        for key in {*map(str, passage.meta), DOCUMENT}:
            value = group_value(passage, key)
            if value is not None:
                n_passages[key] += 1
                values[key].add(hash(str(value)))
    return {key: (n, len(values[key])) for key, n in n_passages.most_common()}
