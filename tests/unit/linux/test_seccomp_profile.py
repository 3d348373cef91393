"""Compiled seccomp programs, decided by an interpreter of classic BPF, against the rule lists."""

from __future__ import annotations

import errno
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.errors import ConfigError, NotFound, Unsupported
from orchestra.linux.caps import ALL, NUMBERS
from orchestra.runtime.capabilities import DEFAULT
from orchestra.runtime.seccomp_bpf import compile_profile
from orchestra.runtime.seccomp_default import default_profile
from orchestra.runtime.seccomp_profile import SeccompProfiles, seccomp_option
from orchestra.runtime.seccomp_rules import (
    RET_ALLOW,
    RET_ERRNO,
    RET_KILL_PROCESS,
    RET_LOG,
    Comparison,
    Condition,
    Profile,
    Rule,
)
from orchestra.runtime.syscalls import read_table

if TYPE_CHECKING:
    from pathlib import Path

EPERM = RET_ERRNO | errno.EPERM
ENOSYS = RET_ERRNO | errno.ENOSYS
AUDIT = {
    "x86_64": 0xC000003E,
    "i386": 0x40000003,
    "x32": 0xC000003E,
    "aarch64": 0xC00000B7,
    "arm": 0x40000028,
}
X32_BIT = 0x40000000
TABLE = read_table()
X86 = ("x86_64", "i386", "x32")
ARM = ("aarch64", "arm")


class Filter:
    """A program and what it answers."""

    def __init__(self, program: bytes) -> None:
        self.code = list(struct.iter_unpack("=HBBI", program))
        assert len(self.code) <= 4096

    def decide(self, audit: int, number: int, *arguments: int) -> int:
        padded = (*arguments, *[0] * (6 - len(arguments)))
        data = struct.pack("<IIQ6Q", number, audit, 0, *padded)
        accumulator = at = 0
        while True:
            code, if_true, if_false, k = self.code[at]
            at += 1
            match code:
                case 0x20:
                    (accumulator,) = struct.unpack_from("<I", data, k)
                case 0x54:
                    accumulator &= k
                case 0x15:
                    at += if_true if accumulator == k else if_false
                case 0x25:
                    at += if_true if accumulator > k else if_false
                case 0x35:
                    at += if_true if accumulator >= k else if_false
                case 0x05:
                    at += k
                case 0x06:
                    return int(k)
                case _:
                    raise AssertionError(f"unexpected instruction {code:#x}")

    def call(self, architecture: str, name: str, *arguments: int) -> int:
        number = TABLE.numbers[architecture][name]
        base = X32_BIT if architecture == "x32" else 0
        return self.decide(AUDIT[architecture], base + number, *arguments)


def default_filter(capabilities: int = DEFAULT, architectures: tuple[str, ...] = X86) -> Filter:
    profile = default_profile(capabilities, architectures, TABLE.rules)
    return Filter(compile_profile(profile, TABLE.numbers))


def capability(name: str) -> int:
    return 1 << NUMBERS[name]


CAPABILITY_SETS = [0, DEFAULT, ALL, DEFAULT | capability("SYS_ADMIN"), DEFAULT | capability("BPF")]


@pytest.mark.parametrize("architectures", [X86, ARM])
@pytest.mark.parametrize("capabilities", CAPABILITY_SETS)
def test_every_call_of_every_architecture_is_answered_as_the_table_says(
    capabilities: int, architectures: tuple[str, ...]
) -> None:
    program = default_filter(capabilities, architectures)
    held = {name for name in NUMBERS if capabilities & capability(name)}

    for architecture in architectures:
        for name in TABLE.numbers[architecture]:
            words = set(TABLE.rules[name].split(","))
            decision = program.call(architecture, name)
            if "allow" in words or words & held:
                assert decision == RET_ALLOW, name
            elif "args" not in words:
                assert decision in {EPERM, ENOSYS}, name


def test_a_number_in_a_gap_is_refused_and_one_beyond_the_table_does_not_exist() -> None:
    program = default_filter()

    assert program.decide(AUDIT["x86_64"], 400) == EPERM
    assert program.decide(AUDIT["x86_64"], 900) == ENOSYS
    assert program.decide(AUDIT["x86_64"], X32_BIT - 1) == ENOSYS
    assert program.decide(AUDIT["x86_64"], 0xFFFFFFFF) == ENOSYS
    assert program.decide(AUDIT["i386"], 900) == ENOSYS


def test_calls_of_an_architecture_that_is_not_allowed_kill() -> None:
    assert default_filter().decide(AUDIT["aarch64"], 0) == RET_KILL_PROCESS
    only_native = default_filter(DEFAULT, ("x86_64",))
    assert only_native.decide(AUDIT["i386"], 0) == RET_KILL_PROCESS
    assert only_native.decide(AUDIT["x86_64"], X32_BIT) == RET_KILL_PROCESS


@pytest.mark.parametrize("architecture", X86)
def test_clone_makes_threads_and_processes_but_no_namespaces(architecture: str) -> None:
    program = default_filter()

    assert program.call(architecture, "clone", 0x3D0F00) == RET_ALLOW
    assert program.call(architecture, "clone", 17) == RET_ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert program.call(architecture, "clone", flag | 17) == EPERM
    assert program.call(architecture, "clone3") == ENOSYS


def test_sys_admin_opens_clone_clone3_mount_and_bpf() -> None:
    program = default_filter(DEFAULT | capability("SYS_ADMIN"))

    for name in ("clone3", "mount", "bpf", "unshare", "setns"):
        assert program.call("x86_64", name) == RET_ALLOW
    assert program.call("x86_64", "clone", 0x10000000) == RET_ALLOW
    assert program.call("x86_64", "keyctl") == EPERM


def test_sockets_of_the_kernels_crypto_and_the_hypervisor_are_refused() -> None:
    program = default_filter()

    refused = {family for family in range(60) if program.call("x86_64", "socket", family) == EPERM}
    assert refused == {38, 40}
    assert program.call("x86_64", "socket", 38 | 1 << 32) == RET_ALLOW  # the kernel refuses it


def test_only_the_usual_personalities_may_be_taken() -> None:
    program = default_filter()

    for value in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF):
        assert program.call("x86_64", "personality", value) == RET_ALLOW
    for value in (1, 0x40000, 0x0040000 | 8, 0xFFFFFFFF_FFFFFFFF):
        assert program.call("x86_64", "personality", value) == EPERM


def holds(condition: Condition, argument: int) -> bool:
    """The comparisons as libseccomp defines them."""
    value = condition.value
    return {
        Comparison.NE: argument != value,
        Comparison.LT: argument < value,
        Comparison.LE: argument <= value,
        Comparison.EQ: argument == value,
        Comparison.GE: argument >= value,
        Comparison.GT: argument > value,
        Comparison.MASKED_EQ: argument & condition.mask == value,
    }[condition.comparison]


# few values, so that equal halves are frequent
words = st.integers(0, 2).flatmap(
    lambda high: st.integers(0, 2).map(lambda low: high << 32 | low)
) | st.integers(0, 2**64 - 1)
conditions = st.builds(
    Condition, st.integers(0, 5), st.sampled_from(list(Comparison)), words, words
)
rules = st.builds(
    Rule,
    st.sampled_from([RET_ALLOW, RET_LOG, RET_ERRNO | 7]),
    st.lists(conditions, max_size=3).map(tuple),
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(TABLE.numbers["x86_64"])),
        st.lists(rules, min_size=1, max_size=3).map(tuple),
        max_size=40,
    ),
    st.sampled_from([EPERM, RET_ALLOW]),
    st.lists(words, min_size=6, max_size=6),
)
def test_any_profile_answers_as_its_rules_say(
    by_name: dict[str, tuple[Rule, ...]], default: int, arguments: list[int]
) -> None:
    program = Filter(compile_profile(Profile(default, ("x86_64",), by_name), TABLE.numbers))
    numbers = TABLE.numbers["x86_64"]
    newest = max((numbers[name] for name in by_name), default=1 << 32)

    for name, number in numbers.items():
        expected = ENOSYS if default == EPERM and number > newest else default
        for rule in sorted(by_name.get(name, ()), key=lambda rule: bool(rule.conditions)):
            if all(holds(condition, arguments[condition.argument]) for condition in rule[1]):
                expected = rule.action
                break
        assert program.call("x86_64", name, *arguments) == expected, name


def test_a_program_longer_than_the_kernel_takes_is_refused() -> None:
    condition = Condition(0, Comparison.EQ, 1)
    many = tuple(Rule(RET_ALLOW, (condition,)) for _ in range(900))

    with pytest.raises(ConfigError, match="more than 4096"):
        compile_profile(Profile(EPERM, ("x86_64",), {"read": many}), TABLE.numbers)


# -- choosing -----------------------------------------------------------------------------------
def test_no_option_gives_the_default_once_compiled() -> None:
    profiles = SeccompProfiles("x86_64")
    first = profiles.program((), DEFAULT, privileged=False)

    assert first is not None
    assert profiles.program(("seccomp=builtin",), DEFAULT, privileged=False) is first
    assert profiles.program((), 0, privileged=False) != first


def test_unconfined_and_privileged_give_no_filter() -> None:
    profiles = SeccompProfiles("x86_64")

    assert profiles.program(("seccomp=unconfined",), DEFAULT, privileged=False) is None
    assert profiles.program(("seccomp:unconfined",), DEFAULT, privileged=False) is None
    assert profiles.program((), ALL, privileged=True) is None


def test_the_option_is_found_among_others() -> None:
    assert seccomp_option(("no-new-privileges", "seccomp:/a", "label=x")) == "/a"
    assert seccomp_option(("no-new-privileges",)) == ""


def test_an_unknown_machine_is_told_to_run_unconfined() -> None:
    with pytest.raises(Unsupported) as caught:
        SeccompProfiles("s390x").program((), DEFAULT, privileged=False)
    assert "seccomp=unconfined" in caught.value.fix


# -- profiles from files ------------------------------------------------------------------------
def custom(tmp_path: Path, document: object, capabilities: int = DEFAULT) -> Filter:
    path = tmp_path / "profile.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    program = SeccompProfiles("x86_64").program(
        (f"seccomp={path}",), capabilities, privileged=False
    )
    assert program is not None
    return Filter(program)


def document(*syscalls: dict[str, Any], **rest: object) -> dict[str, object]:
    return {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": list(syscalls), **rest}


def test_a_custom_profile_is_obeyed(tmp_path: Path) -> None:
    program = custom(
        tmp_path,
        document(
            {"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW"},
            {"name": "chmod", "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
            {
                "names": ["socket"],
                "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}],
            },
            {"names": ["statx"], "action": "SCMP_ACT_KILL_PROCESS"},
            defaultErrnoRet=5,
            architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        ),
    )

    assert program.call("x86_64", "read") == RET_ALLOW
    assert program.call("i386", "read") == RET_ALLOW
    assert program.call("x86_64", "chmod") == RET_ERRNO | 13
    assert program.call("x86_64", "write") == RET_ERRNO | 5
    assert program.call("x86_64", "socket", 1) == RET_ALLOW
    assert program.call("x86_64", "socket", 2) == RET_ERRNO | 5
    assert program.call("x86_64", "statx") == RET_KILL_PROCESS
    assert program.call("x32", "read") == RET_KILL_PROCESS


def test_conditions_on_the_container_are_decided(tmp_path: Path) -> None:
    syscalls: list[tuple[str, dict[str, Any]]] = [
        ("read", {"includes": {"caps": ["CAP_SYS_ADMIN"]}}),
        ("write", {"excludes": {"caps": ["CAP_SYS_ADMIN"]}}),
        ("open", {"includes": {"arches": ["arm64"]}}),
        ("close", {"includes": {"arches": ["amd64"]}}),
        ("stat", {"includes": {"minKernel": "3.2"}}),
        ("statx", {"includes": {"minKernel": "99.0"}}),
        ("openat2", {}),
    ]
    program = custom(
        tmp_path,
        document(*[{"names": [n], "action": "SCMP_ACT_ALLOW", **more} for n, more in syscalls]),
    )

    allowed = {name for name, _ in syscalls if program.call("x86_64", name) == RET_ALLOW}
    assert allowed == {"write", "close", "stat", "openat2"}


def test_one_argument_compared_twice_is_either_or_as_in_runc(tmp_path: Path) -> None:
    arguments = [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (1, 2)]
    program = custom(
        tmp_path, document({"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": arguments})
    )

    assert [program.call("x86_64", "socket", family) for family in (1, 2, 3)] == [
        RET_ALLOW,
        RET_ALLOW,
        EPERM,
    ]


def test_a_masked_comparison_has_the_mask_first(tmp_path: Path) -> None:
    argument = {"index": 0, "value": 0xF0, "valueTwo": 0x20, "op": "SCMP_CMP_MASKED_EQ"}
    program = custom(
        tmp_path, document({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [argument]})
    )

    assert program.call("x86_64", "clone", 0x2F) == RET_ALLOW
    assert program.call("x86_64", "clone", 0x30) == EPERM


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"defaultAction": "SCMP_ACT_MAYBE"}',
        '{"defaultAction": "SCMP_ACT_NOTIFY"}',
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": 3}]}',
        json.dumps(document({"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]})),
        json.dumps(document({"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}]})),
        json.dumps(document({"names": ["read"], "action": "SCMP_ACT_ALLOW",
                             "includes": {"minKernel": "x"}})),
    ],
)  # fmt: skip
def test_a_broken_profile_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"profile\.json is not a seccomp profile"):
        custom(tmp_path, text)


def test_a_missing_profile_is_not_found() -> None:
    with pytest.raises(NotFound, match="/no/such/profile"):
        SeccompProfiles("x86_64").program(("seccomp=/no/such/profile",), 0, privileged=False)
