"""When a checkpoint is due: not so often that writing it takes a noticeable part of the time."""

import pytest

from domain_ner.training.pace import Pace


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def save(pace, clock, seconds):
    with pace.saving():
        clock.now += seconds


def due_after(pace, clock):
    """Seconds of training until the next checkpoint is due."""
    begun = clock.now
    while not pace.is_due:
        clock.now += 1
    return clock.now - begun


def test_a_checkpoint_is_due_after_the_seconds_that_were_asked_for(clock):
    assert due_after(Pace(60, clock), clock) == 61


@pytest.mark.parametrize(("seconds", "wait"), [(0.1, 61), (3, 61), (10, 201), (15, 301)])
def test_one_that_takes_long_is_written_less_often(clock, seconds, wait):
    pace = Pace(60, clock)
    save(pace, clock, seconds)
    assert not pace.is_due
    assert due_after(pace, clock) == wait


def test_the_last_one_counts(clock):
    pace = Pace(60, clock)
    save(pace, clock, 15)
    save(pace, clock, 1)
    assert due_after(pace, clock) == 61


def test_a_checkpoint_that_fails_changes_nothing(clock):
    pace = Pace(60, clock)
    with pytest.raises(OSError, match="full"), pace.saving():
        raise OSError("full")
    assert due_after(pace, clock) == 61
