"""The same command lines through Docker Compose and through orchestra: exit codes and what is told.

Needs Docker Compose 2 (ORCHESTRA_DOCKER_COMPOSE names it, else it is looked for in the usual
places) and dockerd, which is started for the occasion. What differs on purpose is in
`docs/compatibility.md`; `plainly` takes it out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

_COMPOSE = find_compose() or ""
_REASON = (
    why_no_engine()
    or (None if _COMPOSE else "needs Docker Compose 2")
    or (None if shutil.which("busybox") else "needs busybox-static")
)
pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_REASON), reason=_REASON or ""),
]

IMAGE = "oracle:busybox"
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

STDERR = frozenset(("up", "stop", "start", "restart", "down"))
"""Commands whose progress is compared, line by line in any order, when they succeed."""

OTHERWISE = frozenset((("up", "-d", "--scale", "db=1"), ("down", "-v"), ("nosuch",)))
"""Steps of which only the exit code is compared, or what they print to stdout."""


class Told(NamedTuple):
    """What one step came to."""

    code: int
    out: object
    steps: tuple[str, ...]


class Peer:
    """One of the two programs, in a project directory of its own called `demo`."""

    def __init__(self, argv: tuple[str, ...], env: dict[str, str], directory: str) -> None:
        self._argv, self._env, self.directory = argv, env, directory

    def run(self, step: tuple[str, ...]) -> Told:
        done = subprocess.run(
            (*self._argv, *step),
            cwd=self.directory,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        told = plainly(done.stdout, self.directory)
        out: object = [_in_order(line) for line in told.splitlines()]
        if "json" in step:
            out = _records(done.stdout)
        return Told(done.returncode, out, _progress(done.stderr) if done.returncode == 0 else ())


def plainly(text: str, directory: str) -> str:
    """*text* without what must differ: ids, times, the image's name, widths of columns."""
    text = text.replace("\x1b[2K", "").replace(":::", "[::]:").replace(directory, "DIRECTORY")
    text = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", text.replace(IMAGE, "host"))
    text = re.sub(r"(Less than a second|About a minute|\d+ seconds?)( ago)?", "SOME TIME", text)
    return re.sub(r"[ \t]+", " ", text)


def _in_order(line: str) -> str:
    """*line*, but what is named in any order, in one."""
    head = "Going to remove "
    return (
        head + ", ".join(sorted(line[len(head) :].split(", "))) if line.startswith(head) else line
    )


def _records(text: str) -> list[dict[str, object]]:
    """JSON, an array or an object per line, as keys and the values that can be compared."""
    parsed = [json.loads(line) for line in text.splitlines()]
    records = parsed[0] if parsed and isinstance(parsed[0], list) else parsed
    same = ("Name", "Service", "State", "Project", "ExitCode", "Health", "Publishers", "Networks")
    return [
        {key: record[key] if key in same else type(record[key]).__name__ for key in record}
        for record in records
    ]


def _progress(text: str) -> tuple[str, ...]:
    lines = (line.replace('"', "") for line in text.splitlines() if "  " in line.strip())
    return tuple(sorted({line.strip() for line in lines}))


@pytest.fixture(scope="module")
def engine(outer_namespaces: None) -> Iterator[DockerEngine]:
    del outer_namespaces
    with DockerEngine() as running:
        running.import_busybox(IMAGE)
        yield running


def _project(directory: str, image: str) -> str:
    demo = os.path.join(directory, "demo")
    os.mkdir(demo)
    with open(os.path.join(demo, "compose.yaml"), "w") as file:
        file.write(COMPOSE.format(image=image))
    return demo


def test_the_same_commands_tell_the_same(
    engine: DockerEngine, orchestra: Orchestra, tmp_path: os.PathLike[str]
) -> None:
    docker = Peer((_COMPOSE,), engine.environ, _project(os.fspath(tmp_path), IMAGE))
    ours = Peer((PROGRAM,), orchestra.env, _project(orchestra.directory, "host"))
    differing = []
    try:
        for step in STEPS:
            theirs, mine = docker.run(step), ours.run(step)
            if step in OTHERWISE or not STDERR.intersection(step):
                theirs, mine = theirs._replace(steps=()), mine._replace(steps=())
            if step in OTHERWISE:
                theirs, mine = theirs._replace(out=""), mine._replace(out="")
            if theirs != mine:
                differing.append(f"{' '.join(step)}\n  docker    {theirs}\n  orchestra {mine}")
    finally:
        docker.run(("down", "-v", "-t", "0", "--remove-orphans"))
    assert not differing, "\n".join(differing)
