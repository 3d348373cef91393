"""Bundles at the limits: large ones, a full disk, killed commands."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import busybox_layer, docker_archive, files_layer
from tests.support.compose import write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM, Orchestra

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]

SMALL_DISK_BYTES = 12_000_000
VOLUME_MB, LARGE_VOLUME_MB = 15, 130


@pytest.fixture
def project(orchestra: Orchestra) -> Orchestra:
    """A project `demo` whose image and volume are large, the latter not compressible."""
    layers = [busybox_layer(), files_layer({"large": random.Random(1).randbytes(20_000_000)})]
    path = os.path.join(orchestra.directory, "image.tar")
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"]}
    with open(path, "wb") as file:
        file.write(docker_archive("app:1", layers, settings))
    orchestra("image", "load", "-q", "-i", path)
    write_compose(
        orchestra,
        "name: demo\n"
        "services: {app: {image: 'app:1', network_mode: none, volumes: ['data:/data']}}\n"
        "volumes: {data: }\n",
    )
    orchestra("up", "-d")
    fill(orchestra, VOLUME_MB)
    orchestra("stop", "-t", "0")
    orchestra("bundle", "save", "--volumes", "-o", "demo.tar")
    return orchestra


def fill(orchestra: Orchestra, size_mb: int) -> None:
    orchestra("exec", "app", "sh", "-c", f"head -c {size_mb}m /dev/urandom > /data/x")


@pytest.fixture
def elsewhere(project: Orchestra) -> Iterator[Orchestra]:
    with tempfile.TemporaryDirectory(prefix="orchestra-test-", dir="/run") as directory:
        other = Orchestra(directory, {**project.env, **roots_in(directory)})
        other.transcript = project.transcript
        yield other
        other("-p", "demo", "down", "-v", "-t", "0", code=None)


def roots_in(directory: str) -> dict[str, str]:
    return {
        "ORCHESTRA_DATA_ROOT": os.path.join(directory, "data"),
        "ORCHESTRA_RUN_ROOT": os.path.join(directory, "run"),
    }


def peak_kb(orchestra: Orchestra, *arguments: str) -> int:
    done = subprocess.run(
        ["/usr/bin/time", "-f", "%M", PROGRAM, *arguments],
        env=orchestra.env,
        cwd=orchestra.directory,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return int(done.stderr.split()[-1])


def test_no_volume_and_no_layer_is_held_in_memory(project: Orchestra, elsewhere: Orchestra) -> None:
    path = os.path.join(project.directory, "demo.tar")
    project("start")
    fill(project, LARGE_VOLUME_MB)
    project("stop", "-t", "0")
    assert peak_kb(project, "bundle", "save", "--volumes", "-o", "demo.tar") < 100_000
    assert peak_kb(elsewhere, "bundle", "up", "-d", path) < 100_000
    size = elsewhere("-p", "demo", "exec", "app", "stat", "-c", "%s", "/data/x").out
    assert int(size) == LARGE_VOLUME_MB << 20


@pytest.fixture
def small_disk() -> Iterator[str]:
    place = tempfile.mkdtemp(prefix="small", dir="/run")
    libc = ctypes.CDLL(None, use_errno=True)
    size = f"size={SMALL_DISK_BYTES}".encode()
    assert libc.mount(b"tmpfs", place.encode(), b"tmpfs", 0, size) == 0
    yield place
    assert libc.umount(place.encode()) == 0
    os.rmdir(place)


def test_a_full_disk_leaves_neither_file_nor_project(project: Orchestra, small_disk: str) -> None:
    for flags in ((), ("--volumes",)):
        path = os.path.join(small_disk, "demo.tar")
        failed = project("bundle", "save", *flags, "-o", path, code=1)
        assert "No space left on device" in failed.err
        assert os.listdir(small_disk) == []

    tiny = Orchestra(project.directory, {**project.env, **roots_in(small_disk)})
    tiny.transcript = project.transcript
    failed = tiny("bundle", "up", "-d", "demo.tar", code=1)
    assert "No space left on device" in failed.err
    assert tiny("image", "ls", "-q").out == ""
    assert tiny("ls", "-aq").out == ""
    volumes = os.path.join(small_disk, "data", "volumes")
    assert not os.path.isdir(volumes) or os.listdir(volumes) == []
    shutil.rmtree(os.path.join(small_disk, "data"))


def test_a_killed_start_leaves_no_half_of_anything(
    project: Orchestra, elsewhere: Orchestra
) -> None:
    path = os.path.join(project.directory, "demo.tar")
    volumes = os.path.join(elsewhere.env["ORCHESTRA_DATA_ROOT"], "volumes")
    with subprocess.Popen(
        [PROGRAM, "bundle", "up", "-d", path],
        env=elsewhere.env,
        cwd=elsewhere.directory,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        eventually(lambda: os.path.isdir(volumes) and bool(os.listdir(volumes)), within_s=10)
        command.send_signal(signal.SIGKILL)
    assert elsewhere("volume", "ls", "-q").out == ""
    assert elsewhere("image", "ls", "-q").out == ""

    elsewhere("bundle", "up", "-d", path)
    assert elsewhere("-p", "demo", "exec", "app", "ls", "/data").out == "x\n"


def test_fifty_containers_of_an_image_cost_its_space_once(project: Orchestra) -> None:
    def used_kb() -> int:
        done = subprocess.run(
            ["du", "-skx", project.env["ORCHESTRA_DATA_ROOT"]],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(done.stdout.split()[0])

    before = used_kb()
    project("up", "-d", "--scale", "app=50", timeout_s=120)
    assert len(project("ps", "-q").out.split()) == 50
    assert used_kb() - before < 20_000  # of 20 MB an image has
