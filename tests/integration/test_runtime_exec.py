"""A command in a running container: where it runs, what it is, how it ends."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.linux.tty import WindowSize, set_window_size
from orchestra.runtime.exec import ExecRequest, ExecTarget, execution_for, spawn_exec
from orchestra.runtime.join_cgroups import CgroupsOf
from orchestra.runtime.session import Streams, run_exec
from tests.integration.containers import Host
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchestra.runtime.base import Launched

pytestmark = [pytest.mark.root, pytest.mark.network]

SPEC = {"hostname": "box", "process": {"env": [["FROM_SPEC", "1"]]}}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Launched]:
    """A container that sleeps."""
    host = Host(tmp_path)
    launched, reader = host.launch("sleep", "60", hostname="box")
    yield launched
    os.kill(launched.pid, signal.SIGKILL)
    host.wait(launched)
    os.close(reader)
    host.close()


def target_of(launched: Launched) -> ExecTarget:
    return ExecTarget("box", launched.pid, launched.start_ticks, CgroupsOf(launched.pid))


def execute(
    launched: Launched, *argv: str, stdin: int = -1, **request: object
) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    wanted = ExecRequest(argv, **request)  # type: ignore[arg-type]
    out_reader, out_writer = os.pipe()
    err_reader, err_writer = os.pipe()
    code = run_exec(
        target_of(launched),
        execution_for(SPEC, wanted, None),
        wanted,
        Streams(stdin, out_writer, err_writer),
    )
    os.close(out_writer)
    os.close(err_writer)
    with open(out_reader) as out, open(err_reader) as err:
        return code, out.read(), err.read()


def test_it_is_in_every_namespace_of_the_container(running: Launched) -> None:
    kinds = ("pid", "net", "ipc", "uts", "mnt", "cgroup")
    script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in kinds)
    code, output, _ = execute(running, "sh", "-c", script)
    assert code == 0
    assert output.split() == [os.readlink(f"/proc/{running.pid}/ns/{kind}") for kind in kinds]


def test_the_caller_stays_in_its_own_pid_namespace(running: Launched) -> None:
    execute(running, "true")
    child = os.fork()
    if child == 0:
        os._exit(int(os.getpid() < 10))
    assert os.waitpid(child, 0)[1] == 0


def test_it_has_the_containers_environment_and_rights(running: Launched) -> None:
    script = (
        "echo $FROM_SPEC $EXTRA $HOME $(hostname); grep CapEff /proc/self/status; ls /proc/$$/fd"
    )
    code, output, _ = execute(running, "sh", "-c", script, env=(("EXTRA", "2"),))
    assert code == 0
    assert " ".join(output.split()) == "1 2 /root box CapEff: 00000000a80425fb 0 1 2"


def test_user_and_directory_can_be_chosen(running: Launched) -> None:
    code, output, _ = execute(running, "sh", "-c", "id -u; pwd", user="app", cwd="/home/app")
    assert (code, output.split()) == (0, ["1000", "/home/app"])


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("sh", "-c", "exit 3"), 3, ""),
        (("sh", "-c", "kill -TERM $$"), 143, ""),
        (("nope",), 127, "not found in the image's $PATH"),
        (("/etc/passwd",), 126, "chmod +x"),
    ],
)
def test_exit_codes_are_those_of_docker_exec(
    running: Launched, argv: tuple[str, ...], code: int, words: str
) -> None:
    exit_code, _, errors = execute(running, *argv)
    assert exit_code == code
    assert words in errors


def test_standard_input_is_passed_on_to_its_end(running: Launched, tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(b"x" * 300_000)
    with open(file) as stdin:
        code, output, _ = execute(running, "wc", "-c", stdin=stdin.fileno())
    assert (code, output.strip()) == (0, "300000")


def test_a_reader_that_stops_early_does_not_hang_the_writer(running: Launched) -> None:
    with open("/dev/zero") as stdin:
        code, output, _ = execute(
            running, "sh", "-c", "head -c 1 >/dev/null; echo done", stdin=stdin.fileno()
        )
    assert (code, output) == (0, "done\n")


def test_a_process_left_behind_does_not_hold_the_session(running: Launched) -> None:
    before = time.monotonic()
    assert execute(running, "sh", "-c", "sleep 50 & echo started")[:2] == (0, "started\n")
    assert time.monotonic() - before < 20


def test_a_container_that_has_ended_is_not_found(tmp_path: Path) -> None:
    host = Host(tmp_path)
    launched, reader = host.launch("true")
    host.wait(launched)
    os.close(reader)
    request = ExecRequest(("true",))
    with pytest.raises(NotFound):
        spawn_exec(target_of(launched), execution_for(SPEC, request, None), request)
    host.close()


def test_a_supervisor_is_not_held_up(running: Launched) -> None:
    reader, writer = os.pipe()
    request = ExecRequest(("sh", "-c", "echo checked; sleep 60"), stdout=writer, stderr=writer)
    started = spawn_exec(target_of(running), execution_for(SPEC, request, None), request)
    os.close(writer)
    assert os.read(reader, 100) == b"checked\n"
    signal.pidfd_send_signal(started.pidfd, signal.SIGKILL)
    assert select.select([started.pidfd], [], [], 5)[0]
    assert os.waitpid(started.pid, 0)[1] == signal.SIGKILL
    os.close(started.pidfd)
    os.close(reader)


class StandsStill:
    """A cgroup that is frozen when a process comes in: what it holds then, it holds on to."""

    def fork(self) -> int:
        return os.fork()

    def enter(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


def test_a_probe_in_a_frozen_container_holds_nothing_of_the_supervisors(running: Launched) -> None:
    """A listening socket that lived on in it would take clients in, whom nobody answers."""
    reader, writer = os.pipe()
    ours, theirs = os.pipe()
    request = ExecRequest(("true",), stdout=writer, stderr=writer)
    target = target_of(running)._replace(cgroup=StandsStill())
    started = spawn_exec(target, execution_for(SPEC, request, None), request)
    os.close(theirs)
    os.waitpid(started.pid, os.WUNTRACED)
    assert select.select([ours], [], [], 0)[0]  # the end of file: no copy of the other end is left
    os.kill(started.pid, signal.SIGCONT)
    assert os.waitpid(started.pid, 0)[1] == 0
    for fd in (reader, writer, ours, started.pidfd):
        os.close(fd)


def test_a_terminal_has_the_callers_size_and_ctrl_c_reaches_the_command(
    running: Launched,
) -> None:
    master, slave = os.openpty()
    set_window_size(slave, WindowSize(33, 77))
    session = os.fork()
    if session == 0:
        os.close(master)
        request = ExecRequest(
            ("sh", "-c", "stty size; trap 'exit 42' INT; echo ok; while :; do sleep 0.05; done"),
            tty=True,
        )
        os._exit(
            run_exec(
                target_of(running),
                execution_for(SPEC, request, None),
                request,
                Streams(slave, slave, slave),
            )
        )
    seen = b""

    def says(words: bytes) -> bool:
        nonlocal seen
        if select.select([master], [], [], 0)[0]:
            seen += os.read(master, 1000)
        return words in seen

    eventually(lambda: says(b"ok"), within_s=10)
    assert b"33 77" in seen
    os.write(master, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(session, 0)[1]) == 42
    os.close(master)
    os.close(slave)
