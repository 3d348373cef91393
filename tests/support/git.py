"""Git repositories on the loopback, by `git daemon` (git-daemon(1)) and plain HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENTITY = (
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=ada@example.org",
    "-c",
    "protocol.file.allow=always",
)


def git(directory: str, *arguments: str) -> str:
    """What git prints in *directory*; it must succeed."""
    done = subprocess.run(
        ["git", *_IDENTITY, "-C", directory, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": directory, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class GitServer(NamedTuple):
    """Serves the repositories that are made below *directory*."""

    directory: str
    url: str

    def make(self, name: str) -> str:
        """An empty repository NAME whose branch is main; its work tree."""
        path = os.path.join(self.directory, name)
        os.makedirs(path)
        git(path, "init", "--quiet", "--initial-branch=main")
        return path

    def commit(self, name: str, files: dict[str, str]) -> str:
        """Write *files* and commit all; the commit."""
        path = os.path.join(self.directory, name)
        for file, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(path, file)), exist_ok=True)
            with open(os.path.join(path, file), "w", encoding="utf-8") as stream:
                stream.write(text)
        git(path, "add", "-A")
        git(path, "commit", "--quiet", "-m", "change")
        return git(path, "rev-parse", "HEAD")


@contextmanager
def git_server(directory: str) -> Iterator[GitServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.makedirs(directory, exist_ok=True)
    daemon = subprocess.Popen(
        [
            "git", "daemon", "--export-all", "--reuseaddr", f"--base-path={directory}",
            "--listen=127.0.0.1", f"--port={port}", directory,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        eventually(lambda: _listens(port), within_s=10)
        yield GitServer(directory, f"git://127.0.0.1:{port}")
    finally:
        os.killpg(daemon.pid, 9)
        daemon.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
