"""The system call tables of the architectures that a container may use, from `syscalls.txt`."""

from __future__ import annotations

import os

from orchestra.named import NamedTuple

ARCHITECTURES = ("x86_64", "i386", "x32", "aarch64", "arm")
"""Columns of the table. x32 numbers are without the bit that marks them."""

_TABLE = os.path.join(os.path.dirname(__file__), "syscalls.txt")


class SyscallTable(NamedTuple):
    """*numbers* maps architecture and name to the number, *rules* a name to its default rule."""

    numbers: dict[str, dict[str, int]]
    rules: dict[str, str]


def read_table() -> SyscallTable:
    """Read the table: half a millisecond, so keep it."""
    numbers: dict[str, dict[str, int]] = {architecture: {} for architecture in ARCHITECTURES}
    rules: dict[str, str] = {}
    with open(_TABLE, encoding="ascii") as file:
        for line in file:
            if line.startswith("#"):
                continue
            name, *columns, rule = line.split()
            rules[name] = rule
            for architecture, column in zip(ARCHITECTURES, columns, strict=True):
                if column != "-":
                    numbers[architecture][name] = int(column)
    return SyscallTable(numbers, rules)
