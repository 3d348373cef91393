"""`timeline` after a real `up`: a chain with healthchecks, and what it costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.compose import write_compose

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

CHAIN = """
name: line
services:
  db:
    image: host
    init: true
    command: [sh, -c, "sleep 0.5; touch /tmp/up; exec sleep 600"]
    healthcheck: {test: [CMD, test, -e, /tmp/up], interval: 100ms, retries: 50}
  web:
    image: host
    init: true
    command: [sleep, "600"]
    depends_on: {db: {condition: service_healthy}}
  log: {image: host, init: true, command: [sleep, "600"]}
"""


def bars(orchestra: Orchestra) -> dict[str, dict[str, dict[str, Any]]]:
    """Row -> bar name -> event."""
    events = json.loads(orchestra("timeline", "--format", "json").out)["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for event in events:
        if event["ph"] == "X":
            found.setdefault(names[event["tid"]], {})[event["name"]] = event
    return found


def test_a_chain_with_a_healthcheck(orchestra: Orchestra) -> None:
    write_compose(orchestra, CHAIN)
    orchestra("up", "-d")
    rows = bars(orchestra)
    db, web, log = (rows[f"Container line-{name}-1"] for name in ("db", "web", "log"))
    assert db["healthy"]["dur"] > 400_000
    assert db["healthy"]["args"]["critical"]
    assert web["wait"]["args"]["waits for"] == "Container line-db-1 (healthy)"
    assert web["start"]["ts"] >= db["healthy"]["ts"] + db["healthy"]["dur"]
    assert web["start"]["args"]["critical"]
    assert not any(event["args"]["critical"] for event in log.values())
    assert "network" in {event["cat"] for event in rows["Network line_default"].values()}

    text = orchestra("timeline").out
    assert "* Container line-web-1" in text
    assert "  Container line-log-1" in text
    assert "healthy Container line-db-1, until" in text
    assert orchestra("timeline", "--format", "svg").out.startswith("<svg ")


def test_the_last_up_counts_also_when_it_did_nothing_or_failed(orchestra: Orchestra) -> None:
    write_compose(orchestra, CHAIN)
    orchestra("up", "-d", "log")
    orchestra("up", "-d", "log")
    assert "there was nothing to do" in orchestra("timeline").out
    write_compose(
        orchestra,
        "name: line\nservices: {bad: {image: host, command: [nonsense]}}\n",
    )
    orchestra("up", "-d", code=1)
    assert "start Container line-bad-1, failed" in orchestra("timeline").out


def test_waiting_for_health_is_part_of_it(orchestra: Orchestra) -> None:
    write_compose(orchestra, CHAIN)
    orchestra("up", "--wait", "db")
    db = bars(orchestra)["Container line-db-1"]
    assert db["healthy"]["args"]["critical"]
    assert db["start"]["args"]["critical"]


def test_without_an_up_there_is_nothing_to_show(orchestra: Orchestra) -> None:
    write_compose(orchestra, CHAIN)
    done = orchestra("timeline", code=1)
    assert 'nothing is known of an `up` of "line"' in done.err
    orchestra("up", "-d", "log")
    orchestra("down", "-t", "0")
    assert "nothing is known" in orchestra("timeline", code=1).err
    assert "unsupported format" in orchestra("timeline", "--format", "png", code=1).err
