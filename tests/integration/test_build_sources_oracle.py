"""Contexts from repositories and ADD of URLs, by BuildKit and by orchestra: equal trees."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import urllib.parse
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.build_oracle import BASE, tree_of
from tests.support.docker_engine import DockerEngine, why_no_engine
from tests.support.eventually import eventually
from tests.support.git import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.scenario import Orchestra

_MISSING = [name for name in ("busybox", "git", "nsenter") if shutil.which(name) is None]
_REASON = why_no_engine() or (f"needs {', '.join(_MISSING)}" if _MISSING else "")
pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_REASON), reason=_REASON),
]

WEB, GIT = 8901, 8902
"""Ports in the engine's own network namespace."""
DOCKERFILE = f"""\
FROM {BASE}
COPY . /src
ADD http://127.0.0.1:{WEB}/dir/file.txt /f/
ADD http://127.0.0.1:{WEB}/dir/file.txt /renamed
ADD --chown=3:4 http://127.0.0.1:{WEB}/dir/a.tar.gz /kept/
"""


@contextmanager
def beside(engine: DockerEngine, *argv: str, port: int) -> Iterator[None]:
    """A server in the network namespace of *engine*, answering on *port*."""
    enter = ("nsenter", "-n", "-t", str(engine.pid))
    server = subprocess.Popen(
        [*enter, *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip

    def answers() -> bool:
        probe = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        return subprocess.run([*enter, sys.executable, "-c", probe], stderr=-3).returncode == 0

    try:
        eventually(answers, within_s=10)
        yield
    finally:
        os.killpg(server.pid, 9)
        server.wait(timeout=10)


def build_by_buildkit(engine: DockerEngine, url: str, name: str) -> None:
    """By the Engine API: newer command lines want a plugin for it. POST /build, version=2."""
    query = urllib.parse.urlencode({"version": 2, "remote": url, "t": name})
    connection = http.client.HTTPConnection("docker", timeout=120)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(engine.host.removeprefix("unix://"))
    connection.request("POST", f"/build?{query}")
    answer = connection.getresponse().read().decode()
    connection.close()
    assert '"error"' not in answer, answer


def make_repository(directory: str) -> None:
    path = os.path.join(directory, "app.git")
    os.makedirs(f"{path}/sub")
    for name, text in {"Dockerfile": DOCKERFILE, "sub/one": "1", ".dockerignore": "hidden\n",
                       "hidden": "h", "run.sh": "#!/bin/sh\n"}.items():  # fmt: skip
        with open(f"{path}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(f"{path}/run.sh", 0o755)
    os.symlink("sub/one", f"{path}/link")
    git(path, "init", "--quiet", "--initial-branch=main")
    git(path, "add", "-A")
    git(path, "commit", "--quiet", "-m", "first")


def test_both_make_the_same_files(orchestra: Orchestra, tmp_path: Path) -> None:
    web = tmp_path / "web" / "dir"
    web.mkdir(parents=True)
    (web / "file.txt").write_text("from elsewhere")
    (web / "a.tar.gz").write_bytes(b"\x1f\x8b not unpacked")
    make_repository(str(tmp_path / "git"))
    url = f"git://127.0.0.1:{GIT}/app.git#main"
    base, theirs, ours = (str(tmp_path / name) for name in ("base", "theirs", "ours"))
    daemon = ("git", "daemon", "--export-all", f"--base-path={tmp_path}/git", f"--port={GIT}")
    server = (sys.executable, "-m", "http.server", "-d", f"{tmp_path}/web", str(WEB))
    with (
        DockerEngine() as engine,
        beside(engine, *server, port=WEB),
        beside(engine, *daemon, port=GIT),
    ):
        engine.import_busybox(BASE)
        engine.run(["docker", "save", BASE, "-o", base])
        build_by_buildkit(engine, url, "same:1")
        engine.run(["docker", "save", "same:1", "-o", theirs])
        orchestra("image", "load", "-q", "-i", base)
        enter = ("nsenter", "-n", "-t", str(engine.pid))
        orchestra.through(enter, "image", "build", "-q", "-t", "same:1", url, code=0)
        orchestra("image", "save", "same:1", "-o", ours)
    expected = tree_of(theirs)
    assert expected.pop("src/hidden"), "BuildKit obeys .dockerignore in directories only"
    assert tree_of(ours) == expected
