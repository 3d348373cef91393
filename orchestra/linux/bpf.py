"""bpf(2), as far as cgroup v2 needs it: load a device program and attach it to a cgroup.

A program is a sequence of 8-byte instructions (linux/bpf.h); what it decides is the caller's.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final

from orchestra.linux.fds import Fd
from orchestra.linux.libc import bind_syscall, check

BPF_PROG_LOAD: Final = 5
BPF_PROG_ATTACH: Final = 8
BPF_PROG_TYPE_CGROUP_DEVICE: Final = 15
BPF_CGROUP_DEVICE: Final = 6
BPF_F_ALLOW_MULTI: Final = 2

BPF_DEVCG_DEV_BLOCK: Final = 1
BPF_DEVCG_DEV_CHAR: Final = 2
BPF_DEVCG_ACC_MKNOD: Final = 1
BPF_DEVCG_ACC_READ: Final = 2
BPF_DEVCG_ACC_WRITE: Final = 4

# instruction classes and operations, linux/bpf_common.h
LDX_MEM_W: Final = 0x61
MOV32_REG: Final = 0xBC
MOV64_IMM: Final = 0xB7
AND32_IMM: Final = 0x54
RSH32_IMM: Final = 0x74
JNE_IMM: Final = 0x55
EXIT: Final = 0x95

_bpf = bind_syscall("bpf", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint)


def instruction(
    code: int, *, dst: int = 0, src: int = 0, offset: int = 0, immediate: int = 0
) -> bytes:
    """One struct bpf_insn."""
    return struct.pack("=BBhi", code, dst | src << 4, offset, immediate)


def load_device_program(program: bytes) -> Fd:
    """Load *program*. Raises OSError: EPERM without CAP_BPF, EINVAL without kernel support."""
    code = ctypes.create_string_buffer(program, len(program))
    license_text = ctypes.create_string_buffer(b"Apache-2.0")
    attributes = struct.pack(
        "=IIQQIIQII16sI",
        BPF_PROG_TYPE_CGROUP_DEVICE,
        len(program) // 8,
        ctypes.addressof(code),
        ctypes.addressof(license_text),
        0, 0, 0, 0, 0, b"orchestra_dev", 0,
    )  # fmt: skip
    return Fd(_call(BPF_PROG_LOAD, attributes, "bpf(BPF_PROG_LOAD)", None))


def attach_to_cgroup(program: Fd, cgroup: str) -> None:
    """Attach *program* to the v2 cgroup directory; it goes with the cgroup."""
    directory = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        attributes = struct.pack(
            "=IIII", directory, program.fileno(), BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI
        )
        _call(BPF_PROG_ATTACH, attributes, "bpf(BPF_PROG_ATTACH)", cgroup)
    finally:
        os.close(directory)


def _call(command: int, attributes: bytes, call: str, path: str | None) -> int:
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return check(_bpf(command, ctypes.addressof(buffer), len(attributes)), call, path)
