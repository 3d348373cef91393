"""`events` of the same commands, with Docker Compose and with orchestra: action by action.

Needs Docker Compose 2 and dockerd, as `test_commands_oracle` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

from tests.support.oracle import BESIDE_DOCKER_COMPOSE, COMPOSE_PROGRAM, IMAGE
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.docker_engine import DockerEngine
    from tests.support.scenario import Orchestra

pytestmark = BESIDE_DOCKER_COMPOSE

COMPOSE = """
name: demo
services:
  web:
    image: "{image}"
    init: true
    command: [sleep, "600"]
    labels: {{colour: red}}
  deaf: {{image: "{image}", command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]}}
"""
STEPS = (
    ("up", "-d", "web"),
    ("exec", "-T", "web", "sh", "-c", "exit 3"),
    ("pause",),
    ("unpause",),
    ("restart", "-t", "5", "web"),
    ("kill", "-s", "HUP", "web"),
    ("wait", "web"),  # it is told before it has ended
    ("start", "web"),
    ("stop", "web"),
    ("start", "web"),
    ("kill", "web"),
    ("up", "-d", "deaf"),
    ("stop", "-t", "1", "deaf"),
    ("run", "--rm", "-T", "web", "true"),
    ("cp", "compose.yaml", "web:/tmp/file"),
    ("cp", "web:/tmp/file", "file"),
    ("rm", "-f", "deaf"),  # alone: `down` of two goes on at the same time
    ("down",),
)


class Peer:
    """One of the two programs, in a project directory of its own called `demo`."""

    def __init__(self, program: str, env: dict[str, str], directory: str, image: str) -> None:
        self._program, self._env, self._directory = program, env, directory
        os.mkdir(directory)
        with open(os.path.join(directory, "compose.yaml"), "w") as file:
            file.write(COMPOSE.format(image=image))

    def run(self, *argv: str) -> str:
        return subprocess.run(
            argv,
            cwd=self._directory,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout

    def story(self) -> list[str]:
        """What is remembered of STEPS: service, action, and what is said of it."""
        for step in STEPS:
            self.run(self._program, *step)
        return self.events()

    def events(self) -> list[str]:
        told = self.run(self._program, "events", "--json", "--since", "1h", "--until", "0s")
        found = []
        for event in map(json.loads, told.splitlines()):
            assert set(event) == {"action", "attributes", "id", "service", "time", "type"}
            found.append(line(event["service"], event["action"], event["attributes"]))
        return found


class DockerPeer(Peer):
    """Docker Compose 2.26 has no `--since`: the engine is asked."""

    def events(self) -> list[str]:
        query = ("--filter", "label=com.docker.compose.project=demo", "--filter", "type=container")
        period = ("--since", "1h", "--until", str(time.time()))
        told = self.run("docker", "events", *period, *query, "--format", "{{json .}}")
        events = [json.loads(text) for text in told.splitlines()]
        return [
            line(attributes["com.docker.compose.service"], event["Action"], attributes)
            for event in events
            if (attributes := event["Actor"]["Attributes"])["com.docker.compose.oneoff"] == "False"
        ]


def line(service: str, action: str, attributes: dict[str, str]) -> str:
    said = {key: attributes.get(key, "") for key in ("colour", "exitCode", "signal", "name")}
    return " ".join((service, action, *(f"{key}={text}" for key, text in said.items() if text)))


def test_the_same_events(
    docker_engine: DockerEngine, orchestra: Orchestra, tmp_path: os.PathLike[str]
) -> None:
    docker = DockerPeer(
        COMPOSE_PROGRAM, docker_engine.environ, os.path.join(tmp_path, "demo"), IMAGE
    )
    ours = Peer(PROGRAM, orchestra.env, os.path.join(orchestra.directory, "demo"), "host")
    theirs, mine = docker.story(), ours.story()
    assert "\n".join(mine) == "\n".join(theirs)
