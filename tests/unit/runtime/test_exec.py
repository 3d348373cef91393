"""What `exec` executes, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from orchestra.errors import NotFound
from orchestra.linux.procfs import start_ticks
from orchestra.runtime.child import sysctl_path
from orchestra.runtime.exec import ExecRequest, ExecTarget, execution_for, spawn_exec
from orchestra.runtime.failure import StepFailed
from orchestra.runtime.join_cgroups import CgroupsOf
from orchestra.runtime.options import has_no_new_privs, refusal

SPEC = {
    "id": "0123456789abcdef",
    "process": {"argv": ["serve"], "env": [["A", "1"], ["B", "2"]], "user": "app", "cwd": "/srv"},
    "security": {"cap_drop": ["ALL"], "options": ["no-new-privileges:true"]},
}


def test_the_containers_own_settings_are_the_defaults() -> None:
    execution = execution_for(SPEC, ExecRequest(("sh",)), None)
    assert execution.env == (("HOSTNAME", "0123456789ab"), ("A", "1"), ("B", "2"))
    assert (execution.user, execution.cwd, execution.capabilities) == ("app", "/srv", 0)
    assert execution.no_new_privs


def test_the_request_wins() -> None:
    request = ExecRequest(("sh",), env=(("B", "3"),), user="0", cwd="/", tty=True)
    execution = execution_for(SPEC, request, None)
    assert dict(execution.env)["B"] == "3"
    assert dict(execution.env)["TERM"] == "xterm"
    assert (execution.user, execution.cwd) == ("0", "/")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("no-new-privileges", True),
        ("no-new-privileges:true", True),
        ("no-new-privileges=true", True),
        ("no-new-privileges:false", False),
        ("seccomp=unconfined", False),
    ],
)
def test_no_new_privileges_is_read_in_all_its_spellings(option: str, expected: bool) -> None:
    assert has_no_new_privs((option,)) is expected


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("no-new-privileges", ""),
        ("seccomp={}", ""),
        ("apparmor:unconfined", ""),
        ("apparmor=mine", 'the AppArmor profile "mine"'),
        ("label:type:svirt_t", 'the SELinux label "type:svirt_t"'),
        ("label=disable", ""),
        ("no-new-privilege", "is no security option"),
    ],
)
def test_a_security_option_is_obeyed_or_refused(option: str, words: str) -> None:
    answer = refusal((option,), has_apparmor=True, has_selinux=True)
    assert words in answer if words else answer == ""


def test_a_label_means_nothing_where_there_are_none() -> None:
    options = ("label:type:svirt_t", "apparmor=mine")
    assert refusal(options, has_apparmor=False, has_selinux=False) == ""


def test_a_descriptor_that_the_container_could_reopen_is_refused() -> None:
    target = ExecTarget("web-1", os.getpid(), start_ticks(os.getpid()), CgroupsOf(os.getpid()))
    with open(__file__) as file:
        request = ExecRequest(("true",), stdin=file.fileno())
        with pytest.raises(ValueError, match="neither a pipe nor /dev/null"):
            spawn_exec(target, execution_for({}, request, None), request)


def test_another_process_under_the_same_pid_is_not_entered() -> None:
    target = ExecTarget("web-1", os.getpid(), 1, CgroupsOf(os.getpid()))
    request = ExecRequest(("true",))
    with pytest.raises(NotFound, match="web-1 is not running"):
        spawn_exec(target, execution_for({}, request, None), request)


def test_exec_imports_nothing_that_is_slow() -> None:
    program = (
        "import sys, orchestra.runtime.session, orchestra.runtime.join_cgroups\n"
        "slow = {'yaml', 'msgspec', 'dataclasses', 'asyncio', 'subprocess', 'http'}\n"
        "print(sorted(slow & sys.modules.keys()))"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    answer = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": path},
        capture_output=True,
        check=True,
        text=True,
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_a_sysctl_may_be_written_with_dots_or_slashes(name: str, path: str) -> None:
    assert sysctl_path(name) == path


def test_a_sysctl_stays_below_proc_sys() -> None:
    with pytest.raises(StepFailed):
        sysctl_path("net/../../sysrq-trigger")
