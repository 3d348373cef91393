"""What a sync sends: a tar of what is there, and the names of what is gone."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from typing import TYPE_CHECKING

from orchestra.ops.watch_rules import Copy
from orchestra.ops.watch_sync import Exactly, targets_gone, write_archive

if TYPE_CHECKING:
    from pathlib import Path


def archive_of(copies: list[Copy]) -> dict[str, tarfile.TarInfo]:
    reader, writer = os.pipe()

    def send() -> None:
        write_archive(copies, writer)
        os.close(writer)

    sender = threading.Thread(target=send)
    sender.start()
    with os.fdopen(reader, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        members = {member.name: member for member in archive}
        while stream.read(65536):
            pass
    sender.join()
    return members


def test_files_links_and_directories_with_their_modes(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir(mode=0o750)
    (tmp_path / "dir/file").write_text("content")
    (tmp_path / "dir/file").chmod(0o741)
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    names = ("dir", "dir/file", "link", "fifo", "gone")
    members = archive_of([Copy(str(tmp_path / name), f"/app/{name}") for name in names])
    assert set(members) == {"app/dir", "app/dir/file", "app/link"}
    assert members["app/dir"].isdir()
    assert (members["app/dir/file"].size, members["app/dir/file"].mode) == (7, 0o741)
    assert members["app/link"].linkname == "nowhere"


def test_a_file_that_shrinks_meanwhile_is_as_long_as_announced() -> None:
    content = Exactly(io.BytesIO(b"abc"), 5)
    assert content.read(2) + content.read(10) == b"abc\0\0"
    assert content.read(10) == b""


def test_what_is_gone_is_removed_but_never_the_root(tmp_path: Path) -> None:
    here = str(tmp_path)
    copies = [Copy(here, "/app"), Copy(f"{here}/no", "/app/no"), Copy(f"{here}/gone", "/")]
    assert targets_gone(copies) == ("/app/no",)
