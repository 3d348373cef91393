from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import Unsupported
from orchestra.image.snapshot.upper import UpperCheck, filesystem_type

if TYPE_CHECKING:
    from pathlib import Path

LINE = "27 1 {0}:{1} / / rw,relatime shared:1 - {2} /dev/vda rw\n"


def mountinfo_of(tmp_path: Path, kind: str) -> Path:
    device = tmp_path.stat().st_dev
    path = tmp_path / "mountinfo"
    path.write_text(LINE.format(os.major(device), os.minor(device), kind))
    return path


def test_the_type_is_found_by_the_devices_number() -> None:
    text = LINE.format(8, 1, "ext4") + LINE.format(0, 40, "overlay")

    assert filesystem_type(os.makedev(0, 40), text) == "overlay"
    assert filesystem_type(os.makedev(9, 9), text) == ""


@pytest.mark.parametrize("kind", ["overlay", "nfs4", "vfat"])
def test_a_file_system_that_cannot_is_named_with_what_to_do(tmp_path: Path, kind: str) -> None:
    check = UpperCheck(str(mountinfo_of(tmp_path, kind)))

    with pytest.raises(Unsupported, match=f"lies on {kind}") as caught:
        check.require(str(tmp_path))
    assert "ORCHESTRA_DATA_ROOT" in caught.value.fix


def test_a_good_one_is_asked_once(tmp_path: Path) -> None:
    mountinfo = mountinfo_of(tmp_path, "ext4")
    check = UpperCheck(str(mountinfo))
    check.require(str(tmp_path))
    mountinfo.unlink()

    check.require(str(tmp_path))

    assert not mountinfo.exists()
