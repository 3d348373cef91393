"""Headers of archives: the same bytes as Python's tarfile makes, and what a file becomes."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra.image.bytestream import ByteStream
from orchestra.image.difftar import archive_of
from orchestra.image.tarformat import Entry, entries
from orchestra.image.tarheader import (
    BLOCK,
    CHAR,
    DIRECTORY,
    END,
    FIFO,
    HARD_LINK,
    REGULAR,
    SYMLINK,
    TOP,
    empty_file,
    encoded,
)

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/")
    | st.sampled_from([os.fsdecode(bytes([byte])) for byte in (0x80, 0xFF)]),
    min_size=1,
    max_size=120,
)
KINDS = st.sampled_from([REGULAR, HARD_LINK, SYMLINK, CHAR, BLOCK, DIRECTORY, FIFO])
IDS = st.integers(0, 2**32 - 2)
PAX = st.dictionaries(st.sampled_from(["SCHILY.xattr.user.a", "GNU.sparse.major"]), NAMES)


def status(mode: int, uid: int, gid: int, mtime_ns: int, device: int) -> os.stat_result:
    extended = {"st_mtime_ns": mtime_ns, "st_rdev": device}
    return os.stat_result((mode, 1, 1, 1, uid, gid, 0, 0, 0, 0), extended)


def by_tarfile(
    path: str, kind: bytes, what: os.stat_result, size: int, link: str, pax: dict[str, str]
) -> bytes:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.size, info.linkname = kind, what.st_mode, size, link
    info.uid, info.gid = what.st_uid, what.st_gid
    info.devmajor, info.devminor = os.major(what.st_rdev), os.minor(what.st_rdev)
    seconds, nanoseconds = divmod(what.st_mtime_ns, 10**9)
    info.mtime = seconds
    if nanoseconds:
        info.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09d}"}
    info.pax_headers = {**info.pax_headers, **pax}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


@given(
    path=NAMES,
    kind=KINDS,
    mode=st.integers(0, 0o7777),
    ids=st.tuples(IDS, IDS),
    mtime_ns=st.integers(0, 2**62),
    device=st.tuples(st.integers(0, 4095), st.integers(0, 2**20 - 1)),
    size=st.integers(0, 2**40),
    link=NAMES | st.just(""),
    pax=PAX,
)
@example("a" * 99, DIRECTORY, 0, (0, 0), 0, (0, 0), 0, "", {})
@example("a" * 100, DIRECTORY, 0, (0, 0), 0, (0, 0), 0, "", {})
@example("a" * 80, REGULAR, 0, (8**7 - 1, 8**7), 8**11 * 10**9, (0, 0), 8**11 - 1, "", {})
@example("a", REGULAR, 0, (0, 0), 8**11 * 10**9 - 1, (0, 0), 8**11, "", {})
def test_a_header_is_what_tarfile_makes(
    path: str,
    kind: bytes,
    mode: int,
    ids: tuple[int, int],
    mtime_ns: int,
    device: tuple[int, int],
    size: int,
    link: str,
    pax: dict[str, str],
) -> None:
    what = status(mode, *ids, mtime_ns, os.makedev(*device))
    ours = encoded(path, kind, what, size=size, link=link, pax=pax)
    assert ours == by_tarfile(path, kind, what, size, link, pax)


@given(path=NAMES)
def test_an_empty_file_is_what_tarfile_makes(path: str) -> None:
    expected = tarfile.TarInfo(path).tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    assert empty_file(path) == expected


@pytest.mark.parametrize("length", range(80, 120))
def test_a_record_counts_its_own_digits(length: int) -> None:
    pax = {"comment": "x" * length}
    what = status(0, 0, 0, 0, 0)
    assert encoded("a", REGULAR, what, pax=pax) == by_tarfile("a", REGULAR, what, 0, "", pax)


@pytest.mark.parametrize("mtime_ns", [-1, -1_500_000_000, -2_000_000_000, 1, 999_999_999])
def test_times_before_1970_are_exact_as_well(mtime_ns: int) -> None:
    header = encoded("a", REGULAR, status(0o644, 0, 0, mtime_ns, 0))
    (entry,) = read(header + END)
    assert entry.mtime_ns == mtime_ns


def test_the_time_of_the_top_is_not_told() -> None:
    at_some_time = encoded(TOP, DIRECTORY, status(0o755, 0, 0, 1, 0))
    assert at_some_time == encoded(TOP, DIRECTORY, status(0o755, 0, 0, 2, 0))


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, (1 << 18) - 1, 1 << 18, (1 << 18) + 1])
def test_files_of_all_sizes_are_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "next").write_bytes(b"next")
    archive = b"".join(archive_of(str(tmp_path)))
    assert len(archive) % 512 == 0
    contents: dict[bytes, bytes] = {}
    first, second = read(archive, contents)
    assert (first.name, second.name) == (b"file", b"next")
    assert contents == {b"file": content, b"next": b"next"}


def test_attributes_kinds_and_links_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    os.link(tmp_path / "a", tmp_path / "b")
    os.setxattr(tmp_path / "a", "user.\u00fc", b"\xff\0\n")
    (tmp_path / "c").symlink_to("x" * 150)
    (tmp_path / "d").mkdir(0o711)
    os.mkfifo(tmp_path / "f")
    a, b, c, d, f = read(b"".join(archive_of(str(tmp_path))))
    assert a.xattrs == (("user.\u00fc".encode(), b"\xff\0\n"),)
    assert (b.kind, b.link) == (HARD_LINK, b"a")
    assert (c.kind, c.link) == (SYMLINK, b"x" * 150)
    assert (d.kind, d.mode, f.kind) == (DIRECTORY, 0o711, FIFO)
    assert a.mtime_ns == os.stat(tmp_path / "a").st_mtime_ns


def read(archive: bytes, contents: dict[bytes, bytes] | None = None) -> list[Entry]:
    stream = ByteStream(iter([archive]))
    found = []
    for entry in entries(stream):
        data = stream.read(entry.stored_bytes)
        if contents is not None:
            contents[entry.name] = data
        found.append(entry)
    return found
