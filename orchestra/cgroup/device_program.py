"""Compiles device rules for BPF_PROG_TYPE_CGROUP_DEVICE; bpf(2). Pure: rules in, bytes out.

The program gets `struct bpf_cgroup_dev_ctx { access_type, major, minor }` with the access in the
upper half of access_type and the kind in the lower. It answers 1 when one rule covers the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cgroup.devices import ANY, DeviceRule
from orchestra.linux import bpf

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS = {"b": bpf.BPF_DEVCG_DEV_BLOCK, "c": bpf.BPF_DEVCG_DEV_CHAR}
_ACCESS = {
    "m": bpf.BPF_DEVCG_ACC_MKNOD,
    "r": bpf.BPF_DEVCG_ACC_READ,
    "w": bpf.BPF_DEVCG_ACC_WRITE,
}
_ALL_ACCESS = 7
_CONTEXT, _KIND, _WANTED, _MAJOR, _MINOR, _SCRATCH = 1, 2, 3, 4, 5, 6


def compile_rules(rules: Iterable[DeviceRule]) -> bytes:
    """The program that allows what *rules* allow, taken together."""
    code = [
        bpf.instruction(bpf.LDX_MEM_W, dst=_KIND, src=_CONTEXT, offset=0),
        bpf.instruction(bpf.MOV32_REG, dst=_WANTED, src=_KIND),
        bpf.instruction(bpf.AND32_IMM, dst=_KIND, immediate=0xFFFF),
        bpf.instruction(bpf.RSH32_IMM, dst=_WANTED, immediate=16),
        bpf.instruction(bpf.LDX_MEM_W, dst=_MAJOR, src=_CONTEXT, offset=4),
        bpf.instruction(bpf.LDX_MEM_W, dst=_MINOR, src=_CONTEXT, offset=8),
    ]
    for (kind, major, minor), access in _merged(rules).items():
        code += _rule(kind, major, minor, access)
    return b"".join([*code, *_return(0)])


def _merged(rules: Iterable[DeviceRule]) -> dict[tuple[str, int, int], int]:
    """Accesses by device: "r" and "w" given by two rules allow an opening for both."""
    merged: dict[tuple[str, int, int], int] = {}
    for rule in rules:
        for kind in "bc" if rule.kind == "a" else rule.kind:
            device = (kind, rule.major, rule.minor)
            for letter in rule.access:
                merged[device] = merged.get(device, 0) | _ACCESS[letter]
    return merged


def _rule(kind: str, major: int, minor: int, access: int) -> list[bytes]:
    """Each check jumps over the rest of the rule, that is to the next rule."""
    checks = [(_KIND, _KINDS[kind])]
    if major != ANY:
        checks.append((_MAJOR, major))
    if minor != ANY:
        checks.append((_MINOR, minor))
    needs_mask = access != _ALL_ACCESS
    left = len(checks) + (3 if needs_mask else 0) + 2
    code = []
    for register, value in checks:
        left -= 1
        code.append(bpf.instruction(bpf.JNE_IMM, dst=register, immediate=value, offset=left))
    if needs_mask:
        refused = _ALL_ACCESS & ~access
        code += [
            bpf.instruction(bpf.MOV32_REG, dst=_SCRATCH, src=_WANTED),
            bpf.instruction(bpf.AND32_IMM, dst=_SCRATCH, immediate=refused),
            bpf.instruction(bpf.JNE_IMM, dst=_SCRATCH, immediate=0, offset=2),
        ]
    return code + _return(1)


def _return(value: int) -> list[bytes]:
    return [bpf.instruction(bpf.MOV64_IMM, dst=0, immediate=value), bpf.instruction(bpf.EXIT)]
