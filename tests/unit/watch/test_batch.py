from __future__ import annotations

import pytest

from orchestra.watch.batch import LONGEST_S, QUIET_S, Batch


def test_nothing_is_due_while_nothing_has_changed() -> None:
    batch = Batch()
    batch.add(frozenset(), 1.0)
    assert batch.wait_s(1.0) is None
    assert batch.take(1.0) == ()


def test_changes_are_taken_together_once_it_is_quiet() -> None:
    batch = Batch()
    batch.add(frozenset({"/b"}), 10.0)
    batch.add(frozenset({"/a", "/b"}), 10.1)
    assert batch.wait_s(10.1) == pytest.approx(QUIET_S)
    assert batch.take(10.1) == ()
    assert batch.take(10.1 + QUIET_S) == ("/a", "/b")
    assert batch.wait_s(20.0) is None


def test_a_file_that_never_rests_does_not_hold_up_the_others() -> None:
    batch = Batch()
    now = 100.0
    while batch.take(now) == ():
        batch.add(frozenset({"/log"}), now)
        now += QUIET_S / 2
    assert now <= 100.0 + LONGEST_S + QUIET_S
