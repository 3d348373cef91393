"""A run root that has outlived a reboot: nothing in it is believed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.layout import Layout
from orchestra.linux.procfs import boot_id
from orchestra.supervisor.spawn import spawn_lock

if TYPE_CHECKING:
    from pathlib import Path


def prepared(tmp_path: Path, boot: str) -> Layout:
    layout = Layout(str(tmp_path / "data"), str(tmp_path / "run"))
    os.makedirs(layout.run("p"))
    for path, text in (
        (layout.supervisor_pid("p"), "123 456\n1 2\n"),
        (layout.exits("p"), "7 8 0\n"),
        (layout.boot("p"), boot),
    ):
        if text:
            with open(path, "w") as file:
                file.write(text)
    return layout


def test_processes_of_another_boot_are_forgotten(tmp_path: Path) -> None:
    layout = prepared(tmp_path, "another")
    with spawn_lock(layout, "p"):
        assert os.path.getsize(layout.supervisor_pid("p")) == 0
        assert not os.path.exists(layout.exits("p"))
    with open(layout.boot("p")) as file:
        assert file.read() == boot_id()


def test_those_of_this_boot_and_of_an_older_version_are_kept(tmp_path: Path) -> None:
    for number, boot in enumerate((boot_id(), "")):
        layout = prepared(tmp_path / str(number), boot)
        with spawn_lock(layout, "p"):
            assert os.path.getsize(layout.supervisor_pid("p"))
            assert os.path.exists(layout.exits("p"))
