"""Pulls that are interrupted, killed, doubled, or run out of disk: nothing half, nothing lost."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.faulty_registry import Fault, FaultyRegistry, faulty_registry
from tests.support.images import make_image
from tests.support.probe import missing_for
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(bool(missing_for("network")), reason="needs network namespaces"),
]

IMAGE = make_image([{"big": os.urandom(4_000_000)}, {"small": b"1"}])
BIG = IMAGE.layers[0]
ARRIVED = 3_000_000


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    with faulty_registry() as registry:
        registry.add(IMAGE)
        yield registry


class Pull:
    """A running `orchestra image pull` of which most has arrived and the rest does not come."""

    def __init__(self, orchestra: Orchestra, registry: FaultyRegistry) -> None:
        self._partials = os.path.join(
            orchestra.env["ORCHESTRA_DATA_ROOT"], "images", "blobs", "partial"
        )
        registry.faults.append(Fault(BIG, cut_after=ARRIVED, stall_s=20))
        self.process = subprocess.Popen(
            [PROGRAM, "image", "pull", f"{registry.host}/app:1"],
            env=orchestra.env,
            cwd=orchestra.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        eventually(lambda: self.arrived() == ARRIVED, within_s=20)

    def arrived(self) -> int:
        """Bytes of the big layer that are in the store."""
        return max(
            os.path.getsize(os.path.join(self._partials, name))
            for name in os.listdir(self._partials)
        )

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=10)
        return self.process.returncode


def names(orchestra: Orchestra) -> str:
    return orchestra("image", "ls", "--format", "{{.Repository}}").out


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_pull_that_was_ended_goes_on_where_it_was(
    orchestra: Orchestra, registry: FaultyRegistry, number: signal.Signals, code: int
) -> None:
    pull = Pull(orchestra, registry)
    began = time.monotonic()
    assert pull.end(number) == code
    assert time.monotonic() - began < 5
    assert f"{registry.host}/app" not in names(orchestra)
    registry.sent_bytes = 0
    orchestra("image", "pull", f"{registry.host}/app:1")
    assert registry.sent_bytes < len(IMAGE.blobs[BIG]) - ARRIVED + 10_000
    assert f"{registry.host}/app" in names(orchestra)


def test_two_pulls_of_one_image_download_it_once(
    orchestra: Orchestra, registry: FaultyRegistry
) -> None:
    name = f"{registry.host}/app:1"
    pulls = [
        subprocess.Popen(
            [PROGRAM, "image", "pull", "-q", name],
            env=orchestra.env,
            cwd=orchestra.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for pull in pulls:
        assert pull.communicate(timeout=60)[0].decode() == f"{name}\n"
        assert pull.returncode == 0
    assert registry.requests.count(f"GET /v2/app/blobs/{BIG}") == 1


def test_a_full_disk_is_told_and_leaves_no_image(
    orchestra: Orchestra, registry: FaultyRegistry
) -> None:
    small = os.path.join(orchestra.directory, "small")
    os.mkdir(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], check=True)
    try:
        full = {"ORCHESTRA_DATA_ROOT": small}
        done = orchestra("image", "pull", f"{registry.host}/app:1", code=1, env=full)
        assert "space" in done.err
        assert "Traceback" not in done.err
        listed = orchestra("image", "ls", "--format", "{{.Repository}}", env=full).out
        assert f"{registry.host}/app" not in listed
        subprocess.run(["mount", "-o", "remount,size=30m", small], check=True)
        orchestra("image", "pull", f"{registry.host}/app:1", env=full)
    finally:
        subprocess.run(["umount", small], check=True)


def test_no_layer_is_held_in_memory(orchestra: Orchestra, registry: FaultyRegistry) -> None:
    """Its own peak: what wait4(2) tells includes that of the process that it was forked from."""
    block = os.urandom(1 << 20) + bytes(15 << 20)
    image = make_image([{"large": block * 24}, {"larger": block * 25}])
    registry.add(image, "large")
    program = (
        "import sys; from orchestra.cli.main import main\n"
        "code = main(sys.argv[1:]); status = open('/proc/self/status').read()\n"
        "print(status.partition('VmHWM:')[2].split()[0]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "image", "pull", "-q", f"{registry.host}/app:large"],
        env=orchestra.env,
        cwd=orchestra.directory,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout.split()[-1]) < 100 << 10  # KiB


def test_on_a_terminal_each_layer_has_a_bar(orchestra: Orchestra, registry: FaultyRegistry) -> None:
    registry.faults.append(Fault(BIG, cut_after=ARRIVED))
    process, terminal = pty.fork()
    if not process:
        env = {**orchestra.env, "TERM": "xterm"}
        os.execve(PROGRAM, [PROGRAM, "image", "pull", f"{registry.host}/app:1"], env)
    shown = b""
    with suppress(OSError):  # EIO: the other side is closed
        while piece := os.read(terminal, 1 << 16):
            shown += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    text = shown.decode()
    for seen in ("[+] Pulling 2/2", BIG[7:19], "Retrying", "[====", "Pull complete"):
        assert seen in text
    assert text.endswith(f"{registry.host}/app:1\r\n")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # the cursor is there again


def test_without_a_terminal_each_layer_has_plain_lines(
    orchestra: Orchestra, registry: FaultyRegistry
) -> None:
    done = orchestra("image", "pull", f"{registry.host}/app:1")
    assert "\x1b" not in done.out + done.err
    assert f"{BIG[7:19]}  Pull complete" in done.err
    assert done.out.splitlines()[0] == "1: Pulling from app"
