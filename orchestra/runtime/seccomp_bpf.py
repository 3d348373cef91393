"""Compiles a seccomp profile to a classic BPF program; seccomp(2). Pure: rules in, bytes out.

Per architecture the call's number is found by binary search over ranges of numbers that share an
answer; each leaf answers at once or tests arguments. A program is built from its leaves upwards, so
there are no labels to resolve; jumps are at most 255 instructions far, longer ones get a JA.

As in runc, a call with a number above all that the profile knows is answered with ENOSYS: libraries
then fall back to an older call, which EPERM would keep them from.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.named import NamedTuple
from orchestra.runtime.seccomp_rules import (
    RET_ALLOW,
    RET_ERRNO,
    RET_KILL_PROCESS,
    RET_LOG,
    RET_TRACE,
    Comparison,
    Condition,
    Profile,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AUDIT_ARCH = {
    "x86_64": 0xC000003E,
    "i386": 0x40000003,
    "aarch64": 0xC00000B7,
    "arm": 0x40000028,
}
_X32_BIT = 0x40000000
_ARM_PRIVATE = 0xF0000
_MAX_INSTRUCTIONS = 4096
_MAX_JUMP = 255

_LD, _JEQ, _JGT, _JGE, _JA, _RET, _AND = 0x20, 0x15, 0x25, 0x35, 0x05, 0x06, 0x54
_NR_AT, _ARCH_AT, _ARGS_AT = 0, 4, 16  # offsets in struct seccomp_data

Code = list[tuple[int, int, int, int]]  # struct sock_filter: code, jt, jf, k


class _Segment(NamedTuple):
    """From number *start* up to the next segment's, *code* answers."""

    start: int
    code: Code


def compile_profile(profile: Profile, numbers: Mapping[str, Mapping[str, int]]) -> bytes:
    """The program for *profile*, with system call *numbers* by architecture and name.

    Raises ConfigError when it is longer than the kernel takes.
    """
    code: Code = [(_LD, 0, 0, _ARCH_AT)]
    for architecture in profile.architectures:
        if architecture == "x32":
            continue  # shares its audit number with x86_64
        segments = _segments(profile, numbers[architecture], base=0)
        if architecture == "x86_64":
            segments += _x32_segments(profile, numbers)
        section = [(_LD, 0, 0, _NR_AT), *_search(segments)]
        code += [(_JEQ, 1, 0, _AUDIT_ARCH[architecture]), (_JA, 0, 0, len(section)), *section]
    code += _answer(RET_KILL_PROCESS)
    if len(code) > _MAX_INSTRUCTIONS:
        raise ConfigError(
            f"the seccomp profile compiles to {len(code)} instructions, more than "
            f"{_MAX_INSTRUCTIONS}",
            fix="shorten it: fewer argument conditions, fewer architectures",
        )
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _x32_segments(profile: Profile, numbers: Mapping[str, Mapping[str, int]]) -> list[_Segment]:
    if "x32" in profile.architectures:
        return _segments(profile, numbers["x32"], base=_X32_BIT)
    return [_Segment(_X32_BIT, _answer(RET_KILL_PROCESS))]


def _segments(profile: Profile, numbers: Mapping[str, int], base: int) -> list[_Segment]:
    """Ranges of numbers from *base* on, neighbours with the same answer merged."""
    leaves = {
        base + numbers[name]: _leaf(rules, profile.default_action)
        for name, rules in profile.rules.items()
        if name in numbers
    }
    default = _answer(profile.default_action)
    segments = [_Segment(base, default)]
    for number in sorted(leaves):
        _append(segments, number, leaves[number])
        _append(segments, number + 1, default)
    known = [
        number
        for number, code in leaves.items()
        if code != default and number - base < _ARM_PRIVATE
    ]
    if known and profile.default_action not in {RET_ALLOW, RET_LOG, RET_TRACE}:
        segments = _with_unknown(segments, max(known) + 1, default)
    return segments


def _append(segments: list[_Segment], start: int, code: Code) -> None:
    """Begin *code* at *start*; a segment that is empty gives way, an equal one goes on."""
    if segments[-1].start == start:
        segments.pop()
    if not segments or segments[-1].code != code:
        segments.append(_Segment(start, code))


def _with_unknown(segments: list[_Segment], first: int, default: Code) -> list[_Segment]:
    """ENOSYS instead of *default* from number *first* on."""
    unknown = _answer(RET_ERRNO | errno.ENOSYS)
    return [
        _Segment(start, unknown if start >= first and code == default else code)
        for start, code in segments
    ]


def _search(segments: Sequence[_Segment]) -> Code:
    """Binary search for the number in the accumulator; falls into one of the leaves."""
    if len(segments) == 1:
        return segments[0].code
    middle = len(segments) // 2
    left, right = _search(segments[:middle]), _search(segments[middle:])
    pivot = segments[middle].start
    if len(left) <= _MAX_JUMP:
        return [(_JGE, len(left), 0, pivot), *left, *right]
    return [(_JGE, 0, 1, pivot), (_JA, 0, 0, len(left)), *left, *right]


def _answer(action: int) -> Code:
    return [(_RET, 0, 0, action)]


def _leaf(rules: tuple[Rule, ...], default_action: int) -> Code:
    """The answer for one call: its unconditional rule, or its rules one after the other."""
    for rule in rules:
        if not rule.conditions:
            return _answer(rule.action)
    code: Code = []
    for rule in rules:
        code += _conditional(rule)
    return code + _answer(default_action)


def _conditional(rule: Rule) -> Code:
    """Answers when every condition holds, else falls out at the end."""
    code = _answer(rule.action)
    for condition in reversed(rule.conditions):
        code = _test(condition, len(code)) + code
    return code


def _test(condition: Condition, rest: int) -> Code:
    """Goes on behind itself when *condition* holds, else skips the next *rest* instructions."""
    at = _ARGS_AT + 8 * condition.argument
    low, high = (_LD, 0, 0, at), (_LD, 0, 0, at + 4)  # little endian, as all our architectures
    value_low, value_high = condition.value & 0xFFFFFFFF, condition.value >> 32
    match condition.comparison:
        case Comparison.MASKED_EQ:
            return [
                high, (_AND, 0, 0, condition.mask >> 32), (_JEQ, 0, rest + 3, value_high),
                low, (_AND, 0, 0, condition.mask & 0xFFFFFFFF), (_JEQ, 0, rest, value_low),
            ]  # fmt: skip
        case Comparison.EQ:
            return [high, (_JEQ, 0, rest + 2, value_high), low, (_JEQ, 0, rest, value_low)]
        case Comparison.NE:
            return [high, (_JEQ, 0, 2, value_high), low, (_JEQ, rest, 0, value_low)]
        case Comparison.GT | Comparison.GE:
            compare = _JGT if condition.comparison is Comparison.GT else _JGE
            return [
                high, (_JGT, 3, 0, value_high), (_JEQ, 0, rest + 2, value_high),
                low, (compare, 0, rest, value_low),
            ]  # fmt: skip
        case Comparison.LT | Comparison.LE:
            compare = _JGE if condition.comparison is Comparison.LT else _JGT
            return [
                high, (_JGT, rest + 3, 0, value_high), (_JEQ, 0, 2, value_high),
                low, (compare, rest, 0, value_low),
            ]  # fmt: skip
