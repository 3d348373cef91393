"""The mount and network namespaces in which all integration tests run.

Nothing that a test mounts, links or filters reaches the host: /run is a private tmpfs, and the
only links are the loopback and a veth pair to a network namespace `outside`, which plays the part
of another machine. The namespaces end with the test process.
"""

from __future__ import annotations

import ctypes
import os
import subprocess

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18

HOST_ADDRESS, OUTSIDE_ADDRESS = "192.0.2.1", "192.0.2.2"
OUTSIDE = "outside"


_BEFORE: list[int] = []


def enter() -> None:
    """Move this process into namespaces of its own. Raises OSError."""
    _BEFORE.append(os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    _checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "make / private")
    _checked(libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, b"mode=755"), "mount /run")
    ip("link", "set", "lo", "up")
    ip("netns", "add", OUTSIDE)
    ip("link", "add", "host0", "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE)
    ip("address", "add", f"{HOST_ADDRESS}/24", "dev", "host0")
    ip("link", "set", "host0", "up")
    ip("-n", OUTSIDE, "link", "set", "lo", "up")
    ip("-n", OUTSIDE, "address", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "eth0")
    ip("-n", OUTSIDE, "link", "set", "eth0", "up")
    ip("-n", OUTSIDE, "route", "add", "default", "via", HOST_ADDRESS)


def ip(*arguments: str) -> str:
    """The output of iproute2 for *arguments*; the call must succeed."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def from_outside(*command: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
    """Run *command* on the machine outside, which reaches the host as 192.0.2.1."""
    argv = ["ip", "netns", "exec", OUTSIDE, *command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)


def on_the_machine(
    command: list[str], *, cwd: str, env: dict[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run *command* in the network that the tests were started in: for package registries only."""
    (network,) = _BEFORE
    return subprocess.run(
        ["nsenter", f"--net=/proc/self/fd/{network}", *command],
        capture_output=True, text=True, check=False,
        cwd=cwd, env=env, timeout=timeout_s, pass_fds=(network,),
    )  # fmt: skip


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
