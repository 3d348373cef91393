"""What identifies a process, pidfds, descriptors, terminals and directory watches."""

from __future__ import annotations

import os
import select
import signal
import termios
from typing import TYPE_CHECKING

import pytest

from orchestra.linux import caps, constants, fds, inotify, pidfd, prctl, procfs, tty

if TYPE_CHECKING:
    from pathlib import Path


def spawn_sleeper() -> int:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    return child


def test_a_process_is_its_pid_and_its_start_time() -> None:
    ticks = procfs.start_ticks(os.getpid())
    assert procfs.is_running(os.getpid(), ticks)
    assert not procfs.is_running(os.getpid(), ticks + 1)


def test_a_zombie_is_not_running_and_its_pidfd_says_so() -> None:
    child = spawn_sleeper()
    ticks = procfs.start_ticks(child)
    with pidfd.pidfd_open(child) as handle:
        assert not pidfd.has_exited(handle.fileno())
        pidfd.pidfd_send_signal(handle.fileno(), signal.SIGKILL)
        assert pidfd.has_exited(handle.fileno(), timeout_s=5)
        assert not procfs.is_running(child, ticks)
        os.waitpid(child, 0)
        with pytest.raises(ProcessLookupError):
            pidfd.pidfd_send_signal(handle.fileno(), signal.SIGTERM)
    with pytest.raises(ProcessLookupError):
        procfs.start_ticks(child)


def test_an_fd_closes_once_and_can_be_handed_over() -> None:
    owner = fds.Fd(os.open("/dev/null", os.O_RDONLY))
    number = owner.detach()
    owner.close()
    os.fstat(number)
    with fds.Fd(number):
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_descriptors_from_a_number_on_are_closed_by_exec() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.set_inheritable(writer, True)
        fds.close_on_exec_from(3)
        os._exit(int(os.get_inheritable(writer)))
    assert os.waitpid(child, 0)[1] == 0
    os.close(reader)
    os.close(writer)


def test_a_child_keeps_only_the_descriptors_it_names() -> None:
    kept, closed = os.pipe()
    child = os.fork()
    if child == 0:
        fds.close_all_but((kept,))
        os.fstat(kept)
        try:
            os.fstat(closed)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    os.close(kept)
    os.close(closed)


def test_capability_sets_are_read() -> None:
    sets = caps.capget()
    assert sets.effective & ~sets.permitted == 0
    assert prctl.has_bounding(63) is False


def test_capability_names_are_the_kernels() -> None:
    assert caps.NUMBERS["CHOWN"] == 0
    assert caps.NUMBERS["SYS_ADMIN"] == 21
    assert caps.NUMBERS["CHECKPOINT_RESTORE"] == 40


def test_raw_mode_is_undone_after_an_error() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    try:
        with tty.raw_mode(slave):
            during = termios.tcgetattr(slave)
            raise KeyError
    except KeyError:
        assert during != before
    assert termios.tcgetattr(slave) == before
    tty.set_window_size(master, tty.WindowSize(24, 80))
    assert tty.window_size(slave) == (24, 80)
    os.close(master)
    os.close(slave)


def test_a_pipe_has_no_window_size() -> None:
    reader, writer = os.pipe()
    assert tty.window_size(reader) is None
    os.close(reader)
    os.close(writer)


def test_changes_in_a_directory_are_told_by_name(tmp_path: Path) -> None:
    with inotify.inotify_init() as watcher:
        watch = inotify.add_watch(watcher.fileno(), str(tmp_path), constants.IN_CREATE)
        assert inotify.read_events(watcher.fileno()) == ()
        (tmp_path / "newcomer").touch()
        assert select.select([watcher.fileno()], [], [], 5)[0]
        (event,) = inotify.read_events(watcher.fileno())
        assert (event.watch, event.name) == (watch, "newcomer")
        inotify.remove_watch(watcher.fileno(), watch)
