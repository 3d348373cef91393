"""Events in a file: what was, what comes, and what happens to a file that has become large."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.runtime import eventlog

if TYPE_CHECKING:
    from pathlib import Path

PASSED = 1
"""A moment long gone: `lines` ends when it has read what is there."""


def read(path: str) -> list[bytes]:
    return list(eventlog.lines(path, past=True, until_ns=PASSED))


def test_what_was_written_is_read_in_order(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "demo")
    assert read(path) == []
    for line in (b"a", b"b"):
        eventlog.append(path, line)
    assert read(path) == [b"a", b"b"]
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_without_the_past_only_what_comes(tmp_path: Path) -> None:
    path = str(tmp_path / "demo")
    eventlog.append(path, b"old")
    reader = eventlog._Reader(path, past=False)
    eventlog.append(path, b"newest")
    assert list(reader.new_lines()) == [b"newest"]
    reader.close()


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    path = str(tmp_path / "demo")
    reader = eventlog._Reader(path, past=True)
    with open(path, "ab", buffering=0) as file:
        file.write(b"ha")
        assert list(reader.new_lines()) == []
        file.write(b"lf\n")
    assert list(reader.new_lines()) == [b"half"]
    reader.close()


def test_of_a_large_file_one_predecessor_is_kept_and_readers_go_on(tmp_path: Path) -> None:
    path = str(tmp_path / "demo")
    reader = eventlog._Reader(path, past=True)
    written = []
    seen: list[bytes] = []
    for number in range(3):
        line = b"%d" % number + b"x" * (eventlog.MAX_BYTES + 1)
        eventlog.make_room(path)
        eventlog.append(path, line)
        written.append(line)
        seen += reader.new_lines()
    assert seen == written
    assert read(path) == written[1:]
    assert sorted(os.listdir(tmp_path)) == ["demo", "demo.1"]
    reader.close()


def test_a_place_that_cannot_be_written_costs_the_event_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    eventlog.append(str(tmp_path / "file" / "demo"), b"lost")
