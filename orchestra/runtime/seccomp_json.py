"""Reads a profile in Docker's JSON format (seccomp security profiles) or the OCI runtime's.

Conditions on architecture, capabilities and kernel are decided here, for one container. Names of
system calls that the tables do not have are left out, as in runc.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.linux.caps import NUMBERS
from orchestra.model.structs import msgspec
from orchestra.runtime.seccomp_rules import (
    RET_ALLOW,
    RET_ERRNO,
    RET_KILL_PROCESS,
    RET_KILL_THREAD,
    RET_LOG,
    RET_TRACE,
    RET_TRAP,
    Comparison,
    Condition,
    Profile,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTIONS = {
    "SCMP_ACT_KILL": RET_KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": RET_KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": RET_KILL_PROCESS,
    "SCMP_ACT_TRAP": RET_TRAP,
    "SCMP_ACT_ERRNO": RET_ERRNO,
    "SCMP_ACT_TRACE": RET_TRACE,
    "SCMP_ACT_LOG": RET_LOG,
    "SCMP_ACT_ALLOW": RET_ALLOW,
}
_ARCHITECTURES = {
    "SCMP_ARCH_X86_64": "x86_64",
    "SCMP_ARCH_X86": "i386",
    "SCMP_ARCH_X32": "x32",
    "SCMP_ARCH_AARCH64": "aarch64",
    "SCMP_ARCH_ARM": "arm",
}
_GO_NAMES = {"x86_64": "amd64", "i386": "x86", "x32": "x32", "aarch64": "arm64", "arm": "arm"}


class Container(msgspec.Struct, frozen=True):
    """What the conditions in a profile ask about."""

    architectures: tuple[str, ...]  # the native one first
    capabilities: int
    kernel: tuple[int, int]


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    caps: tuple[str, ...] | None = None
    arches: tuple[str, ...] | None = None
    min_kernel: str | None = None


class _Argument(msgspec.Struct, frozen=True, rename="camel"):
    index: int
    value: int
    op: Comparison
    value_two: int = 0


class _Syscall(msgspec.Struct, frozen=True, rename="camel"):
    action: str
    names: tuple[str, ...] | None = None
    name: str | None = None
    args: tuple[_Argument, ...] | None = None
    errno_ret: int | None = None
    includes: _Filter | None = None
    excludes: _Filter | None = None


class _ArchMap(msgspec.Struct, frozen=True, rename="camel"):
    architecture: str
    sub_architectures: tuple[str, ...] | None = None


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    default_action: str
    default_errno_ret: int | None = None
    architectures: tuple[str, ...] | None = None
    arch_map: tuple[_ArchMap, ...] | None = None
    syscalls: tuple[_Syscall, ...] | None = None


def parse_profile(text: bytes, container: Container, *, where: str) -> Profile:
    """The profile in *text* for *container*. Raises ConfigError; *where* names the file."""
    try:
        document = msgspec.json.decode(text, type=_Document)
        rules: dict[str, tuple[Rule, ...]] = {}
        default = _action(document.default_action, document.default_errno_ret)
        for syscall in document.syscalls or ():
            if not _applies(syscall, container):
                continue
            action = _action(syscall.action, syscall.errno_ret)
            if action == default:
                continue
            for name in syscall.names or ((syscall.name,) if syscall.name else ()):
                rules[name] = (*rules.get(name, ()), *_rules(action, syscall.args or ()))
    except (msgspec.DecodeError, ValueError) as exc:
        raise ConfigError(
            f"{where} is not a seccomp profile: {exc}",
            fix="take Docker's default.json as a pattern, or remove security_opt seccomp",
        ) from exc
    return Profile(default, _architectures(document, container), rules)


def _action(name: str, number: int | None) -> int:
    if name not in _ACTIONS:
        raise ValueError(f'the action "{name}" is not known or not supported')
    action = _ACTIONS[name]
    if action in {RET_ERRNO, RET_TRACE}:
        action |= (errno.EPERM if number is None else number) & 0xFFFF
    return action


def _rules(action: int, arguments: tuple[_Argument, ...]) -> Iterator[Rule]:
    """One rule whose conditions all hold; several when an argument is named twice, as in runc."""
    conditions = tuple(_condition(argument) for argument in arguments)
    if len({condition.argument for condition in conditions}) < len(conditions):
        for condition in conditions:
            yield Rule(action, (condition,))
    else:
        yield Rule(action, conditions)


def _condition(argument: _Argument) -> Condition:
    if not 0 <= argument.index <= 5:
        raise ValueError(f"there is no argument {argument.index}")
    if not all(0 <= value < 1 << 64 for value in (argument.value, argument.value_two)):
        raise ValueError("an argument has 64 bits without a sign")
    if argument.op is Comparison.MASKED_EQ:
        return Condition(argument.index, argument.op, argument.value_two, argument.value)
    return Condition(argument.index, argument.op, argument.value)


def _applies(syscall: _Syscall, container: Container) -> bool:
    wanted, unwanted = syscall.includes, syscall.excludes
    native = _GO_NAMES[container.architectures[0]]
    if wanted is not None and not (
        (not wanted.arches or native in wanted.arches)
        and all(_has(container, name) for name in wanted.caps or ())
        and (not wanted.min_kernel or container.kernel >= _version(wanted.min_kernel))
    ):
        return False
    return unwanted is None or not (
        native in (unwanted.arches or ())
        or any(_has(container, name) for name in unwanted.caps or ())
        or (unwanted.min_kernel and container.kernel >= _version(unwanted.min_kernel))
    )


def _has(container: Container, capability: str) -> bool:
    number = NUMBERS.get(capability.removeprefix("CAP_"))
    return number is not None and bool(container.capabilities >> number & 1)


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)


def _architectures(document: _Document, container: Container) -> tuple[str, ...]:
    """Those of the document that this machine has; the native one is always among them."""
    native = container.architectures[0]
    listed = list(document.architectures or ())
    for entry in document.arch_map or ():
        if _ARCHITECTURES.get(entry.architecture) == native:
            listed += entry.sub_architectures or ()
    named = {_ARCHITECTURES.get(name) for name in listed}
    return (native, *(name for name in container.architectures[1:] if name in named))
