from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.cgroup.device_program import compile_rules
from orchestra.cgroup.devices import (
    ANY,
    DEFAULT_RULES,
    DeviceRule,
    allowed_rules,
    device_number,
    parse_rule,
)
from orchestra.errors import ConfigError, NotFound
from orchestra.model.container import Device

if TYPE_CHECKING:
    from pathlib import Path

ACCESS_BITS = {"m": 1, "r": 2, "w": 4}
KINDS = {"b": 1, "c": 2}


def run(program: bytes, kind: str, major: int, minor: int, access: str) -> bool:
    """Interpret a device program: the few instructions that it is made of."""
    wanted = sum(ACCESS_BITS[letter] for letter in set(access))
    context = struct.pack("=III", wanted << 16 | KINDS[kind], major, minor)
    registers = [0] * 11
    at = 0
    while True:
        code, both, offset, immediate = struct.unpack_from("=BBhi", program, at * 8)
        dst, src = both & 15, both >> 4
        at += 1
        match code:
            case 0x61:
                (registers[dst],) = struct.unpack_from("=I", context, offset)
            case 0xBC:
                registers[dst] = registers[src] & 0xFFFFFFFF
            case 0xB7:
                registers[dst] = immediate
            case 0x54:
                registers[dst] &= immediate & 0xFFFFFFFF
            case 0x74:
                registers[dst] >>= immediate
            case 0x55:
                at += offset if registers[dst] != immediate else 0
            case 0x95:
                return bool(registers[0])
            case _:
                raise AssertionError(f"unexpected instruction {code:#x}")


def allows(rules: tuple[DeviceRule, ...], kind: str, major: int, minor: int, access: str) -> bool:
    """The meaning of a rule list, written down without the program."""

    def granted(letter: str) -> set[tuple[str, int, int]]:
        return {
            (k, rule.major, rule.minor)
            for rule in rules
            for k in ("bc" if rule.kind == "a" else rule.kind)
            if letter in rule.access
        }

    patterns = {(kind, a, b) for a in (major, ANY) for b in (minor, ANY)}
    return any(all(pattern in granted(letter) for letter in access) for pattern in patterns)


numbers = st.integers(0, 6)
rules = st.builds(
    DeviceRule,
    st.sampled_from("abc"),
    numbers | st.just(ANY),
    numbers | st.just(ANY),
    st.sampled_from(["r", "w", "m", "rw", "rm", "rwm"]),
)
accesses = st.sampled_from(["r", "w", "m", "rw", "rwm"])


@given(st.lists(rules, max_size=6).map(tuple), st.sampled_from("bc"), numbers, numbers, accesses)
def test_the_program_decides_as_the_rules_say(
    listed: tuple[DeviceRule, ...], kind: str, major: int, minor: int, access: str
) -> None:
    decision = run(compile_rules(listed), kind, major, minor, access)

    assert decision == allows(listed, kind, major, minor, access)


@pytest.mark.parametrize(
    ("kind", "major", "minor", "access", "expected"),
    [
        ("c", 1, 3, "rw", True),
        ("c", 136, 17, "rw", True),
        ("c", 5, 2, "rw", True),
        ("c", 1, 11, "r", False),
        ("b", 8, 0, "r", False),
        ("b", 8, 0, "m", True),
        ("c", 10, 200, "rw", True),
        ("c", 10, 229, "rw", False),
    ],
)
def test_the_defaults_are_dockers(
    kind: str, major: int, minor: int, access: str, *, expected: bool
) -> None:
    assert run(compile_rules(DEFAULT_RULES), kind, major, minor, access) is expected


def test_a_rule_is_read_and_written_alike() -> None:
    for text in ("c 1:3 mr", "b 8:* rwm", "a *:* rwm"):
        assert str(parse_rule(text)) == text


@pytest.mark.parametrize("text", ["", "c 1:3", "x 1:3 r", "c 1 r", "c 1:3 x", "c -1:3 r"])
def test_a_broken_rule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rule(text)
    assert '"c 1:3 mr"' in caught.value.fix


def test_mapped_devices_are_opened_by_number() -> None:
    rules = allowed_rules((Device(source="/dev/null", target="/dev/x", permissions="r"),), ())

    assert rules[-1] == DeviceRule("c", 1, 3, "r")


def test_what_is_no_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="not a device"):
        device_number(str(tmp_path / "file"))
    with pytest.raises(NotFound, match="does not exist"):
        device_number(str(tmp_path / "nothing"))
