"""`--compatibility`: names as the first Docker Compose put them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.plan.container import container_name

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory

COMPOSE = "name: demo\nservices: {web: {build: .}, db: {image: host, container_name: own-db}}"


def names(project: ProjectDirectory, **request: bool) -> list[str]:
    loaded = project.load(COMPOSE, **request).project
    web, db = loaded.service("web"), loaded.service("db")
    return [
        container_name(loaded, web, 2),
        loaded.image_of(web),
        container_name(loaded, db, 1),
    ]


def test_names_have_dashes(project: ProjectDirectory) -> None:
    assert names(project) == ["demo-web-2", "demo-web", "own-db"]


def test_the_flag_asks_for_underscores(project: ProjectDirectory) -> None:
    assert names(project, compatibility=True) == ["demo_web_2", "demo_web", "own-db"]


@pytest.mark.parametrize(("value", "separator"), [("1", "_"), ("True", "_"), ("0", "-"), ("", "-")])
def test_so_does_the_variable(project: ProjectDirectory, value: str, separator: str) -> None:
    project.environ["COMPOSE_COMPATIBILITY"] = value
    assert names(project)[1] == f"demo{separator}web"


def test_the_variable_may_stand_in_the_env_file(project: ProjectDirectory) -> None:
    project.write(".env", "COMPOSE_COMPATIBILITY=true\n")
    assert names(project)[1] == "demo_web"
