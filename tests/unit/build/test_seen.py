"""What a build has looked at: stamps, and when they vouch for nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.build.exchange.shared import SharedRecords
from orchestra.build.records import Record
from orchestra.build.seen import ABSENT, Seen, is_racy, still_so

if TYPE_CHECKING:
    from pathlib import Path

LATER_NS = 10_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "file"
    path.write_text("1")
    return str(path)


def seen(path: str) -> Seen:
    """*path* as looked at some seconds after it was written."""
    found = Seen(lambda: os.lstat(path).st_ctime_ns + LATER_NS)
    found.read(path)
    return found


def test_what_is_as_it_was(file: str) -> None:
    found = seen(file)
    assert found.is_whole
    assert still_so(found.stamps)


def test_other_content_is_noticed(file: str) -> None:
    found = seen(file)
    with open(file, "w") as opened:
        opened.write("22")
    assert not still_so(found.stamps)


def test_what_comes_and_what_goes_is_noticed(file: str) -> None:
    missing = os.path.join(os.path.dirname(file), "missing", "file")
    found = seen(file)
    found.read(missing)
    assert found.stamps[os.fsencode(missing)] == ABSENT
    assert still_so(found.stamps)
    os.mkdir(os.path.dirname(missing))
    assert still_so(found.stamps)
    with open(missing, "w"):
        pass
    assert not still_so(found.stamps)
    os.unlink(missing)
    os.unlink(file)
    assert not still_so(found.stamps)


def test_of_a_directory_that_was_passed_only_which_it_is_counts(file: str) -> None:
    directory = os.path.dirname(file)
    found = seen(file)
    found.passed(directory)
    with open(os.path.join(directory, "new"), "w"):
        pass
    assert still_so(found.stamps)
    found.looked_at(directory, os.lstat(directory))
    assert still_so(found.stamps)
    with open(os.path.join(directory, "newer"), "w"):
        pass
    assert not still_so(found.stamps)


def test_a_file_that_has_just_changed_is_not_vouched_for(file: str) -> None:
    found = Seen(lambda: os.lstat(file).st_ctime_ns + 1)
    found.read(file)
    assert not found.is_whole


def test_a_link_is_not_vouched_for(file: str) -> None:
    os.symlink("file", file + "-link")
    assert not seen(file + "-link").is_whole


def test_what_changes_during_the_build_is_not_vouched_for(file: str) -> None:
    found = seen(file)
    with open(file, "w") as opened:
        opened.write("22")
    found.read(file)
    assert not found.is_whole


def test_a_name_that_leads_elsewhere_during_the_build_is_not_vouched_for() -> None:
    found = Seen()
    found.led_to("base", "sha256:1")
    found.led_to("base", "sha256:1")
    assert found.is_whole
    found.led_to("base", "sha256:2")
    assert not found.is_whole


def test_what_another_process_has_seen_is_adopted(file: str) -> None:
    directory = os.path.dirname(file)
    one, other = seen(file), seen(file)
    one.passed(directory)
    other.looked_at(directory, os.lstat(directory))
    other.led_to("base", "sha256:1")
    one.adopt(other)
    assert (one.stamps, one.images) == (other.stamps, {"base": "sha256:1"})
    assert one.is_whole
    one.passed(directory)
    assert one.stamps == other.stamps, "the closer look stays"
    other.is_whole = False
    one.adopt(other)
    assert not one.is_whole


def test_a_step_with_two_results_makes_records_ambiguous(tmp_path: Path) -> None:
    key = "0" * 64
    records = SharedRecords(str(tmp_path), None)
    records.put(key, Record(diff_id="sha256:1", created_ns=1))
    assert records.find(key) is not None
    assert not records.are_ambiguous
    other = SharedRecords(str(tmp_path), None)
    other.put(key, Record(diff_id="sha256:1", created_ns=2))
    assert not other.are_ambiguous
    records.adopt(other.findings())
    assert records.are_ambiguous


@pytest.mark.parametrize(
    ("ctime_ns", "after_ns", "racy"),
    [
        (1_700_000_000_123_456_789, 50_000_000, True),
        (1_700_000_000_123_456_789, 150_000_000, False),
        (1_700_000_000_000_000_000, 1_900_000_000, True),  # FAT: steps of two seconds
        (1_700_000_000_000_000_000, 2_100_000_000, False),
    ],
)
def test_how_long_a_change_is_too_young(
    file: str, ctime_ns: int, after_ns: int, *, racy: bool
) -> None:
    fields = list(os.lstat(file).__reduce__()[1][0])
    status = os.stat_result(
        fields, {"st_ctime_ns": ctime_ns, "st_mtime_ns": ctime_ns - 5_000_000_000}
    )
    assert is_racy(status, ctime_ns + after_ns) == racy
