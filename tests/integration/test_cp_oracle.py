"""The rules of `cp`, case by case, with Docker Compose and with orchestra: who ends up where.

Needs Docker Compose 2 and dockerd, as `test_commands_oracle` does. After each case that succeeded
both trees, in the container and here, are compared: names, kinds, modes, owners, content.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.oracle import BESIDE_DOCKER_COMPOSE, COMPOSE_PROGRAM, IMAGE
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.docker_engine import DockerEngine
    from tests.support.scenario import Orchestra

pytestmark = BESIDE_DOCKER_COMPOSE

COMPOSE = """
name: demo
services:
  web: {{image: "{image}", init: true, command: [sleep, "600"], volumes: ["data:/v"]}}
  user: {{image: "{image}", init: true, user: "12:34", command: [sleep, "600"]}}
  ro:
    {{image: "{image}", init: true, read_only: true, command: [sleep, "600"],
    volumes: ["data:/v", "fixed:/f:ro"]}}
volumes: {{data: {{}}, fixed: {{}}}}
"""

INSIDE = """
umask 022; rm -rf /tmp/w; mkdir /tmp/w; cd /tmp/w
mkdir -p dir/sub empty; echo inner > file; echo a > dir/a; echo b > dir/sub/b
ln -s file link; ln -s dir dlink; ln -s nowhere dangling; ln -s /tmp/w/dir abs; ln file dir/hard
chmod 640 file; chown 56:78 file; chmod 750 dir
"""
LOOK = """
cd /tmp/w && find . | sort | while read -r each; do
stat -c '%n %f %u:%g %h' "$each" | sed 's/ 41\\(.*\\) [0-9]*$/ 41\\1/'
test -L "$each" && readlink "$each"; test -f "$each" && cat "$each"; done
"""

IN: tuple[tuple[str, ...], ...] = tuple(
    tuple(line.split())
    for line in """
    file web:/tmp/w/new
    file web:tmp/w/new
    file web:/tmp/w/new/
    file web:/tmp/w/new/.
    file web:/tmp/w/file
    file web:/tmp/w/file/
    file web:/tmp/w/dir
    file web:/tmp/w/dir/
    file web:/tmp/w/dir/.
    file web:/tmp/w/link
    file web:/tmp/w/dlink
    file web:/tmp/w/abs
    file web:/tmp/w/dangling
    file web:/tmp/w/nope/x
    file web:/tmp/w/dir/../new
    file/ web:/tmp/w/new
    file/. web:/tmp/w/new
    dir web:/tmp/w/new
    dir web:/tmp/w/new/
    dir/ web:/tmp/w/new
    dir/. web:/tmp/w/new
    dir web:/tmp/w/dir
    dir/ web:/tmp/w/dir
    dir/. web:/tmp/w/dir
    dir/. web:/tmp/w/dir/
    dir web:/tmp/w/file
    dir/. web:/tmp/w/file
    dir web:/tmp/w/link
    dir web:/tmp/w/dlink
    dir web:/tmp/w/dangling
    dir web:/tmp/w/nope/x
    empty web:/tmp/w/new
    clash/. web:/tmp/w
    clash2/. web:/tmp/w
    link web:/tmp/w/new
    -L link web:/tmp/w/new
    -L link web:/tmp/w/dir
    dlink web:/tmp/w/new
    dlink/ web:/tmp/w/new
    dlink/ web:/tmp/w/dir
    dlink/. web:/tmp/w/dir
    -L dlink web:/tmp/w/dir
    dangling web:/tmp/w/new
    -L dangling web:/tmp/w/new
    nosuch web:/tmp/w/new
    col:on web:/tmp/w/new
    ./col:on web:/tmp/w/new
    -a file web:/tmp/w/new
    file user:/tmp/w/new
    file ro:/tmp/new
    file ro:/v/new
    file ro:/f/new
    file web:/v/new
    file nosuch:/tmp
    file file
    web:/tmp user:/tmp
    setid web:/tmp/w/new
    . web:/tmp/w/new
    """.strip().splitlines()
)
OUT: tuple[tuple[str, ...], ...] = tuple(
    tuple(line.split())
    for line in """
    web:/tmp/w/file new
    web:tmp/w/file new
    web:/tmp/w/file new/
    web:/tmp/w/file file
    web:/tmp/w/file dir
    web:/tmp/w/file dir/
    web:/tmp/w/file dir/.
    web:/tmp/w/file link
    web:/tmp/w/file dlink
    web:/tmp/w/file dangling
    web:/tmp/w/file nope/x
    web:/tmp/w/file/ new
    web:/tmp/w/dir new
    web:/tmp/w/dir new/
    web:/tmp/w/dir/ new
    web:/tmp/w/dir/. new
    web:/tmp/w/dir dir
    web:/tmp/w/dir/ dir
    web:/tmp/w/dir/. dir
    web:/tmp/w/dir file
    web:/tmp/w/dir link
    web:/tmp/w/dir dlink
    web:/tmp/w/dir nope/x
    web:/tmp/w/link new
    -L web:/tmp/w/link new
    -L web:/tmp/w/link dir
    web:/tmp/w/dlink new
    web:/tmp/w/dlink/ new
    web:/tmp/w/dlink/. dir
    -L web:/tmp/w/dlink dir
    -L web:/tmp/w/dlink new
    -L web:/tmp/w/abs dir
    web:/tmp/w/dangling new
    -L web:/tmp/w/dangling new
    web:/tmp/w/nosuch new
    web:/tmp/w/dlink/a new
    -a web:/tmp/w/file new
    nosuch:/tmp new
    """.strip().splitlines()
)


class Peer:
    """One of the two programs, in a project directory of its own called `demo`."""

    def __init__(
        self, argv: tuple[str, ...], env: dict[str, str], directory: str, image: str
    ) -> None:
        self._argv, self._env, self.directory = argv, env, directory
        os.mkdir(directory)
        with open(os.path.join(directory, "compose.yaml"), "w") as file:
            file.write(COMPOSE.format(image=image))

    def __call__(self, *words: str, cwd: str = "") -> subprocess.CompletedProcess[str]:
        command = (*self._argv, "-f", os.path.join(self.directory, "compose.yaml"), *words)
        return subprocess.run(
            command,
            cwd=cwd or self.directory,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def copied(self, words: tuple[str, ...]) -> list[str]:
        """What `cp WORDS` came to: the exit code, and both trees when that is 0."""
        here = os.path.join(self.directory, "here")
        make_here(here)
        done = self("cp", *words, cwd=here)
        service = "user" if any(word.startswith("user:") for word in words) else "web"
        inside = self.look_and_make_anew(service)
        if done.returncode != 0:
            return [f"exit {done.returncode}"]
        return ["exit 0", *inside, *listing(here)]

    def look_and_make_anew(self, service: str) -> list[str]:
        """The tree in the container; it is as at first afterwards."""
        done = self("exec", "-T", "-u", "0", service, "sh", "-c", LOOK + INSIDE)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


def make_here(path: str) -> None:
    """The tree on this side."""
    shutil.rmtree(path, ignore_errors=True)
    for directory in ("dir/sub", "empty", "clash/file", "clash2"):
        os.makedirs(os.path.join(path, directory))
    for name in ("file", "dir/a", "dir/sub/b", "dir/only", "clash2/dir", "col:on", "setid"):
        with open(os.path.join(path, name), "w") as file:
            file.write(f"here {name}\n")
    for link, target in (("link", "file"), ("dlink", "dir"), ("dangling", "nowhere")):
        os.symlink(target, os.path.join(path, link))
    os.chown(os.path.join(path, "file"), 90, 91)
    os.chmod(os.path.join(path, "file"), 0o604)
    os.chmod(os.path.join(path, "dir"), 0o711)
    os.chmod(os.path.join(path, "setid"), 0o4755)


def listing(top: str) -> list[str]:
    lines = []
    for root, directories, files in os.walk(top):
        directories.sort()
        for name in sorted((*directories, *files)):
            path = os.path.join(root, name)
            status = os.lstat(path)
            line = (
                f"{os.path.relpath(path, top)} {status.st_mode:o} {status.st_uid}:{status.st_gid}"
            )
            if stat.S_ISLNK(status.st_mode):
                line += f" -> {os.readlink(path)}"
            elif stat.S_ISREG(status.st_mode):
                with open(path) as file:
                    line += f" {file.read()!r}"
            lines.append(line)
    return sorted(lines)


@pytest.fixture
def peers(
    docker_engine: DockerEngine, orchestra: Orchestra, tmp_path: os.PathLike[str]
) -> Iterator[tuple[Peer, Peer]]:
    docker = Peer((COMPOSE_PROGRAM,), docker_engine.environ, os.path.join(tmp_path, "demo"), IMAGE)
    ours = Peer((PROGRAM,), orchestra.env, os.path.join(orchestra.directory, "demo"), "host")
    for peer in (docker, ours):
        done = peer("up", "-d")
        assert done.returncode == 0, done.stderr
        for service in ("web", "user"):
            peer("exec", "-T", "-u", "0", service, "sh", "-c", INSIDE)
    yield docker, ours
    for peer in (docker, ours):
        peer("down", "-v", "-t", "0")


@pytest.mark.parametrize("cases", [IN, OUT], ids=["in", "out"])
def test_copies_land_where_dockers_do(
    peers: tuple[Peer, Peer], cases: tuple[tuple[str, ...], ...]
) -> None:
    docker, ours = peers
    differing = []
    for words in cases:
        theirs, mine = docker.copied(words), ours.copied(words)
        if theirs != mine:
            only = sorted(set(theirs) - set(mine)), sorted(set(mine) - set(theirs))
            differing.append(f"cp {' '.join(words)}: docker {only[0]}, orchestra {only[1]}")
    assert not differing, "\n".join(differing)
