"""Which passage goes to train, dev or test. Groups stay whole, so that nothing leaks from one split to another."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain_ner.errors import DomainNerError
from domain_ner.passages import Passage

SPLITS = ("train", "dev", "test")


def parse_fractions(text: str) -> dict[str, float]:
    """Read `"0.7,0.1,0.2"` as the shares of train, dev and test.

    Raises DomainNerError unless it is three positive numbers that sum to 1.
    """
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if len(shares) != len(SPLITS) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise DomainNerError(
            f"vars.splits is {text!r}; expected three positive shares that sum to 1, for train, dev and test.",
            'For example: splits: "0.7,0.1,0.2"',
        )
    return dict(zip(SPLITS, shares, strict=True))


def assign_splits(
    passages: Sequence[Passage], fractions: Mapping[str, float], *, group_by: str, seed: int
) -> dict[str, list[Passage]]:
    """Divide passages over the splits, groups whole.

    passages: at least one for each split.
    fractions: share of each split in 0..1, summing to 1.
    group_by: the key in `Passage.meta` whose value names the group; a passage without it, or an empty key, is a group
        of its own. Passages with the same text always share a group.
    seed: the same seed and passages give the same splits, whatever their order.
    Raises DomainNerError when a split would be empty.
    """
    groups = _group(passages, group_by)
    wanted = {name: fractions[name] * len(passages) for name in SPLITS}
    splits: dict[str, list[Passage]] = {name: [] for name in SPLITS}
    for key in sorted(groups, key=lambda key: _shuffle_key(key, seed)):
        # The split that lacks the largest part of its share: fills all of them evenly, and none stays empty
        # as long as there are as many groups as splits.
        neediest = min(SPLITS, key=lambda name: len(splits[name]) / wanted[name])
        splits[neediest].extend(groups[key])
    _require_filled(splits, n_groups=len(groups), group_by=group_by)
    return splits


def _group(passages: Sequence[Passage], group_by: str) -> dict[str, list[Passage]]:
    key_of_text: dict[str, str] = {}
    groups: dict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        named = passage.meta.get(group_by) if group_by else None
        key = f"{group_by}={named}" if named is not None else f"text={passage.text}"
        groups[key_of_text.setdefault(passage.text, key)].append(passage)
    return groups


def _shuffle_key(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def _require_filled(splits: Mapping[str, Sequence[Passage]], *, n_groups: int, group_by: str) -> None:
    empty = [name for name in SPLITS if not splits[name]]
    if empty:
        unit = f"groups by meta.{group_by}" if group_by else "distinct passages"
        raise DomainNerError(
            f"The {' and '.join(empty)} split would be empty: there are {n_groups} {unit}, at least 3 are needed.",
            "Add annotated passages" + (', or set vars.group_by to "" to split by passage.' if group_by else "."),
        )
