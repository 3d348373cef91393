"""`stats`: what containers use, compared with what they are made to use."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness.terminal import Terminal
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: demo
services:
  busy: {image: host, init: true, command: [sh, -c, "while :; do :; done"], cpus: 0.3}
  big:
    image: host
    init: true
    mem_limit: 256m
    command:
      - python3
      - -c
      - import time; x = bytearray(80 << 20); print("full", flush=True); time.sleep(600)
  bare: {image: host, init: true, network_mode: host, command: [sleep, "600"]}
  ended: {image: host, command: ["true"]}
"""
KEYS = {
    "BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs",
}  # fmt: skip
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1000, "MB": 10**6}


@pytest.fixture
def running(orchestra: Orchestra) -> Orchestra:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    orchestra("up", "-d")
    return orchestra


def records(running: Orchestra, *words: str) -> dict[str, dict[str, str]]:
    told = running("stats", "--no-stream", "--format", "json", *words).out
    found = [json.loads(line) for line in told.splitlines()]
    return {record["Name"]: record for record in found}


def amount(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)([a-zA-Z]+)", text)
    assert match, text
    return float(match[1]) * UNITS[match[2]]


def test_figures_are_those_of_what_runs(running: Orchestra) -> None:
    eventually(lambda: "full" in running("logs", "big").out, within_s=20)
    found = records(running)
    assert set(found) == {"demo-busy-1", "demo-big-1", "demo-bare-1"}
    assert all(set(record) == KEYS for record in found.values())
    busy = float(found["demo-busy-1"]["CPUPerc"].rstrip("%"))
    assert 5 < busy < 60
    used, limit = map(amount, found["demo-big-1"]["MemUsage"].split(" / "))
    assert 80 << 20 <= used < 200 << 20
    assert limit == 256 << 20
    share = float(found["demo-big-1"]["MemPerc"].rstrip("%"))
    assert abs(share - 100 * used / limit) < 0.2
    assert int(found["demo-big-1"]["PIDs"]) == 2
    assert found["demo-bare-1"]["NetIO"] == "0B / 0B"
    with open("/proc/meminfo") as file:
        total = int(file.readline().split()[1]) << 10
    assert abs(amount(found["demo-bare-1"]["MemUsage"].split(" / ")[1]) - total) < total / 1000


def test_traffic_is_counted(running: Orchestra) -> None:
    send = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); "
    send += "[s.sendto(bytes(1000), ('192.0.2.1', 9)) for _ in range(100)]"
    before = amount(records(running, "big")["demo-big-1"]["NetIO"].split(" / ")[1])
    running("exec", "-T", "big", "python3", "-c", send)
    after = amount(records(running, "big")["demo-big-1"]["NetIO"].split(" / ")[1])
    assert 100_000 < after - before < 200_000


def test_stopped_containers_only_when_asked_for(running: Orchestra) -> None:
    running("wait", "ended")
    everything = records(running, "-a")
    assert everything["demo-ended-1"]["MemUsage"] == "0B / 0B"
    assert everything["demo-ended-1"]["PIDs"] == "0"
    assert set(records(running, "bare")) == {"demo-bare-1"}
    assert records(running, "ended") == {}
    assert "no such service" in running("stats", "--no-stream", "nosuch", code=1).err.lower()


def test_forms(running: Orchestra) -> None:
    table = running("stats", "--no-stream", "bare").out.splitlines()
    assert table[0].split("  ")[0] == "CONTAINER ID"
    assert re.match(r"[0-9a-f]{12} +demo-bare-1 +\d+\.\d\d% +[\d.]+[KM]iB / ", table[1])
    full = running("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}", "bare").out
    assert re.fullmatch(r"[0-9a-f]{64}\n", full)


def test_a_terminal_is_drawn_over_until_the_last_container_ends(running: Orchestra) -> None:
    terminal = Terminal(
        (PROGRAM, "stats", "bare"), cwd=running.directory, env=running.env, size=(24, 140)
    )
    terminal.expect("\x1b[H")
    terminal.expect("demo-bare-1")
    running("stop", "-t", "0", "bare")
    assert terminal.wait() == 0


def test_ctrl_c_ends_it(running: Orchestra) -> None:
    terminal = Terminal((PROGRAM, "stats"), cwd=running.directory, env=running.env)
    terminal.expect("demo-busy-1")
    os.kill(terminal.pid, signal.SIGINT)
    assert terminal.wait() == 130
