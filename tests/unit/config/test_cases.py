"""Golden cases: compose files in, the canonical form or the text of the error out.

A folder of `cases/` is one case: the files of a project, an optional `request.json` (what the
command line and the environment say besides) and one of `expected.json`, `expected.yaml` and
`expected.err`. Where Docker Compose 2.26 takes the files, the expectation is its own output, apart
from what `docs/config-differences.md` lists; the errors are ours. The case's folder is `/project`.
`--update-golden` writes what comes out now, for review.
"""

from __future__ import annotations

import os.path
from typing import Any

import msgspec
import pytest

from orchestra.config.pipeline import load
from orchestra.config.render import to_json, to_yaml
from orchestra.config.request import LoadRequest
from orchestra.errors import OrchestraError

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
_ENVIRON = {"HOME": "/home/me", "PATH": "/usr/bin:/bin"}


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """request.json."""

    env: dict[str, str] = {}
    paths: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    project_name: str = ""


def request_of(folder: str) -> LoadRequest:
    path = os.path.join(folder, "request.json")
    settings = Settings()
    if os.path.exists(path):
        with open(path, "rb") as file:
            settings = msgspec.json.decode(file.read(), type=Settings)
    return LoadRequest(
        cwd=folder,
        environ={**_ENVIRON, **settings.env},
        files=settings.paths,
        env_files=settings.env_files,
        profiles=settings.profiles,
        services=settings.services,
        project_name=settings.project_name,
    )


def outcome(folder: str, kind: str) -> str:
    """What the case in *folder* prints, as JSON or YAML, or the text of its error."""
    try:
        tree = load(request_of(folder)).tree
    except OrchestraError as error:
        if kind != "err":
            raise
        text = f"{error}\n"
    else:
        text = to_yaml(tree) if kind == "yaml" else to_json(tree)
    return text.replace(folder, "/project")


def expectation(folder: str) -> tuple[str, str]:
    """(kind, path) of the expected output."""
    kinds = [
        kind for kind in ("json", "yaml", "err") if os.path.exists(f"{folder}/expected.{kind}")
    ]
    assert len(kinds) == 1, f"{folder} must expect one thing, not {kinds}"
    return kinds[0], f"{folder}/expected.{kinds[0]}"


def _comparable(text: str, kind: str) -> Any:
    return msgspec.json.decode(text) if kind == "json" else text


@pytest.mark.parametrize("name", sorted(os.listdir(CASES)))
def test_case(name: str, pytestconfig: pytest.Config) -> None:
    folder = os.path.join(CASES, name)
    kind, path = expectation(folder)
    found = outcome(folder, kind)
    if pytestconfig.getoption("--update-golden"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(found)
    with open(path, encoding="utf-8") as file:
        assert _comparable(found, kind) == _comparable(file.read(), kind)


_DOUBLED = "interpolate-not-in-keys"
"""Dollars in keys are doubled as Docker Compose does, but keys are not interpolated."""


def _accepted() -> list[str]:
    return [
        name
        for name in sorted(set(os.listdir(CASES)) - {_DOUBLED})
        if not os.path.exists(os.path.join(CASES, name, "expected.err"))
    ]


@pytest.mark.parametrize("name", _accepted())
def test_what_is_printed_can_be_loaded_and_prints_the_same(name: str) -> None:
    folder = os.path.join(CASES, name)
    printed = to_yaml(load(request_of(folder)).tree)
    again = LoadRequest(cwd=folder, environ=_ENVIRON, files=("-",), stdin=printed, profiles=("*",))
    assert to_yaml(load(again).tree) == printed


def test_there_are_as_many_cases_as_promised() -> None:
    assert len(os.listdir(CASES)) >= 200
