"""The image store under pressure: killed writers, several processes, a full disk, no memory."""

from __future__ import annotations

import ctypes
import gzip
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import busybox_layer, docker_archive, files_layer
from tests.support.compose import write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]

SMALL_DISK_BYTES = 12_000_000


def archive_file(orchestra: Orchestra, archive: bytes, name: str) -> str:
    path = os.path.join(orchestra.directory, name)
    with open(path, "wb") as file:
        file.write(archive)
    return path


def image_names(orchestra: Orchestra) -> set[str]:
    return set(orchestra("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").out.split())


@pytest.fixture
def small_disk(orchestra: Orchestra) -> Iterator[Orchestra]:
    """The command with its data on a file system of 12 MB."""
    place = tempfile.mkdtemp(prefix="small", dir="/run")
    libc = ctypes.CDLL(None, use_errno=True)
    size = f"size={SMALL_DISK_BYTES}".encode()
    assert libc.mount(b"tmpfs", place.encode(), b"tmpfs", 0, size) == 0
    orchestra.env["ORCHESTRA_DATA_ROOT"] = os.path.join(place, "data")
    yield orchestra
    assert libc.umount(place.encode()) == 0
    os.rmdir(place)


def test_a_full_disk_is_told_and_leaves_no_image(small_disk: Orchestra) -> None:
    large = files_layer({"large": random.Random(1).randbytes(20_000_000)})
    path = archive_file(small_disk, docker_archive("large:1", [large]), "large.tar")

    failed = small_disk("image", "load", "-i", path, code=1)

    assert "No space left on device" in failed.err
    assert "Traceback" not in failed.err
    assert image_names(small_disk) == {"host:<none>"}
    small = archive_file(small_disk, docker_archive("small:1", [busybox_layer()]), "small.tar")
    small_disk("image", "prune", "-f")
    small_disk("image", "load", "-i", small)
    assert image_names(small_disk) == {"host:<none>", "small:1"}


def test_a_disk_that_is_full_while_unpacking(small_disk: Orchestra) -> None:
    pattern = random.Random(1).randbytes(30_000)
    large = files_layer({f"large{number}": pattern * 100 for number in range(6)})
    path = archive_file(small_disk, docker_archive("large:1", [large]), "large.tar")

    failed = small_disk("image", "load", "-i", path, code=1)

    assert "No space left on device" in failed.err
    assert image_names(small_disk) == {"host:<none>"}


def test_a_killed_load_leaves_nothing_that_the_next_one_minds(orchestra: Orchestra) -> None:
    layer = files_layer({f"f{number}": os.urandom(2000) for number in range(3000)})
    archive = docker_archive("app:1", [busybox_layer(), layer], {"Cmd": ["true"]})
    path = archive_file(orchestra, archive, "image.tar")
    for delay_s in (0.15, 0.2, 0.25, 0.3, 0.4):
        loading = subprocess.Popen(
            [PROGRAM, "image", "load", "-i", path],
            env=orchestra.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay_s)  # the moment is the point: there is nothing to wait for
        loading.send_signal(signal.SIGKILL)
        loading.wait(10)

    orchestra("image", "load", "-i", path)
    write_compose(orchestra, "services: {app: {image: 'app:1', network_mode: none}}")

    count = orchestra("run", "--rm", "-T", "app", "sh", "-c", "ls /f* | wc -l")
    assert count.out.strip() == "3000"
    orchestra("down", "-t", "0")
    orchestra("image", "rm", "app:1")
    store = os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "images")
    left = [
        name
        for place in ("layers", "blobs/sha256", "blobs/partial")
        for name in os.listdir(os.path.join(store, place))
    ]
    assert left == []


def test_many_processes_load_tag_remove_and_prune_at_once(orchestra: Orchestra) -> None:
    shared = busybox_layer()
    paths = [
        archive_file(
            orchestra,
            docker_archive(f"app{number}:1", [shared, files_layer({"number": b"%d" % number})]),
            f"{number}.tar",
        )
        for number in range(3)
    ]
    script = (
        'for round in 1 2 3; do for number in 0 1 2; do "$0" image load -qi $number.tar || exit 1; '
        '"$0" image prune -f >/dev/null || exit 2; done; '
        '"$0" image tag app1:1 other$1:1 || exit 3; "$0" image rm other$1:1 || exit 4; done'
    )
    writers = [
        subprocess.Popen(
            ["sh", "-c", script, PROGRAM, str(number)],
            cwd=orchestra.directory,
            env=orchestra.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for writer in writers:
        _out, err = writer.communicate(timeout=100)
        assert (writer.returncode, err) == (0, "")

    assert image_names(orchestra) == {"host:<none>", "app0:1", "app1:1", "app2:1"}
    write_compose(
        orchestra,
        "services:\n"
        + "".join(
            f"  s{number}: {{image: 'app{number}:1', network_mode: none, command: cat /number, "
            "environment: {PATH: /bin}}\n"
            for number in range(3)
        ),
    )
    for number in range(len(paths)):
        assert orchestra("run", "--rm", "-T", f"s{number}").out == str(number)


def test_loading_holds_no_layer_in_memory(orchestra: Orchestra) -> None:
    piece = random.Random(2).randbytes(1 << 20)
    layer = files_layer({"large": piece * 130})
    path = archive_file(orchestra, docker_archive("large:1", [layer]), "image.tar")

    done = subprocess.run(
        ["/usr/bin/time", "-f", "%M", PROGRAM, "image", "load", "-qi", path],
        env=orchestra.env,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )

    assert int(done.stderr.split()[-1]) < 100_000  # kB


@pytest.mark.slow
def test_a_bomb_is_refused(orchestra: Orchestra) -> None:
    zeros = gzip.compress(bytes(50_000_000), 9)
    header = files_layer({"zeros": b""})[:512]
    size = 50_000_000 * 200
    field = (0x80 << 88 | size).to_bytes(12, "big")
    block = bytearray(header[:124] + field + header[136:])
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    bomb = gzip.compress(bytes(block)) + zeros * 200
    path = archive_file(orchestra, docker_archive("bomb:1", [bomb]), "bomb.tar")
    begun = time.monotonic()

    failed = orchestra("image", "load", "-i", path, code=1, timeout_s=100)

    assert "decompression bomb" in failed.err
    assert time.monotonic() - begun < 60
    assert image_names(orchestra) == {"host:<none>"}


@pytest.fixture
def on_overlay(orchestra: Orchestra) -> Iterator[Orchestra]:
    """The command with its data on an overlay, as inside a container: no overlay goes there."""
    place = tempfile.mkdtemp(prefix="nested", dir="/run")
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(os.path.join(place, name))
    libc = ctypes.CDLL(None, use_errno=True)
    merged = os.path.join(place, "merged")
    options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
    assert libc.mount(b"overlay", merged.encode(), b"overlay", 0, options.encode()) == 0
    orchestra.env["ORCHESTRA_DATA_ROOT"] = os.path.join(merged, "data")
    yield orchestra
    orchestra("-p", "nested", "down", "-t", "0", code=None)
    eventually(lambda: libc.umount(merged.encode()) == 0, within_s=10)  # once the supervisor ended
    shutil.rmtree(place)


def test_where_no_overlay_goes_containers_are_copies(on_overlay: Orchestra) -> None:
    lower = files_layer(
        {"d/": b"", "d/gone": b"x", "d/kept": b"x", "cleared/": b"", "cleared/old": b"x"}
    )
    upper = files_layer({"d/.wh.gone": b"", "cleared/": b"", "cleared/.wh..wh..opq": b"",
                         "cleared/new": b"x"})  # fmt: skip
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"]}
    archive = docker_archive("app:1", [busybox_layer(), lower, upper], settings)
    on_overlay("image", "load", "-i", archive_file(on_overlay, archive, "image.tar"))
    write_compose(
        on_overlay, "name: nested\nservices: {app: {image: 'app:1', network_mode: none, scale: 2}}"
    )

    on_overlay("up", "-d")

    found = on_overlay("exec", "-T", "app", "find", "/d", "/cleared", "-type", "f").out.split()
    assert sorted(found) == ["/cleared/new", "/d/kept"]
    on_overlay("exec", "-T", "app", "rm", "/d/kept")
    other = on_overlay("exec", "-T", "--index", "2", "app", "ls", "/d")
    assert other.out == "kept\n"
    on_overlay("restart", "-t", "0")
    assert on_overlay("exec", "-T", "app", "ls", "/d").out == ""
    assert "whole copy" in on_overlay("container", "commit", "nested-app-1", code=1).err
