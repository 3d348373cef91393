"""Which images go with a project."""

from __future__ import annotations

import pytest

from orchestra.ops.down_images import Images, images_of_project
from tests.unit.plan.projects import project, service

PROJECT = project(
    service("web", image="redis:7"),
    service("cache", image="redis:7"),
    service("app", image=""),
    service("tool", image="host"),
)


@pytest.mark.parametrize(
    ("services", "which", "expected"),
    [
        ((), Images.ALL, ("demo-app", "redis:7")),
        ((), Images.LOCAL, ("demo-app",)),
        (("cache", "tool"), Images.ALL, ("redis:7",)),
        (("web",), Images.LOCAL, ()),
    ],
)
def test_images_that_go(
    services: tuple[str, ...], which: Images, expected: tuple[str, ...]
) -> None:
    assert images_of_project(PROJECT, services, which) == expected
