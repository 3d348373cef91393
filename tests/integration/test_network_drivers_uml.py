"""ipvlan, VLANs and links that lead nowhere, on a kernel of its own that has them."""

from __future__ import annotations

import os
import sys

import pytest

from tests.support import uml
from tests.support.scenario import PROGRAM

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not uml.is_available(), reason="needs linux.uml (user-mode-linux)"),
]

SCRIPT = f"""
set -e
export ORCHESTRA_DATA_ROOT=/run/data ORCHESTRA_RUN_ROOT=/run/orchestra
alias orchestra={os.path.abspath(PROGRAM)}
ip netns add router
ip link add uplink0 type veth peer name wire netns router
ip link set uplink0 up
ip -n router link set wire up
ip -n router addr add 192.168.77.1/24 dev wire
ip link add uplink1 type veth peer name wire1 netns router
ip link set uplink1 up
ip -n router link set wire1 up
ip -n router addr add 10.67.0.1/24 dev wire1
ip addr add 10.67.0.2/24 dev uplink1
ip -n router route add 10.66.0.0/24 via 10.67.0.2
ip -n router link add link wire1 name wire1.10 type vlan id 10
ip -n router addr add 192.168.78.1/24 dev wire1.10
ip -n router link set wire1.10 up
mkdir /run/project && cd /run/project
cat >compose.yaml <<'END'
name: v
x-asleep: &asleep
  image: host
  command: [sleep, "1000"]
  stop_grace_period: 0s
services:
  second:
    <<: *asleep
    networks: [l2]
  third:
    <<: *asleep
    networks: [l3]
  tagged:
    <<: *asleep
    networks: [vlan]
  alone:
    <<: *asleep
    networks: [nowhere]
  alone2:
    <<: *asleep
    networks: [nowhere]
networks:
  l2:
    driver: ipvlan
    driver_opts: {{parent: uplink0}}
    ipam: {{config: [{{subnet: 192.168.77.0/24, gateway: 192.168.77.1}}]}}
  l3:
    driver: ipvlan
    driver_opts: {{parent: uplink1, ipvlan_mode: l3}}
    ipam: {{config: [{{subnet: 10.66.0.0/24}}]}}
  vlan:
    driver: macvlan
    driver_opts: {{parent: uplink1.10}}
    ipam: {{config: [{{subnet: 192.168.78.0/24, gateway: 192.168.78.1}}]}}
  nowhere:
    driver: macvlan
END
orchestra up -d
inside() {{ service=$1; shift; orchestra exec -T $service "$@"; }}
echo l2 $(inside second ip -d link show eth0 | grep -o 'ipvlan  *mode l[23]')
echo l2 $(inside second grep -P '^eth0\\t00000000' /proc/net/route | cut -f3,4)
inside second ping -c1 -W5 192.168.77.1 >/dev/null && echo l2 answers
echo l3 $(inside third ip -d link show eth0 | grep -o 'ipvlan  *mode l[23]')
echo l3 $(inside third grep -P '^eth0\\t00000000' /proc/net/route | cut -f3,4)
inside third ping -c1 -W5 10.67.0.1 >/dev/null && echo l3 answers
inside tagged ping -c1 -W5 192.168.78.1 >/dev/null && echo vlan answers
inside alone ping -c1 -W5 alone2 >/dev/null && echo neighbour answers
orchestra restart second third 2>/dev/null
inside second ping -c1 -W5 192.168.77.1 >/dev/null && echo l2 answers again
ip -br link | grep -c '^uplink1.10@\\|^od-'
orchestra down 2>/dev/null
ip -br link | grep -c '^uplink1.10@\\|^od-' || true
"""


def test_ipvlan_vlans_and_networks_without_a_parent() -> None:
    result = uml.run(["sh", "-c", SCRIPT], python=sys.executable)
    assert result.returncode == 0, result.output + result.console
    # in /proc/net/route: by the gateway 192.168.77.1; on the link itself
    told = [line for line in result.output.splitlines() if not line.startswith(" ")]
    assert told == [
        "l2 ipvlan mode l2",
        "l2 014DA8C0 0003",
        "l2 answers",
        "l3 ipvlan mode l3",
        "l3 00000000 0001",
        "l3 answers",
        "vlan answers",
        "neighbour answers",
        "l2 answers again",
        "2",
        "0",
    ], result.output
