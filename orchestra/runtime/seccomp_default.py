"""The default profile: Docker's rules for the capabilities that a container has."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from orchestra.linux.caps import NUMBERS
from orchestra.runtime.seccomp_rules import (
    RET_ALLOW,
    RET_ERRNO,
    Comparison,
    Condition,
    Profile,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

EPERM = RET_ERRNO | errno.EPERM
_ENOSYS = RET_ERRNO | errno.ENOSYS

_NAMESPACE_FLAGS = 0x7E020000
"""Every CLONE_NEW… of clone(2)."""

_AF_ALG, _AF_VSOCK = 38, 40
"""Socket families that reach the host's kernel crypto and its hypervisor."""

_PERSONALITIES = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)
"""PER_LINUX, PER_LINUX32 and both with UNAME26; the last one only asks."""


def default_profile(
    capabilities: int, architectures: tuple[str, ...], rules: Mapping[str, str]
) -> Profile:
    """The profile for the *capabilities* (bits); *rules* are those of the system call table."""
    allow = (Rule(RET_ALLOW),)
    by_arguments = _rules_by_arguments()
    chosen: dict[str, tuple[Rule, ...]] = {}
    for name, rule in rules.items():
        words = rule.split(",")
        if "allow" in words or any(_has(capabilities, word) for word in words):
            chosen[name] = allow
        elif "args" in words:
            chosen[name] = by_arguments[name]
    return Profile(EPERM, architectures, chosen)


def _has(capabilities: int, name: str) -> bool:
    return name in NUMBERS and bool(capabilities >> NUMBERS[name] & 1)


def _rules_by_arguments() -> dict[str, tuple[Rule, ...]]:
    def allowed(*conditions: Condition) -> tuple[Rule, ...]:
        return tuple(Rule(RET_ALLOW, (condition,)) for condition in conditions)

    return {
        # its flags lie in memory, where no filter can look: libc then takes clone
        "clone3": (Rule(_ENOSYS),),
        "clone": allowed(Condition(0, Comparison.MASKED_EQ, 0, _NAMESPACE_FLAGS)),
        "personality": allowed(*(Condition(0, Comparison.EQ, value) for value in _PERSONALITIES)),
        "socket": allowed(
            Condition(0, Comparison.LT, _AF_ALG),
            Condition(0, Comparison.EQ, _AF_ALG + 1),
            Condition(0, Comparison.GT, _AF_VSOCK),
        ),
    }
