"""`events`: what happens to containers is told while it happens."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def test_events_are_told_until_ctrl_c(orchestra: Orchestra, request: pytest.FixtureRequest) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(
            "services:\n"
            "  web: {image: host, init: true, command: [sleep, '600']}\n"
            "  db: {image: host, init: true, command: [sleep, '600']}\n"
        )
    orchestra("up", "-d")
    listener = subprocess.Popen(
        (PROGRAM, "events", "--json", "web"),
        cwd=orchestra.directory,
        env=orchestra.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listener.stdout is not None
    request.addfinalizer(listener.kill)
    while not select.select([listener.stdout], [], [], 0.2)[0]:  # until the listener listens
        orchestra("pause", "web")
        orchestra("unpause", "web")
    orchestra("stop")
    orchestra("down")
    listener.send_signal(signal.SIGINT)
    told = [json.loads(line) for line in listener.communicate(timeout=30)[0].splitlines()]
    assert listener.returncode == 130
    assert {event["service"] for event in told} == {"web"}
    actions = [event["action"] for event in told]
    assert {"unpause", "die", "destroy"} <= set(actions)
    death = next(event for event in told if event["action"] == "die")
    assert death["attributes"]["exitCode"] == "143"


def test_the_past_is_remembered_without_a_supervisor(orchestra: Orchestra) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(
            "services:\n"
            "  web: {image: host, init: true, command: [sleep, '600'], labels: {colour: red}}\n"
        )
    orchestra("up", "-d")
    orchestra("exec", "-T", "web", "sh", "-c", "exit 3", code=3)
    orchestra("run", "--rm", "-T", "web", "true")
    orchestra("down", "-t", "0")
    told = orchestra("events", "--json", "--since", "1h", "--until", "0s").out
    events = [json.loads(line) for line in told.splitlines()]
    assert [event["action"] for event in events] == [
        "create", "start", "exec_create: sh -c exit 3", "exec_start: sh -c exit 3", "exec_die",
        "kill", "die", "stop", "destroy",
    ]  # fmt: skip
    assert {event["attributes"]["colour"] for event in events} == {"red"}
    assert events[4]["attributes"]["exitCode"] == "3"
    assert events[4]["attributes"]["execID"] == events[2]["attributes"]["execID"]
    assert events[5]["attributes"]["signal"] == "9"
    middle = events[4]["time"]
    later = orchestra("events", "--json", "--since", middle, "--until", "0s").out
    assert len(later.splitlines()) == 5
    earlier = orchestra("events", "--json", "--until", middle).out
    assert len(earlier.splitlines()) == 5
    assert orchestra("events", "--since", "1h", "--until", "0s", "nosuch").out == ""


def test_events_of_a_project_that_does_not_run_yet_are_awaited(
    orchestra: Orchestra, request: pytest.FixtureRequest
) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write("services: {web: {image: host, command: 'true'}}\n")
    listener = subprocess.Popen(
        (PROGRAM, "events"),
        cwd=orchestra.directory,
        env=orchestra.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listener.stdout is not None
    request.addfinalizer(listener.kill)
    while not select.select([listener.stdout], [], [], 0.2)[0]:  # until the listener listens
        orchestra("up", "-d", "--force-recreate")
    assert " container " in listener.stdout.readline()
    listener.kill()
    listener.communicate(timeout=30)
