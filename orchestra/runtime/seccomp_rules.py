"""A seccomp profile as data: what to answer to which system call, in the kernel's values."""

from __future__ import annotations

from enum import Enum
from typing import Final

from orchestra.named import NamedTuple

# linux/seccomp.h; the lower 16 bits of ERRNO and TRACE carry a number
RET_KILL_PROCESS: Final = 0x80000000
RET_KILL_THREAD: Final = 0x00000000
RET_TRAP: Final = 0x00030000
RET_ERRNO: Final = 0x00050000
RET_TRACE: Final = 0x7FF00000
RET_LOG: Final = 0x7FFC0000
RET_ALLOW: Final = 0x7FFF0000


class Comparison(Enum):
    """How an argument is compared; the values are libseccomp's names."""

    NE = "SCMP_CMP_NE"
    LT = "SCMP_CMP_LT"
    LE = "SCMP_CMP_LE"
    EQ = "SCMP_CMP_EQ"
    GE = "SCMP_CMP_GE"
    GT = "SCMP_CMP_GT"
    MASKED_EQ = "SCMP_CMP_MASKED_EQ"


class Condition(NamedTuple):
    """The *argument* (0 … 5), 64 bits unsigned, compared with *value*, after *mask*."""

    argument: int
    comparison: Comparison
    value: int
    mask: int = 0xFFFFFFFFFFFFFFFF


class Rule(NamedTuple):
    """*action* for the call when all *conditions* hold; none always hold."""

    action: int
    conditions: tuple[Condition, ...] = ()


class Profile(NamedTuple):
    """*rules* by system call; the first that matches decides, else *default_action* does.

    A rule without conditions beats the others of its call.
    """

    default_action: int
    architectures: tuple[str, ...]  # names of `syscalls.ARCHITECTURES`, the native one first
    rules: dict[str, tuple[Rule, ...]]
