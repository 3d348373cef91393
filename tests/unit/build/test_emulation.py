"""Whether programs of another processor run in containers is told by binfmt_misc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.build.emulation import is_emulated
from orchestra.image.platform import parse_platform

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "{}\ninterpreter /usr/bin/qemu-aarch64-static\nflags: {}\noffset 0\nmagic 7f454c46\n"


@pytest.mark.parametrize(
    ("state", "flags", "platform", "expected"),
    [
        ("enabled", "F", "linux/arm64", True),
        ("enabled", "POCF", "linux/arm64/v8", True),
        ("enabled", "", "linux/arm64", False),
        ("disabled", "F", "linux/arm64", False),
        ("enabled", "F", "linux/s390x", False),
        ("enabled", "F", "windows/arm64", False),
    ],
)
def test_only_an_enabled_interpreter_that_is_held_open_counts(
    tmp_path: Path, state: str, flags: str, platform: str, *, expected: bool
) -> None:
    (tmp_path / "qemu-aarch64").write_text(ENTRY.format(state, flags))
    (tmp_path / "status").write_text("enabled\n")
    assert is_emulated(parse_platform(platform), str(tmp_path)) is expected


def test_a_machine_without_binfmt_runs_its_own_programs_only(tmp_path: Path) -> None:
    assert not is_emulated(parse_platform("linux/arm64"), str(tmp_path / "nothing"))
