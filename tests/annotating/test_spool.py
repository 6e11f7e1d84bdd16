"""The record of an unfinished shard: what is whole, and how often a step was tried."""

import pytest

from domain_ner.annotating.spool import MAX_TRIES, TRIES, BusyError, Spool
from domain_ner.errors import DomainNerError


def opened(folder, key="key"):
    return Spool(folder, "part-000000", key)


def test_a_batch_that_was_half_written_is_done_again(tmp_path):
    with opened(tmp_path) as spool:
        spool.begin("batch", 0)
        spool.add([{"n": 0}, {"n": 1}])
        spool.begin("batch", 1)
        spool.add([{"n": 2}])
    with (tmp_path / "part-000000.jsonl").open("ab") as stream:
        stream.write(b'{"n": ')
    with opened(tmp_path) as spool:
        assert spool.resume([2, 4]) == 2
        assert list(spool.results()) == [{"n": 0}, {"n": 1}]


def test_many_documents_of_a_batch_may_end_their_process_each(tmp_path):
    """Each time the process is gone, and another opens the record."""
    for _ in range(TRIES):
        with opened(tmp_path) as spool:
            assert spool.begin("batch", 0) <= TRIES
    n_done = 0
    while n_done < 2 * MAX_TRIES:
        with opened(tmp_path) as spool:
            assert spool.is_alone or n_done == 0
            assert spool.begin("batch", 0) > TRIES
            if spool.begin("alone", n_done) > TRIES:
                spool.add([{"error": n_done}])
                n_done += 1
    with opened(tmp_path) as spool:
        assert spool.resume([n_done]) == n_done


def test_what_never_gets_on_is_an_error(tmp_path):
    for _ in range(MAX_TRIES):
        with opened(tmp_path) as spool:
            spool.begin("write")
    with opened(tmp_path) as spool, pytest.raises(DomainNerError, match="without getting on"):
        spool.begin("write")


def test_the_record_of_other_input_is_not_continued(tmp_path):
    with opened(tmp_path) as spool:
        spool.begin("batch", 0)
        spool.add([{"n": 0}])
    with opened(tmp_path, "another") as spool:
        assert spool.resume([1]) == 0


def test_a_damaged_state_starts_the_shard_anew(tmp_path):
    with opened(tmp_path) as spool:
        spool.begin("batch", 0)
        spool.add([{"n": 0}])
    (tmp_path / "part-000000.state").write_text("{")
    with opened(tmp_path) as spool:
        assert spool.resume([1]) == 0


def test_only_one_process_works_at_a_shard(tmp_path):
    with opened(tmp_path), pytest.raises(BusyError), opened(tmp_path):
        pass
