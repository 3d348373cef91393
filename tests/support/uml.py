"""Boots user-mode Linux on the host's own root file system and runs one command in it.

For what the host's kernel cannot show: cgroup v2 on a host with v1, or the other way round. The
guest is an ordinary process; it sees the host's files through hostfs, has its own kernel, process
table and mounts, no network but loopback, and `/run` (with `TMPDIR`) and `/dev/shm` of its own.
Modules (overlay, bridge, veth …) are loaded when they are needed.
"""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import struct
import subprocess
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from orchestra.linux import prctl, seccomp

if TYPE_CHECKING:
    from collections.abc import Sequence

KERNEL = "linux.uml"
_MODPROBE = os.path.join(os.path.dirname(__file__), "uml_modprobe.py")

_INIT = """#!/bin/sh
{registers}
export PATH={path} HOME=/root LANG=C.UTF-8 TMPDIR=/run/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for directory in /dev/shm /run; do mount -t tmpfs tmpfs $directory; done
mkdir -m 1777 /run/tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
printf '#!/bin/sh\n{registers}\nexec {python} -SIE {modprobe} "$@"\n' >/run/modprobe
chmod 755 /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
ip link set lo up
hostname uml
cd {directory}
{command} >{results}/output 2>&1 </dev/null
echo $? >{results}/status
sync
{python} -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321FEDC)'
"""


_WITHOUT_AVX = (
    "export OPENSSL_ia32cap=~0x1000000000000000:~0x20 GLIBC_TUNABLES=glibc.cpu.hwcaps="
    "-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ"
)
"""For a guest whose kernel restores no more than SSE registers: see `_hide_extended_registers`."""


class UmlResult(NamedTuple):
    returncode: int
    output: str  # standard output and error of the command
    console: str  # what the kernel said


def is_available() -> bool:
    """Can a guest be booted? It needs the kernel of Debian's package user-mode-linux."""
    return shutil.which(KERNEL) is not None


def run(
    command: Sequence[str], *, python: str, timeout_s: float = 120.0, memory: str = "1G"
) -> UmlResult:
    """Boot, run *command* in the current directory as root, power off.

    *python* is an interpreter with `ctypes`, to power off. Raises TimeoutError with the console's
    last lines when the guest has not ended after *timeout_s*.
    """
    results = tempfile.mkdtemp(prefix="uml-", dir="/var/tmp")
    try:
        init = os.path.join(results, "init")
        with open(init, "w") as file:
            file.write(
                _INIT.format(
                    registers=_WITHOUT_AVX if _has_tile_registers() else "",
                    path=shlex.quote(os.environ["PATH"]),
                    modprobe=shlex.quote(_MODPROBE),
                    directory=shlex.quote(os.getcwd()),
                    command=shlex.join(command),
                    results=results,
                    python=shlex.quote(python),
                )
            )
        os.chmod(init, 0o755)
        console = _boot(init, results, memory, timeout_s)
        status = _read(os.path.join(results, "status")).strip()
        output = _read(os.path.join(results, "output"))
        return UmlResult(int(status) if status else -1, output, console)
    finally:
        shutil.rmtree(results, ignore_errors=True)


def _boot(init: str, results: str, memory: str, timeout_s: float) -> str:
    """Run the kernel to its end; its console."""
    argv = [
        KERNEL, f"mem={memory}", "rootfstype=hostfs", "rw", f"init={init}", "quiet",
        "con=null", "con0=fd:0,fd:1", f"uml_dir={results}", f"umid={os.path.basename(results)}",
    ]  # fmt: skip
    console_path = os.path.join(results, "console")
    with open(console_path, "wb") as console:
        # a session of its own: its helper threads are processes and die with the group
        guest = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hide_extended_registers if _has_tile_registers() else None,
        )
        try:
            guest.wait(timeout_s)
        except subprocess.TimeoutExpired as exc:
            os.killpg(guest.pid, 9)
            guest.wait()
            tail = _read(console_path)[-2000:] + _read(os.path.join(results, "output"))[-4000:]
            raise TimeoutError(f"the guest did not end in {timeout_s} s:\n{tail}") from exc
    return _read(console_path)


def _has_tile_registers() -> bool:
    with open("/proc/cpuinfo") as file:
        return " amx_tile" in file.read()


def _hide_extended_registers() -> None:
    """Let ptrace(PTRACE_GETREGSET, …, NT_X86_XSTATE) fail with EIO in this process.

    With AMX a task's extended registers are larger than the buffer of Linux 6.1's user-mode port,
    and its first PTRACE_SETREGSET fails ("put_fp_registers"). A host without that request, as it
    takes this to be, makes it use PTRACE_SETFPREGS, which every x86 has. That request restores no
    AVX register (a page fault clears their upper halves), so the guest is kept from using them.
    """
    ptrace, getregset, xstate = 101, 0x4204, 0x202
    number, first, third = 0, 16, 32  # offsets in seccomp_data of what is compared
    load, jump_equal, give = 0x20, 0x15, 0x06
    error, allow = 0x00050000 | errno.EIO, 0x7FFF0000
    program = [
        (load, 0, 0, number), (jump_equal, 0, 5, ptrace),
        (load, 0, 0, first), (jump_equal, 0, 3, getregset),
        (load, 0, 0, third), (jump_equal, 0, 1, xstate),
        (give, 0, 0, error), (give, 0, 0, allow),
    ]  # fmt: skip
    prctl.set_no_new_privs()
    seccomp.install(b"".join(struct.pack("=HBBI", *line) for line in program))


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
