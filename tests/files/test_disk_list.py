import tracemalloc

import pytest

from domain_ner.files import DiskList, DiskSelection


def test_it_is_a_sequence_that_grows():
    spool = DiskList("abc")
    spool.append("d")
    assert list(spool) == ["a", "b", "c", "d"]
    assert (len(spool), spool[1], spool[-1], spool[1:3]) == (4, "b", "d", ["b", "c"])
    assert bool(spool)
    assert not DiskList()


def test_items_can_be_added_while_it_is_read():
    spool = DiskList([1, 2])
    for item in spool:
        if item < 3:
            spool.append(item + 10)
    assert list(spool) == [1, 2, 11, 12]


def test_past_the_end_is_an_error():
    with pytest.raises(IndexError):
        DiskList([1])[1]


def test_memory_does_not_grow_with_the_items():
    tracemalloc.start()
    spool = DiskList("x" * 10_000 for _ in range(2_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(spool) == 2_000
    assert peak < 1_000_000


def test_a_selection_has_its_own_order():
    selection = DiskSelection(["a", "b", "c"], [2, 0])
    selection.add(1)
    assert (list(selection), len(selection), selection[0], selection[1:]) == (["c", "a", "b"], 3, "c", ["a", "b"])
