"""`export` and `commit`: a service's container as an archive and as an image."""

from __future__ import annotations

import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness.terminal import Terminal
from tests.support.scenario import PROGRAM
from tests.support.small import small_project

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]


@pytest.fixture
def running(orchestra: Orchestra) -> Orchestra:
    """A project whose container has changed files of its image and of its volume."""
    small_project(orchestra)
    change = "echo new > /tmp/new; rm /bin/cat; echo in > /data/volume; chown 7:8 /tmp/new"
    orchestra("exec", "-T", "small", "sh", "-c", change)
    return orchestra


def names(running: Orchestra, name: str) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(os.path.join(running.directory, name)) as tar:
        return {member.name: member for member in tar}


def test_the_archive_has_the_image_and_the_changes_and_no_volume(running: Orchestra) -> None:
    running("export", "-o", "a.tar", "small")
    found = names(running, "a.tar")
    assert {"bin/busybox", "tmp/new", "data"} <= set(found)
    assert {"bin/cat", "data/volume"}.isdisjoint(found)
    assert not [name for name in found if name.startswith(("proc/", "sys/", "dev/"))]
    assert (found["tmp/new"].uid, found["tmp/new"].gid) == (7, 8)
    assert os.stat(os.path.join(running.directory, "a.tar")).st_mode & 0o777 == 0o600


def test_running_or_stopped_the_same_bytes(running: Orchestra) -> None:
    running("export", "-o", "a.tar", "small")
    running("stop", "-t", "0")
    running("export", "--index", "1", "-o", "b.tar", "small")
    contents = []
    for name in ("a.tar", "b.tar"):
        with open(os.path.join(running.directory, name), "rb") as file:
            contents.append(file.read())
    assert contents[0] == contents[1]


def test_an_import_of_the_archive_runs(running: Orchestra) -> None:
    running("export", "-o", "a.tar", "small")
    running("image", "import", "a.tar", "again:1")
    running("down", "-v", "-t", "0")
    with open(os.path.join(running.directory, "compose.yaml"), "w") as file:
        file.write('services: {small: {image: "again:1", command: ["/bin/head", /tmp/new]}}')
    assert running("run", "--rm", "-T", "small").out == "new\n"


def test_what_cannot_be_written_is_refused(running: Orchestra) -> None:
    assert "does not exist" in running("export", "-o", "no/such/x", "small", code=1).err
    os.mkfifo(os.path.join(running.directory, "pipe"))
    assert "is no regular file" in running("export", "-o", "pipe", "small", code=None).err
    assert not os.path.isfile(os.path.join(running.directory, "pipe"))
    assert "no container #3" in running("export", "--index", "3", "small", code=1).err
    terminal = Terminal((PROGRAM, "export", "small"), cwd=running.directory, env=running.env)
    terminal.expect("output option is required")
    assert terminal.wait() == 1
    assert "DRY-RUN" in running("--dry-run", "export", "-o", "dry.tar", "small").err
    assert "dry.tar" not in os.listdir(running.directory)


def test_a_commit_of_a_service(running: Orchestra) -> None:
    told = running("commit", "-m", "why", "-c", "USER 7", "small", "small:2").err
    assert "demo-small-1  Committed as sha256:" in told
    assert running("exec", "-T", "small", "ls", "/tmp").out == "new\n"
    listed = running("image", "inspect", "--format", "{{.Config.User}} {{.Comment}}", "small:2").out
    assert listed == "7 why\n"
    assert "no container #9" in running("commit", "--index", "9", "small", code=1).err
