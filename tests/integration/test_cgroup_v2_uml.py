"""The cgroup tests again, on a kernel of its own with pure cgroup v2 and device programs."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests.support import uml
from tests.support.scenario import PROGRAM

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not uml.is_available(), reason="needs linux.uml (user-mode-linux)"),
]


def test_the_cgroup_tests_pass_on_cgroup_v2() -> None:
    options = ("-q", "-p", "no:cacheprovider", "--noconftest")
    files = ("tests/integration/test_cgroup.py", "tests/integration/test_cgroup_delegation.py")
    command = [sys.executable, "-m", "pytest", *options, *files]
    result = uml.run(command, python=sys.executable)

    assert result.returncode == 0, result.output + result.console
    passed = re.search(r"(\d+) passed", result.output)
    assert passed is not None
    assert int(passed[1]) > 10, result.output  # those for cpuset are skipped: no such controller


SCRIPT = f"""
set -e
export ORCHESTRA_DATA_ROOT=/run/data ORCHESTRA_RUN_ROOT=/run/orchestra
mkdir /run/project && cd /run/project
cat >compose.yaml <<'END'
name: v2
services:
  a:
    image: host
    network_mode: none
    command: [sleep, "1000"]
    mem_limit: 64m
    mem_swappiness: 10
    cpus: 0.5
    stop_grace_period: 0s
END
alias orchestra={os.path.abspath(PROGRAM)}
orchestra up -d 2>&1 | grep -c mem_swappiness
orchestra exec -T a sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max; cat /proc/self/cgroup'
orchestra exec -T a sh -c 'mknod /tmp/mem c 1 1; head -c1 /tmp/mem >/dev/null 2>&1 || echo refused'
orchestra pause a 2>/dev/null
cat /sys/fs/cgroup/orchestra/v2/*/cgroup.events
orchestra unpause a 2>/dev/null
orchestra down 2>/dev/null
for attempt in 1 2 3 4 5 6 7 8 9 10; do [ -d /sys/fs/cgroup/orchestra ] || break; sleep 0.3; done
ls /sys/fs/cgroup | grep -c orchestra || true
"""


def test_a_project_runs_on_cgroup_v2() -> None:
    result = uml.run(["sh", "-c", SCRIPT], python=sys.executable)

    assert result.output.splitlines() == [
        "1",
        str(64 << 20),
        "50000 100000",
        "0::/",
        "refused",
        "populated 1",
        "frozen 1",
        "0",
    ], result.output
    assert result.returncode == 0


LIMITS = {
    "cpus: 0.5": ("cpu.max", "50000 100000"),
    "cpu_shares: 512": ("cpu.weight", "59"),
    "cpu_quota: 25000, cpu_period: 50000": ("cpu.max", "25000 50000"),
    "mem_limit: 64m": ("memory.max", str(64 << 20)),
    "mem_reservation: 32m": ("memory.low", str(32 << 20)),
    "pids_limit: 77": ("pids.max", "77"),
    "pids_limit: -1": ("pids.max", "max"),
    'deploy: {resources: {limits: {cpus: "0.25", pids: 66}}}': ("cpu.max", "25000 100000"),
    "deploy: {resources: {limits: {memory: 48m}}}": ("memory.max", str(48 << 20)),
    "deploy: {resources: {reservations: {memory: 24m}}}": ("memory.low", str(24 << 20)),
}
"""What a service says, and what a file of its cgroup holds then."""

LIMITS_FILE = (
    "name: limits\nx-common: &common {image: host, network_mode: none}\nservices:\n"
    + "".join(
        f"  s{number}: {{<<: *common, command: [cat, /sys/fs/cgroup/{file}], {words}}}\n"
        for number, (words, (file, _)) in enumerate(LIMITS.items())
    )
)
LIMITS_SCRIPT = f"""
set -e
export ORCHESTRA_DATA_ROOT=/run/data ORCHESTRA_RUN_ROOT=/run/orchestra
mkdir /run/project && cd /run/project
cat >compose.yaml <<'END'
{LIMITS_FILE}END
alias orchestra={os.path.abspath(PROGRAM)}
orchestra up -d 2>/dev/null
orchestra wait {" ".join(f"s{number}" for number in range(len(LIMITS)))} >/dev/null
for service in {" ".join(f"s{number}" for number in range(len(LIMITS)))}
do orchestra logs --no-log-prefix $service; done
orchestra down 2>/dev/null
"""


def test_limits_of_services_on_cgroup_v2() -> None:
    result = uml.run(["sh", "-c", LIMITS_SCRIPT], python=sys.executable)
    told = dict(zip(LIMITS, result.output.splitlines(), strict=False))
    assert told == {words: value for words, (_, value) in LIMITS.items()}, result.output


ECHO = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", 7000))
while True:
    data, address = server.recvfrom(9999)
    server.sendto(data.upper(), address)
"""
ASK = """
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
for attempt in range(10):
    try:
        client.sendto(b"hello", ("127.0.0.1", 7001))
        print(client.recv(99).decode())
        break
    except OSError:
        pass
"""
NETWORK_SCRIPT = f"""
set -e
export ORCHESTRA_DATA_ROOT=/run/data ORCHESTRA_RUN_ROOT=/run/orchestra
mkdir /run/project && cd /run/project
cat >echo.py <<'END'{ECHO}END
cat >ask.py <<'END'{ASK}END
mkdir web && echo page >web/index.html
cat >compose.yaml <<'END'
name: bare
services:
  web:
    image: host
    working_dir: /web
    volumes: ["./web:/web:ro"]
    command: [python3, -m, http.server, "80"]
    ports: ["8080:80"]
    environment: &guest [GLIBC_TUNABLES, OPENSSL_ia32cap]  # as `uml` sets them, where it must
    stop_grace_period: 0s
  echo:
    image: host
    volumes: ["./echo.py:/echo.py:ro"]
    command: [python3, /echo.py]
    ports: ["7001:7000/udp"]
    environment: *guest
    stop_grace_period: 0s
END
alias orchestra={os.path.abspath(PROGRAM)}
if nft add table ip probe 2>/dev/null; then echo has nf_tables; exit 1; fi
orchestra up -d 2>&1 | grep -c 'no nf_tables rules for IPv4'
fetch() {{ curl -s --retry 10 --retry-all-errors --retry-delay 1 -m 5 "$1"; }}
fetch http://127.0.0.1:8080/
python3 ask.py
orchestra exec -T echo curl -s -m 5 http://web/
kill -KILL $(sed -n '1s/ .*//p' /run/orchestra/projects/bare/supervisor.pid)
fetch http://127.0.0.1:8080/
cat /proc/sys/net/ipv4/conf/or-*/route_localnet
orchestra down 2>/dev/null
ls /sys/class/net
"""


def test_a_kernel_without_ip_rules_has_ports_in_user_space_and_names() -> None:
    """That of user-mode Linux has nf_tables, but of all its families only the bridge's."""
    result = uml.run(["sh", "-c", NETWORK_SCRIPT], python=sys.executable)

    assert result.output.splitlines() == [
        "1",
        "page",
        "HELLO",
        "page",
        "page",
        "0",
        "lo",
    ], result.output
    assert result.returncode == 0
