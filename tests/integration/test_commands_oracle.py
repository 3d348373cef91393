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
    from collections.abc import Iterator, Sequence

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


class Told(NamedTuple):
    """What one step came to: lines or records, and the progress."""

    code: int
    out: Sequence[object]
    steps: tuple[str, ...]


class Peer:
    """One of the two programs, in a project directory of its own called `demo`."""

    def __init__(
        self, argv: tuple[str, ...], env: dict[str, str], directory: str, image: str
    ) -> None:
        self._argv, self._env, self._directory, self._image = argv, env, directory, image

    def write(self, compose: str) -> None:
        """Make the directory, with *compose* for this peer's image."""
        os.mkdir(self._directory)
        with open(os.path.join(self._directory, "compose.yaml"), "w") as file:
            file.write(compose.format(image=self._image))

    def run(self, step: tuple[str, ...]) -> Told:
        done = subprocess.run(
            (*self._argv, *step),
            cwd=self._directory,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        told = plainly(done.stdout, self._directory)
        out: Sequence[object] = [_in_order(line) for line in told.splitlines()]
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


@pytest.fixture
def docker(engine: DockerEngine, tmp_path: os.PathLike[str]) -> Iterator[Peer]:
    peer = Peer((_COMPOSE,), engine.environ, os.path.join(tmp_path, "demo"), IMAGE)
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
            differing.append(f"{' '.join(step)}\n  docker    {theirs}\n  orchestra {mine}")
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
