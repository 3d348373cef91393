"""What a container has changed, as `docker diff` tells it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from orchestra.layout import Layout
from orchestra.ops.container_diff import container_diff
from orchestra.ops.container_find import find_container
from orchestra.wiring import LocalHost
from tests.support.small import small_project

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]


def changes(orchestra: Orchestra) -> list[str]:
    layout = Layout(orchestra.env["ORCHESTRA_DATA_ROOT"], orchestra.env["ORCHESTRA_RUN_ROOT"])
    found = container_diff(LocalHost(layout), find_container(layout, "demo-small-1"))
    return [f"{change.kind.value} {change.path}" for change in found]


def test_added_changed_and_deleted_files(orchestra: Orchestra) -> None:
    small_project(orchestra)
    assert changes(orchestra) == []
    change = "mkdir /new; echo x > /new/file; echo y >> /bin/added; rm /bin/cat; "
    change += "chmod 700 /etc/passwd; echo volume > /data/in-volume"
    orchestra("exec", "-T", "small", "sh", "-c", change)
    told = changes(orchestra)
    assert told == [
        "C /bin", "A /bin/added", "D /bin/cat", "C /etc", "C /etc/passwd", "A /new", "A /new/file",
    ]  # fmt: skip
    orchestra("stop", "-t", "0")
    assert changes(orchestra) == told
