"""The last steps in a forked child: become the user, with the rights asked for, and execute.

Shared by a container's first process and by `exec`, hence free of the model (msgspec) and of
everything that `exec` must not import. Runs after fork: no logging, no locks, no imports.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from typing import TYPE_CHECKING, Final

from orchestra.linux import prctl
from orchestra.linux.caps import CapabilitySets, capset, limit_bounding
from orchestra.linux.fds import close_on_exec_from
from orchestra.linux.limits import NUMBERS
from orchestra.named import NamedTuple
from orchestra.runtime.failure import BEFORE_EXEC, NOT_EXECUTABLE, NOT_FOUND, Failure, StepFailed
from orchestra.runtime.users import User, UserError, find_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SIGNALS: Final = frozenset(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}

_MAX_PASSWD_BYTES = 4 * 1024 * 1024


class Limit(NamedTuple):
    """setrlimit(2): *name* as "nofile"; -1 is unlimited."""

    name: str
    soft: int
    hard: int


class Execution(NamedTuple):
    """A command with everything that shapes its process."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    cwd: str
    user: str
    groups: tuple[str, ...]
    capabilities: int  # bits
    no_new_privs: bool
    install_seccomp: Callable[[], None] | None  # None: no filter
    limits: tuple[Limit, ...] = ()
    oom_score_adj: int | None = None


def look_up_user(user: str, groups: tuple[str, ...] = ()) -> User:
    """*user*, with further *groups*, in this root's passwd and group files. Raises StepFailed."""
    try:
        return find_user(
            user,
            groups,
            _read_regular("/etc/passwd"),
            _read_regular("/etc/group"),
        )
    except UserError as exc:
        step = f'find the user "{user}"'
        fix = "use a name from the image's /etc/passwd and /etc/group, or numbers: user: 1000:1000"
        raise StepFailed(Failure(BEFORE_EXEC, step, 0, "", str(exc), fix)) from exc


def environment(execution: Execution, user: User) -> dict[str, str]:
    """The environment of *execution* with PATH and HOME as Docker supplies them."""
    env = {"PATH": DEFAULT_PATH}
    env.update(execution.env)
    if not env.get("HOME"):
        env["HOME"] = user.home or "/"
    return env


def shield_memory() -> None:
    """Forbid ptrace and /proc/PID/mem to the container until the execve.

    This process is a copy of a supervisor, which knows the secrets of others, and processes of a
    container whose pid namespace it is in can see it. execve(2) makes it ordinary again.
    """
    prctl.set_dumpable(on=False)


def set_limits(limits: tuple[Limit, ...]) -> None:
    """Apply *limits* as far as this host lets us."""
    for limit in limits:
        number = NUMBERS.get(limit.name)
        if number is None:
            fix = "names are those of setrlimit(2) in lower case: nofile, nproc, memlock, core …"
            text = "there is no such limit"
            raise StepFailed(
                Failure(BEFORE_EXEC, f'set the ulimit "{limit.name}"', 0, "", text, fix)
            )
        _set_limit(number, limit.soft, limit.hard)


def set_oom_score(value: int) -> None:
    """Write oom_score_adj; below the inherited value needs CAP_SYS_RESOURCE, and is then left."""
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, b"%d" % value)
    except PermissionError:
        pass  # this host does not allow it: the inherited value stays
    finally:
        os.close(fd)


def enter_directory(path: str) -> None:
    """chdir(2), as the caller's present user."""
    try:
        os.chdir(path)
    except OSError as exc:
        step = f"enter the working directory {path}"
        fix = "set working_dir to a directory that the container's user may enter"
        raise StepFailed(Failure(NOT_EXECUTABLE, step, exc.errno or 0, path, "", fix)) from exc


def become(execution: Execution, user: User) -> None:
    """Take on user, groups, capabilities and seccomp filter; nothing can be undone after it.

    Without no_new_privs a filter can be installed only with CAP_SYS_ADMIN, so before the
    capabilities go; with it, at the very end, so that it need not allow these calls.
    """
    limit_bounding(execution.capabilities)
    early_filter = not execution.no_new_privs
    if execution.no_new_privs:
        prctl.set_no_new_privs()
    if early_filter and execution.install_seccomp is not None:
        execution.install_seccomp()
    prctl.set_keepcaps(on=True)
    os.setgroups(user.groups)
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    prctl.set_keepcaps(on=False)
    capset(CapabilitySets(execution.capabilities, execution.capabilities, 0))
    if not early_filter and execution.install_seccomp is not None:
        execution.install_seccomp()


def execute(argv: tuple[str, ...], env: dict[str, str]) -> NoReturn:
    """execve(2) by the PATH in *env*, with every descriptor above 2 closed. Raises StepFailed."""
    close_on_exec_from(3)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    name = argv[0]
    denied: OSError | None = None
    for path in _candidates(name, env["PATH"]):
        try:
            os.execve(path, argv, env)  # noqa: S606 (no shell is the point)
        except OSError as exc:
            if exc.errno in (errno.ENOENT, errno.ENOTDIR) and not os.path.lexists(path):
                continue
            denied = denied or OSError(exc.errno, exc.strerror, path)
            if exc.errno != errno.EACCES:
                break
    raise StepFailed(_execute_failure(name, denied))


def _execute_failure(name: str, denied: OSError | None) -> Failure:
    step = f'execute "{name}"'
    if denied is None:
        text = "no such file in the image" if "/" in name else "not found in the image's $PATH"
        fix = "check the command's spelling, and that the image holds it"
        return Failure(NOT_FOUND, step, errno.ENOENT, "", text, fix)
    path = str(denied.filename)
    if denied.errno == errno.ENOENT:
        text = f"{path} exists, but the interpreter or loader that it names does not"
        fix = "check its first line (also for a carriage return at its end), or the image's libc"
        return Failure(NOT_FOUND, step, errno.ENOENT, path, text, fix)
    if denied.errno == errno.ENOEXEC:
        text = f"{path} is no program for this machine"
        fix = 'start a script with "#!/bin/sh"; use an image for this architecture'
        return Failure(NOT_EXECUTABLE, step, errno.ENOEXEC, path, text, fix)
    fix = f"make {path} executable (chmod +x), and not a directory"
    return Failure(NOT_EXECUTABLE, step, denied.errno or 0, path, "", fix)


def _candidates(name: str, path: str) -> tuple[str, ...]:
    if "/" in name:
        return (name,)
    if not name:
        return ()
    return tuple(f"{directory or '.'}/{name}" for directory in path.split(":"))


def _set_limit(number: int, soft: int, hard: int) -> None:
    try:
        resource.setrlimit(number, (soft, hard))
    except (ValueError, OSError):  # without CAP_SYS_RESOURCE the hard limit only goes down
        _, ceiling = resource.getrlimit(number)
        hard = _smaller(hard, ceiling)
        resource.setrlimit(number, (_smaller(soft, hard), hard))


def _smaller(one: int, other: int) -> int:
    if one == resource.RLIM_INFINITY:
        return other
    return one if other == resource.RLIM_INFINITY else min(one, other)


def _read_regular(path: str) -> str:
    """The text of *path*, "" when it is missing or anything but a file of sane size."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_size > _MAX_PASSWD_BYTES:
            return ""
        return os.read(fd, info.st_size).decode(errors="surrogateescape")
    finally:
        os.close(fd)
