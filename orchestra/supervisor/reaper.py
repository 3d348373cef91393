"""The reaper: parent of all containers of a project, written so that it has no reason to die.

It waits for children, notes how each one ended, and starts a new supervisor when that one was
killed or has crashed. It holds, without looking, the sockets in which the supervisor parks fds.
It ends when it has no children left. Run as a program of its own (`main`), with nothing imported
but os, sys, time and procfs, it needs the least memory.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

MOST_RESPAWNS = 5
RESPAWN_WINDOW_S = 60.0


def record_exit(exits_path: str, line: bytes) -> None:
    """Append *line*; one write(2) with O_APPEND is atomic among reapers."""
    with contextlib.suppress(OSError):  # a full disk: the supervisor has its pidfd yet
        fd = os.open(exits_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)


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


def reap(exits_path: str, supervisor: int, respawn_argv: list[str]) -> None:
    """Until there are no children: note, reap, and keep a supervisor alive."""
    respawns: list[float] = []
    while True:
        try:
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return
        if info is None:
            continue
        pid, status = info.si_pid, wait_status(info)
        if pid != supervisor:
            record_exit(exits_path, b"%d %d %d\n" % (pid, start_ticks_of_zombie(pid), status))
        os.waitpid(pid, 0)
        if pid != supervisor:
            continue
        supervisor = 0
        now_s = time.monotonic()
        respawns = [at_s for at_s in respawns if now_s - at_s < RESPAWN_WINDOW_S]
        if status != 0 and len(respawns) < MOST_RESPAWNS:
            respawns.append(now_s)
            supervisor = spawn(respawn_argv)


def spawn(argv: list[str]) -> int:
    """A new supervisor: its pid. Descriptors that are inheritable go along."""
    pid = os.fork()
    if pid == 0:
        try:
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
