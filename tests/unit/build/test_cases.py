"""Golden cases: a Dockerfile in, its commands, stages and lint findings, or the error, out.

A folder of `cases/` holds a Dockerfile, perhaps a `.dockerignore` and a `case.json` (build
arguments, target), and one of `expected.json` and `expected.err`. `seen` are the commands after the
replacement of variables, where that changes them. `--update-golden` writes what comes out now.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.build.dockerfile import Dockerfile, parse_dockerfile
from orchestra.build.graph import BuildGraph, Options, Origin, plan_stages
from orchestra.build.ignore import NOTHING_IGNORED, parse_ignore
from orchestra.build.lint.base import Subject
from orchestra.build.lint.table import check
from orchestra.build.scope import Scope
from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from orchestra.build.instructions.base import Command

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
PLATFORM = "linux/amd64"


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """case.json."""

    args: dict[str, str] = {}
    target: str = ""
    contexts: tuple[str, ...] = ()


def shown(command: Command) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(command)
    for written in ("word", "text", "place", "type"):
        fields.pop(written)
    first, last = command.place.line, command.place.last_line
    lines = f"{first}" if first == last else f"{first}-{last}"
    return {f"{command.keyword} {lines}": fields}


def origin(where: Origin) -> str:
    if where.stage is not None:
        return f"stage {where.stage}"
    return f"context {where.context}" if where.context else where.image


def read(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def seen(dockerfile: Dockerfile, graph: BuildGraph) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    scopes: dict[int | None, Scope] = {}
    for planned in graph.stages:
        parent = scopes.get(planned.base.stage)
        scope = (
            parent.for_next_stage({})
            if parent
            else Scope(graph.given, graph.global_args, dockerfile.escape, {"PATH": "/bin"})
        )
        scopes[planned.stage.number] = scope
        for command in planned.stage.commands:
            result, missing = scope.apply(command)
            if result != command or missing:
                line = shown(result)
                found.append({**line, "missing": sorted(missing)} if missing else line)
    return found


def outcome(folder: str) -> str:
    settings = msgspec.json.decode(read(folder, "case.json") or "{}", type=Settings)
    with open(os.path.join(folder, "Dockerfile"), "rb") as file:
        data = file.read()
    try:
        dockerfile = parse_dockerfile(data, "Dockerfile")
        options = Options(settings.args, PLATFORM, settings.target, settings.contexts)
        graph = plan_stages(dockerfile, options)
        ignore = read(folder, ".dockerignore")
        rules = parse_ignore(ignore, ".dockerignore") if ignore else NOTHING_IGNORED
        findings = check(
            Subject(dockerfile, settings.args, PLATFORM, rules, {"known": {"HOME": "/"}}.get)
        )
        replaced = seen(dockerfile, graph)
    except OrchestraError as error:
        return f"{error}\n"
    tree = {
        "directives": dockerfile.directives,
        "global": [shown(each) for each in dockerfile.global_args],
        "stages": {
            f"{planned.stage.title} from {origin(planned.base)}": {
                "platform": planned.platform,
                "sources": {name: origin(where) for name, where in planned.sources.items()},
                "commands": [shown(each) for each in planned.stage.commands],
            }
            for planned in graph.stages
        },
        "seen": replaced,
        "skipped": graph.skipped,
        "unused": graph.unused,
        "lint": [str(finding) for finding in findings],
    }
    kept = {key: value for key, value in tree.items() if value}
    return msgspec.json.format(msgspec.json.encode(kept), indent=1).decode() + "\n"


@pytest.mark.parametrize("name", sorted(os.listdir(CASES)))
def test_dockerfile_means_what_its_golden_file_says(
    name: str, request: pytest.FixtureRequest
) -> None:
    folder = os.path.join(CASES, name)
    text = outcome(folder)
    kind = "json" if text.startswith("{") else "err"
    path = os.path.join(folder, f"expected.{kind}")
    if request.config.getoption("--update-golden"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    other = os.path.join(folder, f"expected.{'err' if kind == 'json' else 'json'}")
    assert not os.path.exists(other), text
    with open(path, encoding="utf-8") as file:
        assert text == file.read()


def test_there_are_enough_cases() -> None:
    assert len(os.listdir(CASES)) >= 120
