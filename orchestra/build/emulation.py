"""Programs of other processors: may the kernel run them in a container, by binfmt_misc?

Linux Documentation/admin-guide/binfmt-misc.rst. Only an interpreter that the kernel holds open
(flag F) is found inside of an image.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.image.platform import Platform

BINFMT = "/proc/sys/fs/binfmt_misc"
_MACHINES = {
    "amd64": "x86_64",
    "386": "i386",
    "arm64": "aarch64",
    "arm": "arm",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "mips64le": "mips64el",
    "loong64": "loongarch64",
}


def is_emulated(platform: Platform, directory: str = BINFMT) -> bool:
    """Is there an enabled interpreter for the programs of *platform*?"""
    machine = _MACHINES.get(platform.architecture)
    if platform.os != "linux" or machine is None:
        return False
    try:
        names = os.listdir(directory)
    except OSError:
        return False
    return any(_runs(os.path.join(directory, name), machine) for name in names)


def _runs(path: str, machine: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return False
    fields = dict(line.partition(" ")[::2] for line in lines if line)
    interpreter = os.path.basename(fields.get("interpreter", ""))
    is_for_it = interpreter.removesuffix("-static") == f"qemu-{machine}"
    return "enabled" in fields and is_for_it and "F" in fields.get("flags:", "")
