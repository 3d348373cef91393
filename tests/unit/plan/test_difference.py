"""What has changed between two descriptions of a container, by the compose file's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    FileContent,
    ImageId,
    Mount,
    MountKind,
    Process,
    Resources,
    Security,
)
from orchestra.plan.difference import differences

if TYPE_CHECKING:
    from collections.abc import Mapping

BEFORE = ContainerSpec(
    id=ContainerId("1" * 64),
    name="demo-web-1",
    project="demo",
    service="web",
    image="app",
    image_id=ImageId("sha256:" + "a" * 64),
    process=Process(argv=("serve",), env=(("A", "1"), ("B", "x"))),
    labels=(("com.docker.compose.config-hash", "h"), ("mine", "1")),
    mounts=(Mount(kind=MountKind.VOLUME, target="/data", source="demo_data"),),
    files=(FileContent(target="/run/secrets/key", content="old secret"),),
)


def told(**changes: object) -> list[str]:
    return [str(each) for each in differences(BEFORE, msgspec.structs.replace(BEFORE, **changes))]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": ContainerId("2" * 64), "labels": (("mine", "1"),)}, []),
        (
            {"process": Process(argv=("serve",), env=(("A", "2"), ("C", "y")))},
            ['environment.A: "1" is now "2"', 'environment.B: "x" is gone',
             'environment.C: "y" is new'],
        ),
        ({"labels": (("mine", "2"),)}, ['labels.mine: "1" is now "2"']),
        ({"resources": Resources(memory_bytes=5)}, ["mem_limit: 5 is new"]),
        ({"security": Security(cap_add=("ALL",))}, ['cap_add: ["ALL"] is new']),
        ({"mounts": ()}, ['volumes./data: {"kind":"volume","target":"/data","source":"demo_data"}'
                          " is gone"]),
        ({"image_id": ImageId("sha256:" + "b" * 64)},
         ['image: "app (sha256:aaaaaaaaaaaa)" is now "app (sha256:bbbbbbbbbbbb)"']),
    ],
)  # fmt: skip
def test_attributes_with_both_values(changes: Mapping[str, object], expected: list[str]) -> None:
    assert told(**changes) == expected


def test_secrets_are_not_shown() -> None:
    (line,) = told(files=(FileContent(target="/run/secrets/key", content="new secret"),))
    assert line.startswith("files./run/secrets/key: ")
    assert 'secret"' not in line
