"""Limits, devices and the seccomp filter of a compose file, as seen inside the container."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

HEAD = """
    name: limits
    services:
      a:
        image: host
        network_mode: none
        command: ["sleep", "1000"]
        stop_grace_period: 0s
"""


def up(orchestra: Orchestra, attributes: str = "") -> Orchestra:
    """Bring up service "a" with further *attributes*."""
    text = textwrap.dedent(HEAD) + textwrap.indent(textwrap.dedent(attributes), "    ")
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(text)
    orchestra("up", "-d")
    return orchestra


def sh(orchestra: Orchestra, script: str, code: int = 0) -> str:
    return orchestra("exec", "-T", "a", "sh", "-c", script, code=code).out.strip()


def test_memory_and_pids_are_limited(orchestra: Orchestra) -> None:
    up(orchestra, "mem_limit: 64m\npids_limit: 20\n")

    script = "cd /sys/fs/cgroup; cat {} 2>/dev/null || cat {}"
    memory = script.format("memory.max", "memory/memory.limit_in_bytes")
    assert sh(orchestra, memory) == str(64 << 20)
    assert sh(orchestra, script.format("pids.max", "pids/pids.max")) == "20"


def test_a_container_that_takes_too_much_memory_is_killed_and_reported(
    orchestra: Orchestra,
) -> None:
    up(orchestra, "mem_limit: 32m\nmemswap_limit: 32m\nrestart: 'no'\n")
    sh(orchestra, "head -c 200m /dev/zero | tail", code=137)

    assert sh(orchestra, "echo alive") == "alive"


def test_secrets_devices_and_calls_are_out_of_reach_also_for_exec(orchestra: Orchestra) -> None:
    up(orchestra)

    script = """
        cat /etc/shadow && echo shadow
        mknod /tmp/mem c 1 1 && head -c1 /tmp/mem && echo mem
        mount -t tmpfs none /mnt && echo mount
        unshare -r true && echo unshare
        echo 1 >/proc/sys/kernel/panic && echo sysctl
        echo 1 >/sys/fs/cgroup/cgroup.procs && echo cgroup
        find /root /home /srv /mnt /var/lib -mindepth 1 -not -path /var/lib/misc
        echo end
    """
    assert sh(orchestra, script) == "end"


def test_privileged_lifts_devices_and_the_filter(orchestra: Orchestra) -> None:
    up(orchestra, "privileged: true\n")

    assert sh(orchestra, "mount -t tmpfs none /mnt && echo mount") == "mount"
    assert sh(orchestra, "grep ^Seccomp: /proc/self/status").split() == ["Seccomp:", "0"]


@pytest.mark.parametrize("path", ["{}/profile.json"])
def test_a_profile_of_the_users_own_is_obeyed(orchestra: Orchestra, path: str) -> None:
    with open(os.path.join(orchestra.directory, "profile.json"), "w") as file:
        file.write(
            '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": '
            '[{"names": ["chmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO"}]}'
        )
    up(orchestra, f"security_opt: ['seccomp={path.format(orchestra.directory)}']\n")

    refused = sh(orchestra, "touch /tmp/x; chmod 600 /tmp/x 2>&1", code=1)
    assert refused.endswith("Operation not permitted")


def test_pause_freezes_and_unpause_goes_on(orchestra: Orchestra) -> None:
    up(orchestra)
    orchestra("pause", "a")
    assert "(Paused)" in orchestra("ps").out
    orchestra("unpause", "a")

    assert sh(orchestra, "echo alive") == "alive"
