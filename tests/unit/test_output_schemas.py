"""Every `--format json` output satisfies its schema in `schemas/`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from orchestra.cli.commands.events import _json_line
from orchestra.cli.main import main
from orchestra.config.schema import load_schema, schema_file
from orchestra.layout import Layout
from orchestra.model.state import ContainerState, PortState, Status, dump_state
from orchestra.ops.events import ProjectEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = sorted(
    name.removesuffix(".schema.json") for name in os.listdir(os.path.dirname(schema_file("x")))
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project "shop" with one container that has ended."""
    monkeypatch.setenv("ORCHESTRA_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("ORCHESTRA_RUN_ROOT", str(tmp_path / "run"))
    state = ContainerState(
        id="ab" * 32,
        name="shop-web-1",
        project="shop",
        service="web",
        number=1,
        image="redis:7",
        image_id="host",
        config_hash="c",
        command=("python", "app.py"),
        created_ns=1_700_000_000_000_000_000,
        status=Status.EXITED,
        finished_ns=1_700_000_001_000_000_000,
        labels=(("com.docker.compose.project", "shop"),),
        ports=(PortState(80, "tcp", "0.0.0.0", 8080), PortState(81, "udp")),
    )
    path = Layout(str(tmp_path / "data"), str(tmp_path / "run")).state_json("shop", state.id)
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(dump_state(state))


def check(name: str, value: object) -> None:
    Draft202012Validator(load_schema(name)).validate(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_describes_every_attribute(name: str) -> None:
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert list(_undescribed(schema, name)) == []


def _undescribed(node: Any, path: str) -> Iterator[str]:
    for name, inner in node.get("properties", {}).items():
        if "$ref" not in inner and "description" not in inner:
            yield f"{path}.{name}"
    for key in ("properties", "patternProperties", "$defs"):
        for name, inner in node.get(key, {}).items():
            if isinstance(inner, dict):
                yield from _undescribed(inner, f"{path}.{name}")
    if isinstance(node.get("items"), dict):
        yield from _undescribed(node["items"], f"{path}[]")


@pytest.mark.usefixtures("project")
def test_ps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-p", "shop", "ps", "-a", "--format", "json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    check("ps", json.loads(line))


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["ls", "images"])
def test_lists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-a"] if command == "ls" else []
    assert main(["-p", "shop", command, *options, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 1
    check(command, found)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--format", "json"]) == 0
    check("version", json.loads(capsys.readouterr().out))


def test_events() -> None:
    event = ProjectEvent(
        time_ns=1, action="start", id="ab", service="web", image="redis", name="n", attributes=()
    )
    check("events", json.loads(_json_line(event)))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("ps", {"Name": "x"}), ("ls", [{}]), ("events", {}), ("version", {"version": 1})],
)
def test_what_is_something_else_is_refused(name: str, wrong: object) -> None:
    assert not Draft202012Validator(load_schema(name)).is_valid(wrong)
