"""In which order services start and stop, and what a failure on the way does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states, write_compose

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

HEADER = """
name: order
x-common: &common
  image: host
  network_mode: none
  stop_grace_period: 0s
x-asleep: &asleep
  <<: *common
  command: [sleep, "1000"]
"""


def times(orchestra: Orchestra, action: str) -> dict[str, float]:
    """When each service had its first event *action*, in seconds since the epoch."""
    lines = orchestra("events", "--json", "--since", "1h", "--until", "0s").out.splitlines()
    found: dict[str, float] = {}
    for event in map(json.loads, lines):
        if event["action"] == action:
            whole, _, fraction = str(event["time"]).partition(".")
            found.setdefault(event["service"], _seconds(whole, fraction))
    return found


def _seconds(whole: str, fraction: str) -> float:
    from datetime import datetime

    text = whole + "." + re.sub(r"\D.*", "", fraction)[:6].ljust(6, "0")
    return datetime.fromisoformat(text).timestamp()


def test_conditions_of_dependencies(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        HEADER
        + """
services:
  started: {<<: *asleep, depends_on: [done, healthy]}
  done: {<<: *common, command: [sh, -c, "sleep 0.3"]}
  healthy:
    <<: *common
    command: [sh, -c, "sleep 0.4; touch /tmp/ready; exec sleep 1000"]
    healthcheck: {test: [CMD, test, -e, /tmp/ready], interval: 50ms, retries: 100}
  last:
    <<: *asleep
    depends_on:
      started: {condition: service_started}
      done: {condition: service_completed_successfully}
      healthy: {condition: service_healthy}
""",
    )
    orchestra("up", "-d")
    began = times(orchestra, "start")
    assert set(began) == {"started", "done", "healthy", "last"}
    assert began["started"] >= max(began["done"], began["healthy"])
    ended = times(orchestra, "die")["done"]
    assert began["last"] >= max(began["started"], ended, began["healthy"] + 0.4)


def test_independent_services_start_at_the_same_time(orchestra: Orchestra) -> None:
    slow = "{<<: *asleep, post_start: [{command: [sleep, '0.5']}]}"
    names = [f"s{number}" for number in range(6)]
    write_compose(
        orchestra, HEADER + "services:\n" + "".join(f"  {name}: {slow}\n" for name in names)
    )
    orchestra("up", "-d")
    began = sorted(times(orchestra, "start").values())
    assert len(began) == 6
    assert began[-1] - began[0] < 2.5  # one after another would take three


def test_a_failed_dependency_stops_what_needs_it_and_is_told(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        HEADER
        + """
services:
  fails: {<<: *common, command: [sh, -c, "exit 7"]}
  needs: {<<: *asleep, depends_on: {fails: {condition: service_completed_successfully}}}
  further: {<<: *asleep, depends_on: [needs]}
  sick: {<<: *asleep, healthcheck: {test: [CMD, "false"], interval: 50ms, retries: 2}}
  waits: {<<: *asleep, depends_on: {sick: {condition: service_healthy}}}
  alone: {<<: *asleep}
""",
    )
    failed = orchestra("up", "-d", code=1)
    assert "order-fails-1 did not complete successfully: exit status 7" in failed.err
    assert "order-sick-1 is unhealthy" in failed.err
    assert "Container order-further-1  Skipped" in failed.err
    found = {name: state["State"] for name, state in states(orchestra).items()}
    assert found["order-alone-1"] == "running"
    assert {found[f"order-{name}-1"] for name in ("needs", "further", "waits")} == {"created"}
    orchestra("up", "-d", "waits", code=1)


def test_a_dependency_that_is_not_required_may_fail(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        HEADER
        + """
services:
  fails: {<<: *common, command: [sh, -c, "exit 7"]}
  sick: {<<: *asleep, healthcheck: {test: [CMD, "false"], interval: 50ms, retries: 2}}
  absent: {<<: *asleep, profiles: [never]}
  goes-on:
    <<: *asleep
    depends_on:
      fails: {condition: service_completed_successfully, required: false}
      sick: {condition: service_healthy, required: false}
      absent: {condition: service_started, required: false}
""",
    )
    orchestra("up", "-d")
    assert states(orchestra)["order-goes-on-1"]["State"] == "running"


def test_a_dependent_that_asks_for_it_restarts_with_its_dependency(orchestra: Orchestra) -> None:
    text = (
        HEADER
        + """
services:
  db: {{<<: *asleep, environment: {{A: "{value}"}}}}
  follows: {{<<: *asleep, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
  stays: {{<<: *asleep, depends_on: [db]}}
"""
    )

    def pids() -> dict[str, str]:
        shown = orchestra("top").out
        return dict(re.findall(r"^(\S+) +1 +\S+ +(\d+)", shown, re.M))

    write_compose(orchestra, text.format(value=1))
    orchestra("up", "-d")
    before = pids()
    orchestra("restart", "db")
    after = pids()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"db", "follows"}
    orchestra("restart", "--no-deps", "db")
    assert {name for name, pid in pids().items() if pid != after[name]} == {"db"}
    before = pids()
    write_compose(orchestra, text.format(value=2))
    orchestra("up", "-d")
    assert {name for name, pid in pids().items() if pid != before[name]} == {"db", "follows"}


def test_stop_signals_in_the_reverse_order(orchestra: Orchestra) -> None:
    trap = """'trap "sleep 0.2; exit 5" USR1; touch /tmp/x; while :; do sleep 0.05; done'"""
    write_compose(
        orchestra,
        HEADER.replace("0s", "10s")
        + f"""
x-traps: &traps
  <<: *common
  command: [sh, -c, {trap}]
  stop_signal: SIGUSR1
  healthcheck: {{test: [CMD, test, -e, /tmp/x], interval: 50ms, retries: 100}}
services:
  a: *traps
  b: {{<<: *traps, depends_on: [a]}}
  c: {{<<: *traps, depends_on: [b]}}
""",
    )
    orchestra("up", "-d", "--wait")
    orchestra("stop")
    assert {state["ExitCode"] for state in states(orchestra).values()} == {5}
    ended = times(orchestra, "die")
    assert ended["c"] < ended["b"] < ended["a"]
