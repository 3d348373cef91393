"""A case: a service whose command prints what its attributes come to inside; run by both peers."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.support.archives import busybox_layer, docker_archive, files_layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

IMAGE, TALKING = "words:1", "words:talking"
PROJECT = "words"
HOLDER = "holds"
"""The one service that does not end: others join its namespaces."""


class Case(NamedTuple):
    """Service *name* with the YAML flow mapping *attributes*, whose command is *script*.

    It must print *expected*, unless that is None: then only Docker knows what is right. A script
    that is empty leaves command and entrypoint to *attributes*. Without *beside_docker* Docker
    cannot run it on every machine, such as one with fewer capabilities, or not in this version.
    """

    name: str
    attributes: str
    script: str
    expected: str | None
    image: str = IMAGE
    beside_docker: bool = True


def compose(cases: Iterable[Case]) -> str:
    """The compose file of all *cases*."""
    lines = [f"name: {PROJECT}", "services:"]
    for case in cases:
        lines += [f"  {case.name}:", f"    image: {case.image}"]
        if case.script:
            script = case.script.strip().replace("$", "$$")
            lines += ["    command:", "      - sh", "      - -c", "      - |"]
            lines += [f"        {line}" for line in ("exec 2>&1", *script.splitlines())]
        attributes = case.attributes.strip()
        lines += [f"    {line}" for line in attributes.splitlines()]
    return "\n".join([*lines, "networks: {second: {}}", ""])


def images() -> list[bytes]:
    """Two archives: `words:1` says nothing of its own, `words:talking` sets all it can."""
    accounts: dict[str, bytes | str] = {
        "etc/passwd": b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n",
        "etc/group": b"root:x:0:\napp:x:1001:\nextra:x:50:app\nstaff:x:60:\n",
        "srv/": b"",
    }
    layers = [busybox_layer(), files_layer(accounts)]
    plain = {"Env": ["PATH=/bin"], "Cmd": ["sh"]}
    talking = {
        "Env": ["PATH=/bin", "OF_IMAGE=1", "BOTH=image"],
        "Entrypoint": ["echo", "entry"],
        "Cmd": ["command"],
        "WorkingDir": "/srv",
        "User": "app",
    }
    return [docker_archive(IMAGE, layers, plain), docker_archive(TALKING, layers, talking)]


class Peer:
    """One of the two programs, in the project's directory."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], directory: str) -> None:
        self._argv, self._env, self._directory = tuple(argv), dict(env), directory

    def run(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._argv, *arguments],
            cwd=self._directory,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )

    def tell(self, cases: Sequence[Case], load: Sequence[str]) -> dict[str, str]:
        """What each case prints, by name. *load* ends with the path of an archive to load."""
        for number, archive in enumerate(images()):
            path = os.path.join(self._directory, f"image{number}.tar")
            with open(path, "wb") as file:
                file.write(archive)
            done = subprocess.run([*load, path], env=self._env, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
        with open(os.path.join(self._directory, "compose.yaml"), "w") as file:
            file.write(compose(cases))
        try:
            up = self.run("up", "-d")
            assert up.returncode == 0, up.stderr
            names = [case.name for case in cases if case.name != HOLDER]
            self.run("wait", *names)
            told: dict[str, list[str]] = {case.name: [] for case in cases}
            for line in self.run("logs", "--no-color").stdout.splitlines():
                line = line.replace("\x1b[2K", "")
                name, _, text = line.partition(" | ")
                told[name.strip().rpartition("-")[0]].append(text.rstrip("\r"))
        finally:
            self.run("down", "-v", "-t", "0")
        return {name: plainly("\n".join(lines)) for name, lines in told.items()}


def plainly(text: str) -> str:
    """Without what differs from container to container."""
    return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "ID", text)
