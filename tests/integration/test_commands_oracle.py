"""The same command lines through Docker Compose and through orchestra: exit codes and what is told.

Needs Docker Compose 2 (ORCHESTRA_DOCKER_COMPOSE names it, else it is looked for in the usual
places) and dockerd, which is started for the occasion. What differs on purpose is in
`docs/compatibility.md`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.oracle import BESIDE_DOCKER_COMPOSE, COMPOSE_PROGRAM, IMAGE, Peer, story
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.docker_engine import DockerEngine
    from tests.support.scenario import Orchestra

pytestmark = BESIDE_DOCKER_COMPOSE

COMPOSE = """
name: demo
services:
  web:
    image: {image}
    init: true
    command: [sh, -c, "echo hello; sleep 0.2; echo err >&2; exec sleep 600"]
    ports: ["18080:80", "18081:81/udp"]
    volumes: ["data:/data"]
    depends_on: [db]
    labels: {{a.b: "c"}}
  db:
    image: {image}
    init: true
    scale: 2
    command: [sleep, "600"]
volumes: {{data: {{}}}}
"""

STEPS: tuple[tuple[str, ...], ...] = (
    ("--dry-run", "up", "-d"),
    ("ps",),
    ("ps", "--format", "json"),
    ("ls",),
    ("port", "web", "80"),
    ("up", "-d"),
    ("up", "-d"),
    ("ps",),
    ("ps", "-a", "--format", "json"),
    ("ps", "--services"),
    ("ps", "--format", "{{.Name}} {{.State}} {{.ExitCode}} {{.Service}}"),
    ("ps", "--format", "table {{.Name}}\\t{{.Project}}"),
    ("ps", "--format", '{{.Label "a.b"}}'),
    ("ps", "--format", "{{range .Publishers}}{{.PublishedPort}} {{end}}"),
    ("ps", "--status", "exited"),
    ("ps", "nosuch"),
    ("ls", "--format", "json"),
    ("ls", "-q"),
    ("ls", "--filter", "name=nosuch"),
    ("port", "web", "80"),
    ("port", "--protocol", "udp", "web", "81"),
    ("port", "web", "99"),
    ("logs", "web"),
    ("logs", "--no-log-prefix", "--tail", "1", "web"),
    ("logs", "nosuch"),
    ("exec", "-T", "web", "echo", "hi"),
    ("exec", "-T", "web", "sh", "-c", "exit 7"),
    ("exec", "-T", "--index", "2", "db", "true"),
    ("exec", "-T", "--index", "9", "db", "true"),
    ("--dry-run", "stop"),
    ("--dry-run", "kill"),
    ("stop", "db"),
    ("ls",),
    ("ps", "-a", "--format", "{{.Name}} {{.State}} {{.ExitCode}}"),
    ("start", "db"),
    ("restart", "web"),
    ("kill", "-s", "TERM", "db"),
    ("rm", "-f", "db"),
    ("rm", "-f", "db"),
    ("up", "-d", "--scale", "db=1"),
    ("pause", "db"),
    ("ps", "--format", "{{.Name}} {{.State}}"),
    ("unpause", "db"),
    ("stop",),
    ("start",),
    ("--dry-run", "rm", "-fs"),
    ("nosuch",),
    ("up", "--nosuch"),
    ("up", "--exit-code-from", "nosuch"),
    ("up", "-d", "--attach", "web"),
    ("kill",),
    ("kill",),
    ("down", "-v"),
    ("down",),
    ("stop",),
    ("start",),
)

FOREGROUND = """
name: demo
services:
  web:
    image: {image}
    command: [sh, -c, "echo hello; sleep 0.5; echo bye"]
    depends_on: [db]
  db:
    image: {image}
    init: true
    command: [sh, -c, "echo base; sleep 1.5; exit 3"]
  quiet:
    image: {image}
    attach: false
    init: true
    command: [sh, -c, "echo hush; sleep 2"]
"""

SESSIONS: tuple[tuple[str, ...], ...] = (
    ("up",),
    ("up", "--no-log-prefix"),
    ("up", "--attach", "web"),
    ("up", "--no-attach", "web"),
    ("up", "web"),
    ("up", "--attach-dependencies", "--attach", "web"),
    ("up", "--attach", "nosuch"),
    ("up", "--wait", "--attach", "web"),
    ("up", "-d", "--abort-on-container-exit"),
)
"""Of these the lines on stdout are compared, in any order: two containers write at once."""

ABORTED: tuple[tuple[str, ...], ...] = (
    ("up", "--abort-on-container-exit"),
    ("up", "--exit-code-from", "db"),
    ("up", "--exit-code-from", "web"),
    ("run", "--rm", "-T", "web", "sh", "-c", "exit 5"),
)
"""Of these only the exit codes: who is told to have ended last is a matter of chance."""

STDERR = frozenset(("up", "stop", "start", "restart", "down"))
"""Commands whose progress is compared, line by line in any order, when they succeed."""

OTHERWISE = frozenset((("up", "-d", "--scale", "db=1"), ("down", "-v"), ("nosuch",)))
"""Steps of which only the exit code is compared, or what they print to stdout."""


@pytest.fixture
def docker(docker_engine: DockerEngine, tmp_path: os.PathLike[str]) -> Iterator[Peer]:
    peer = Peer((COMPOSE_PROGRAM,), docker_engine.environ, os.path.join(tmp_path, "demo"), IMAGE)
    yield peer
    peer.run(("down", "-v", "-t", "0", "--remove-orphans"))


@pytest.fixture
def ours(orchestra: Orchestra) -> Peer:
    return Peer((PROGRAM,), orchestra.env, os.path.join(orchestra.directory, "demo"), "host")


def test_the_same_commands_tell_the_same(docker: Peer, ours: Peer) -> None:
    docker.write(COMPOSE)
    ours.write(COMPOSE)
    differing = []
    for step in STEPS:
        theirs, mine = docker.run(step), ours.run(step)
        if step in OTHERWISE or not STDERR.intersection(step):
            theirs, mine = theirs._replace(steps=()), mine._replace(steps=())
        if step in OTHERWISE:
            theirs, mine = theirs._replace(out=[]), mine._replace(out=[])
        if theirs != mine:
            differing.append(story(step, theirs, mine))
    assert not differing, "\n".join(differing)


@pytest.mark.parametrize("step", [*SESSIONS, *ABORTED], ids=" ".join)
def test_the_same_sessions_in_the_foreground(
    docker: Peer, ours: Peer, step: tuple[str, ...]
) -> None:
    docker.write(FOREGROUND)
    ours.write(FOREGROUND)
    theirs, mine = docker.run(step), ours.run(step)
    assert mine.code == theirs.code
    if step in SESSIONS:
        assert sorted(map(str, mine.out)) == sorted(map(str, theirs.out))
