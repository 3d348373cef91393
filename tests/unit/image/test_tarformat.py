"""Our reading of tar headers against what `tarfile` and GNU tar write."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.errors import RegistryError
from orchestra.image import tarformat
from orchestra.image.bytestream import ByteStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchestra.image.tarformat import Entry


def read(data: bytes, chunk: int = 700) -> list[tuple[Entry, bytes]]:
    """All entries with their stored bytes; the chunks are odd on purpose."""
    stream = ByteStream(data[at : at + chunk] for at in range(0, len(data), chunk))
    return [
        (entry, b"".join(stream.pieces(entry.stored_bytes))) for entry in tarformat.entries(stream)
    ]


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, **attributes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_attributes_are_read_as_each_format_writes_them(form: int) -> None:
    data = archive(
        (member("d/", type=tarfile.DIRTYPE, mode=0o1777, uid=3, gid=4, mtime=5), b""),
        (member("d/file", mode=0o4755, uid=1000, gid=100, mtime=1_700_000_000), b"content"),
        (member("d/link", type=tarfile.SYMTYPE, linkname="../file"), b""),
        (member("d/hard", type=tarfile.LNKTYPE, linkname="d/file"), b""),
        (member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b""),
        (member("sda", type=tarfile.BLKTYPE, devmajor=8, devminor=0), b""),
        (member("pipe", type=tarfile.FIFOTYPE), b""),
        form=form,
    )

    entries = read(data)

    assert [entry.name.rstrip(b"/") for entry, _ in entries] == [
        b"d", b"d/file", b"d/link", b"d/hard", b"null", b"sda", b"pipe",
    ]  # fmt: skip
    assert [entry.kind for entry, _ in entries] == [b"5", b"0", b"2", b"1", b"3", b"4", b"6"]
    file, content = entries[1]
    assert (file.mode, file.uid, file.gid) == (0o4755, 1000, 100)
    assert (file.mtime_ns, content) == (1_700_000_000 * 10**9, b"content")
    assert [entries[2][0].link, entries[3][0].link] == [b"../file", b"d/file"]
    assert [entries[4][0].device, entries[5][0].device] == [(1, 3), (8, 0)]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_the_old_header_has_no_room_for(form: int) -> None:
    name, link = "long/" * 60 + "näme", "target/" * 40
    data = archive(
        (member(name, uid=2_000_000_000, gid=3_000_000), b"x" * 1000),
        (member("link", type=tarfile.SYMTYPE, linkname=link), b""),
        form=form,
    )

    (file, content), (symlink, _) = read(data)

    assert file.name == name.encode()
    assert (file.uid, file.gid, content) == (2_000_000_000, 3_000_000, b"x" * 1000)
    assert symlink.link == link.encode()


def test_pax_carries_nanoseconds_and_attributes_of_both_spellings() -> None:
    info = member("file", mtime=1.5)
    info.pax_headers = {
        "mtime": "1700000000.123456789",
        "SCHILY.xattr.user.one": "1",
        "LIBARCHIVE.xattr.user.t%77o": "Mg",
    }

    ((entry, _),) = read(archive((info, b"")))

    assert entry.mtime_ns == 1_700_000_000_123_456_789
    assert dict(entry.xattrs) == {b"user.one": b"1", b"user.two": b"2"}


def test_global_headers_hold_until_an_entry_says_otherwise() -> None:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"uid": "77"}
    ) as tar:
        tar.addfile(member("one"))
        tar.addfile(member("two", uid=3_000_000))

    assert [entry.uid for entry, _ in read(buffer.getvalue())] == [77, 3_000_000]


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=posix", "--sparse-version=0.0"],
        ["--format=posix", "--sparse-version=0.1"],
        ["--format=posix", "--sparse-version=1.0"],
    ],
    ids=lambda options: "-".join(options),
)
def test_sparse_files_as_gnu_tar_writes_them(tmp_path: Path, options: list[str]) -> None:
    tar = shutil.which("tar")
    if tar is None:
        pytest.skip("needs GNU tar")
    content = bytearray(3_000_000)
    for at in range(0, 3_000_000, 100_000):
        content[at : at + 4096] = os.urandom(4096)
    with open(tmp_path / "file", "wb") as file:
        for at in range(0, 3_000_000, 100_000):
            file.seek(at)
            file.write(content[at : at + 4096])
        file.truncate(3_000_000)
    made = subprocess.run(
        [tar, "-c", "--sparse", *options, "-C", str(tmp_path), "file"],
        capture_output=True,
        check=True,
        timeout=30,
    )

    ((entry, stored),) = read(made.stdout)

    assert (entry.name, entry.file_bytes) == (b"file", 3_000_000)
    assert entry.sparse is not None
    assert len(stored) < 1_000_000
    found, at = bytearray(3_000_000), 0
    for offset, size in entry.sparse:
        found[offset : offset + size] = stored[at : at + size]
        at += size
    assert found == content


@given(
    st.lists(
        st.tuples(
            st.text(
                st.characters(exclude_characters="\0/", codec="utf-8"), min_size=1, max_size=300
            ),
            st.integers(0, 2**40),
            st.integers(0, 0o7777),
            st.binary(max_size=2000),
        ),
        max_size=5,
    ),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.integers(1, 1500),
)
def test_what_tarfile_writes_is_read_back(
    files: list[tuple[str, int, int, bytes]], form: int, chunk: int
) -> None:
    data = archive(
        *((member(f"x{name}", uid=uid, mode=mode), content) for name, uid, mode, content in files),
        form=form,
    )

    assert [
        (entry.name.decode(), entry.uid, entry.mode, content)
        for entry, content in read(data, chunk)
    ] == [(f"x{name}", uid, mode, content) for name, uid, mode, content in files]


def damaged() -> Iterator[tuple[str, bytes]]:
    whole = archive((member("file"), b"content" * 200))
    yield "cut off", whole[:900]
    yield "checksum", whole[:10] + b"X" + whole[11:]
    yield "no tar", b"<html>" + b"not found " * 100
    pax = archive((member("n" * 300), b""))
    yield "pax record", pax[:512] + b"9999999 path=x\n" + pax[527:]


@pytest.mark.parametrize(
    "data", [data for _, data in damaged()], ids=[name for name, _ in damaged()]
)
def test_a_damaged_archive_is_refused(data: bytes) -> None:
    with pytest.raises(RegistryError):
        read(data)


@given(st.binary(max_size=3000), st.integers(0, 511), st.binary(min_size=1, max_size=20))
def test_no_bytes_raise_anything_else(noise: bytes, at: int, patch: bytes) -> None:
    info = member("file", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.realsize": "10"})
    header = bytearray(info.tobuf(tarfile.PAX_FORMAT))
    header[at : at + len(patch)] = patch
    for block in range(0, len(header), 512):  # so that the patch is met behind a good checksum
        total = sum(header[block : block + 148]) + sum(header[block + 156 : block + 512]) + 256
        header[block + 148 : block + 156] = b"%06o\0 " % total
    try:
        read(bytes(header) + noise)
    except RegistryError:
        return
