"""The reaper: parent of all containers of a project, written so that it has no reason to die.

It waits for children, notes how each one ended, and starts a new supervisor when that one was
killed or has crashed: at once the first few times, later after a pause that grows. A client that
cannot wait so long sends it `START_NOW`. It holds, without looking, the sockets in which the
supervisor parks fds. It ends when it has no children left and none to start. Run as a program of
its own (`main`), with nothing imported but os, sys, time and C's part of signal (the rest of that
module would double its memory), it stays small.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys
import time

AT_ONCE = 5
"""So many supervisors that die young are followed at once; the next ones after a pause."""

YOUNG_S = 60.0
"""A supervisor that lived longer has shown that supervisors can live: no pause after it."""

LONGEST_PAUSE_S = 60.0

START_NOW: int = _signal.SIGUSR1
"""From a client: start a supervisor, if there is none, without a pause."""

_SIGNALS = (_signal.SIGCHLD, START_NOW)


def hold_signals() -> None:
    """Keep what the reaper waits for pending; before the exec too, lest one of them kill it."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK, _SIGNALS)


def let_signals_through() -> None:
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _SIGNALS)


def pause_s(deaths: int) -> float:
    """How long to wait with the next supervisor after *deaths* young ones in a row."""
    late = deaths - AT_ONCE
    return 0.0 if late <= 0 else min(LONGEST_PAUSE_S, 2.0 ** min(late - 1, 10))


def record_exit(exits_path: str, line: bytes) -> None:
    """Append *line*; one write(2) with O_APPEND is atomic among reapers."""
    try:
        fd = os.open(exits_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)
    except OSError:
        pass  # importing contextlib would cost a fifth of the reaper's memory


def start_ticks_of_zombie(pid: int) -> int:
    """Field 22 of /proc/PID/stat, which a zombie still has; 0 when it cannot be read."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def wait_status(info: os.waitid_result) -> int:
    """waitid(2)'s answer in the form that wait(2) gives."""
    if info.si_code == os.CLD_EXITED:
        return info.si_status << 8
    return info.si_status | (0x80 if info.si_code == os.CLD_DUMPED else 0)


def collect(exits_path: str, supervisor: int) -> tuple[bool, int | None]:
    """Note and reap who has ended. (Are there children yet?, the supervisor's status if it was.)"""
    supervisor_status = None
    while True:
        try:
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        except ChildProcessError:
            return False, supervisor_status
        if info is None:
            return True, supervisor_status
        pid, status = info.si_pid, wait_status(info)
        if pid == supervisor:
            supervisor_status = status
        else:
            record_exit(exits_path, b"%d %d %d\n" % (pid, start_ticks_of_zombie(pid), status))
        os.waitpid(pid, 0)


def reap(exits_path: str, supervisor: int, respawn_argv: list[str]) -> None:
    """Until there are no children: note, reap, and keep a supervisor alive."""
    hold_signals()
    deaths, born_s = 0, time.monotonic()
    due_s: float | None = None  # when to start the next supervisor
    asked = False
    while True:
        has_children, status = collect(exits_path, supervisor)
        now_s = time.monotonic()
        if status is not None:
            supervisor = 0
            deaths = deaths + 1 if now_s - born_s < YOUNG_S else 1
            due_s = now_s + pause_s(deaths) if status != 0 else None
        if not supervisor and (asked or (due_s is not None and due_s <= now_s)):
            supervisor, born_s, due_s = spawn(respawn_argv), now_s, None
        elif not has_children and due_s is None:
            return
        asked = wait_for_signal(due_s) == START_NOW


def wait_for_signal(until_s: float | None) -> int:
    """The number of the next one; 0 when there is none before *until_s* (monotonic)."""
    if until_s is None:
        return int(_signal.sigwaitinfo(_SIGNALS).si_signo)
    info = _signal.sigtimedwait(_SIGNALS, max(0.0, until_s - time.monotonic()))
    return 0 if info is None else int(info.si_signo)


def spawn(argv: list[str]) -> int:
    """A new supervisor: its pid. Descriptors that are inheritable go along."""
    pid = os.fork()
    if pid == 0:
        try:
            let_signals_through()
            os.execv(argv[0], argv)  # noqa: S606
        finally:
            os._exit(127)
    return pid


def main(argv: list[str]) -> None:
    """argv: exits file, pid of the supervisor (0: start one), then the supervisor's command."""
    exits_path, supervisor, *respawn_argv = argv
    pid = int(supervisor) or spawn(respawn_argv)
    reap(exits_path, pid, respawn_argv)
    sys.stdout.flush()
