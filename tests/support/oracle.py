"""Docker Compose and orchestra side by side: the same command lines, and what both tell.

`plainly` takes out what must differ: ids, times, the image's name, the widths of columns.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.docker_engine import find_compose, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

COMPOSE_PROGRAM = find_compose() or ""
IMAGE = "oracle:busybox"
SAME_VALUES = frozenset(
    ("Name", "Names", "Service", "State", "Project", "ExitCode", "Health", "Publishers", "Networks")
)
"""Keys of JSON output whose values are compared; of the others the types are."""


def why_no_oracle() -> str | None:
    """The reason why nothing can be compared here; None when it can."""
    return (
        why_no_engine()
        or (None if COMPOSE_PROGRAM else "needs Docker Compose 2")
        or (None if shutil.which("busybox") else "needs busybox-static")
    )


_REASON = why_no_oracle()
BESIDE_DOCKER_COMPOSE = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_REASON), reason=_REASON or ""),
]
"""The marks of tests that compare with Docker Compose, which have the fixture `docker_engine`."""


class Told(NamedTuple):
    """What one step came to: lines or records, and the progress."""

    code: int
    out: Sequence[object]
    steps: tuple[str, ...]


class Peer:
    """One of the two programs, in a project directory of its own called `demo`.

    *left_by* are command lines that tell what there is on the machine: containers, networks,
    volumes.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        env: dict[str, str],
        directory: str,
        image: str,
        left_by: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self._argv, self._env, self._directory, self._image = argv, env, directory, image
        self._left_by = left_by

    def write(self, compose: str, name: str = "compose.yaml") -> None:
        """Write *compose* for this peer's image to a file, made with the directory."""
        os.makedirs(self._directory, exist_ok=True)
        with open(os.path.join(self._directory, name), "w") as file:
            file.write(compose.format(image=self._image))

    def run(self, step: Sequence[str], env: Mapping[str, str] | None = None) -> Told:
        """Run one step, with further variables in *env*."""
        done = self._run((*self._argv, *step), env or {})
        told = plainly(done.stdout, self._directory)
        out: Sequence[object] = [_in_order(line) for line in told.splitlines()]
        if "json" in step and done.returncode == 0:
            out = records(done.stdout)
        return Told(done.returncode, out, _progress(done.stderr) if done.returncode == 0 else ())

    def left(self) -> list[list[str]]:
        """The containers with their states, the networks and the volumes that there are."""
        outputs = (self._run(argv, {}).stdout for argv in self._left_by)
        return [
            sorted(plainly(line, self._directory) for line in output.splitlines() if is_made(line))
            for output in outputs
        ]

    def _run(
        self, argv: tuple[str, ...], env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            cwd=self._directory,
            env={**self._env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def is_made(line: str) -> bool:
    """Whether it names something that was made: Docker has three networks of its own."""
    return line.strip() not in ("bridge", "host", "none")


def plainly(text: str, directory: str) -> str:
    """*text* without what must differ."""
    text = text.replace("\x1b[2K", "").replace(":::", "[::]:").replace(directory, "DIRECTORY")
    text = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", text.replace(IMAGE, "host"))
    text = re.sub(r"(Less than a second|About a minute|\d+ seconds?)( ago)?", "SOME TIME", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z| \+0000 UTC)?", "DATE", text)
    return re.sub(r"[ \t]+", " ", text)


def _in_order(line: str) -> str:
    """*line*, but what is named in any order, in one."""
    head = "Going to remove "
    return (
        head + ", ".join(sorted(line[len(head) :].split(", "))) if line.startswith(head) else line
    )


def records(text: str) -> list[dict[str, object]]:
    """JSON, an array or an object per line, as keys and the values that can be compared."""
    parsed = [json.loads(line) for line in text.splitlines()]
    found = parsed[0] if parsed and isinstance(parsed[0], list) else parsed
    return [
        {
            key: _comparable(key, each[key]) if key in SAME_VALUES else type(each[key]).__name__
            for key in each
        }
        for each in found
    ]


def _comparable(key: str, value: object) -> object:
    """Docker Compose has networks as Go's maps have them: in any order."""
    return sorted(str(value).split(",")) if key == "Networks" else value


def _progress(text: str) -> tuple[str, ...]:
    lines = (line.replace('"', "") for line in text.splitlines() if "  " in line.strip())
    return tuple(sorted({line.strip() for line in lines}))


def story(step: Iterable[str], theirs: object, mine: object) -> str:
    """How a difference is shown."""
    return f"{' '.join(step)}\n  docker    {theirs}\n  orchestra {mine}"
