"""`down` of a project whose network and volume another one uses: they stay, and that is told."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

OWNER = """
name: owner
services: {web: {image: host, init: true, command: [sleep, "600"], volumes: ["data:/data"]}}
volumes: {data: {}}
"""
GUEST = """
name: guest
services:
  web:
    {image: host, init: true, command: [sleep, "600"], volumes: ["data:/data"], networks: [net]}
volumes: {data: {external: true, name: owner_data}}
networks: {net: {external: true, name: owner_default}}
"""


@pytest.fixture
def projects(orchestra: Orchestra) -> tuple[Orchestra, Orchestra]:
    """The owner and its guest, both running."""
    made = []
    for name, compose in (("owner", OWNER), ("guest", GUEST)):
        directory = os.path.join(orchestra.directory, name)
        os.mkdir(directory)
        with open(os.path.join(directory, "compose.yaml"), "w") as file:
            file.write(compose)
        made.append(orchestra.at(directory))
        made[-1]("up", "-d")
    return made[0], made[1]


def test_what_others_use_stays_with_a_warning(projects: tuple[Orchestra, Orchestra]) -> None:
    owner, guest = projects
    told = owner("down", "-v", "-t", "0").err
    assert "Network owner_default  Resource is still in use" in told
    assert "Volume owner_data  Resource is still in use" in told
    assert "Container owner-web-1  Removed" in told
    assert guest("exec", "-T", "web", "ls", "/data").out == ""
    guest("down", "-t", "0")
    again = owner("down", "-v").err
    assert "Network owner_default  Removed" in again
    assert "Volume owner_data  Removed" in again


def test_the_same_as_json(projects: tuple[Orchestra, Orchestra]) -> None:
    owner, _ = projects
    dry = owner("--dry-run", "--progress", "json", "down", "-t", "0").err
    records = [json.loads(line) for line in dry.splitlines()]
    assert all(record["dry-run"] is True for record in records)
    assert {"Container owner-web-1", "Network owner_default"} <= {r["id"] for r in records}
    told = owner("--progress", "json", "down", "-t", "0").err
    network = [r for r in map(json.loads, told.splitlines()) if r["id"] == "Network owner_default"]
    assert network[-1] == {
        "id": "Network owner_default", "status": "Warning", "text": "Resource is still in use",
    }  # fmt: skip
