"""The default filter in a real process: what Docker refuses is refused, what it allows works."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from orchestra.linux import seccomp
from orchestra.runtime.capabilities import DEFAULT
from orchestra.runtime.seccomp_profile import SeccompProfiles
from orchestra.runtime.syscalls import read_table

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="a filter without no_new_privs needs root"),
]


def filtered(work: Callable[[], object]) -> object:
    """What *work* gives, as JSON, in a child under the default filter."""
    program = SeccompProfiles().program((), DEFAULT, privileged=False)
    assert program is not None
    result, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            seccomp.install(program)
            os.write(tell, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(result, "rb") as file:
        answer = file.read()
    os.waitpid(pid, 0)
    assert answer, "the child died"
    return json.loads(answer)


def errors_of(names: list[str]) -> dict[str, str]:
    """The error of each call, made with -1 for every argument."""
    numbers = read_table().numbers[platform.machine()]
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    found = {}
    for name in names:
        ctypes.set_errno(0)
        result = syscall(numbers[name], -1, -1, -1, -1, -1, -1)
        found[name] = errno.errorcode[ctypes.get_errno()] if result < 0 else "ok"
    return found


def test_what_docker_refuses_is_refused() -> None:
    names = [
        "keyctl", "add_key", "request_key", "mount", "umount2", "pivot_root", "unshare",
        "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
        "open_by_handle_at", "init_module", "finit_module", "delete_module", "kexec_load",
        "reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "acct", "quotactl",
        "syslog", "fsopen", "fsmount", "move_mount", "open_tree", "mount_setattr",
        "personality", "fanotify_init", "move_pages", "mbind", "set_mempolicy",
        "get_mempolicy", "migrate_pages", "kcmp", "process_madvise", "vhangup",
    ]  # fmt: skip

    assert filtered(lambda: errors_of(names)) == dict.fromkeys(names, "EPERM")


def test_clone3_does_not_exist_so_that_libc_falls_back() -> None:
    assert filtered(lambda: errors_of(["clone3"])) == {"clone3": "ENOSYS"}


def test_ordinary_work_goes_on() -> None:
    def work() -> list[object]:
        done: list[object] = []
        thread = threading.Thread(target=done.append, args=("thread",))
        thread.start()
        thread.join()
        listener = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(listener.getsockname(), timeout=5)
        done.append(listener.accept()[0].fileno() > 0 and client.fileno() > 0)
        done.append(
            subprocess.run(["echo", "hello"], capture_output=True, check=True).stdout.decode()
        )
        done.append(os.stat("/").st_ino > 0)
        return done

    assert filtered(work) == ["thread", True, "hello\n", True]


def test_a_socket_into_the_kernels_crypto_is_refused() -> None:
    def try_socket() -> str:
        try:
            socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
        except OSError as exc:
            return errno.errorcode[exc.errno or 0]
        return "ok"

    assert filtered(try_socket) == "EPERM"


def test_without_the_right_a_filter_cannot_be_installed() -> None:
    """And the error says which call failed."""
    with pytest.raises(OSError, match="seccomp") as caught:
        seccomp.install(b"\0" * 8)

    assert caught.value.errno == errno.EINVAL
