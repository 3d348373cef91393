"""What one project's containers share with those of another, and attributes without effect."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

OTHER = """
name: other
services:
  db:
    image: host
    init: true
    hostname: the-other
    command: [sleep, "600"]
    ipc: shareable
    networks: [shared]
networks:
  shared: {name: shared}
"""
COMPOSE = """
name: mine
services:
  web:
    image: host
    init: true
    command: [sleep, "600"]
%s
networks:
  default: {name: shared, external: true}
"""


def write(orchestra: Orchestra, name: str, text: str) -> None:
    with open(os.path.join(orchestra.directory, name), "w") as file:
        file.write(text)


@pytest.fixture
def other(orchestra: Orchestra) -> Orchestra:
    write(orchestra, "other.yaml", OTHER)
    orchestra("-f", "other.yaml", "up", "-d")
    return orchestra


def test_external_link_is_a_name_for_this_service_only(other: Orchestra) -> None:
    write(other, "compose.yaml", COMPOSE % "    external_links: ['other-db-1:Store', other-db-1]")
    other("up", "-d")
    address = other("exec", "-T", "web", "getent", "hosts", "other-db-1").out.split()[0]
    assert other("exec", "-T", "web", "getent", "hosts", "store").out.split()[0] == address
    unknown = other("-f", "other.yaml", "exec", "-T", "db", "getent", "hosts", "store", code=2)
    assert unknown.out == ""


def test_namespaces_of_a_container_of_another_project(other: Orchestra) -> None:
    modes = "".join(f"    {kind}: 'container:other-db-1'\n" for kind in ("pid", "ipc", "uts"))
    write(
        other,
        "compose.yaml",
        "name: mine\nservices:\n  web:\n    image: host\n    command: [sleep, '600']\n"
        "    stop_signal: SIGKILL\n    network_mode: container:other-db-1\n" + modes,
    )
    other("up", "-d")
    links = [f"/proc/self/ns/{kind}" for kind in ("net", "pid", "ipc", "uts")]
    mine = other("exec", "-T", "web", "readlink", *links).out
    assert mine == other("-f", "other.yaml", "exec", "-T", "db", "readlink", *links).out
    assert other("exec", "-T", "web", "hostname").out == "the-other\n"
    hosts = [other(*of, "cat", "/etc/hosts").out for of in (("exec", "-T", "web"),)]
    assert "the-other" in hosts[0]
    other("-f", "other.yaml", "stop", "-t", "0")
    other("stop", "-t", "0")
    done = other("start", code=1)
    assert "namespace of container other-db-1" in done.err
    assert "it is not running" in done.err


def test_container_that_is_nowhere_is_told(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "name: mine\nservices:\n  web: {image: host, command: 'true',"
        " network_mode: 'container:nobody'}\n",
    )
    done = orchestra("up", "-d", code=1)
    assert "container nobody: there is none of this name or id" in done.err


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("runtime: kata", 'service "web": unknown or invalid runtime name: kata'),
        ("isolation: hyperv", 'Invalid isolation: "hyperv": Linux only supports "default"'),
        ("storage_opt: {size: 1G}", "size=1G: the size of a container's writable layer cannot"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_made(
    orchestra: Orchestra, attribute: str, told: str
) -> None:
    services = f"services:\n  web:\n    image: host\n    command: ['true']\n    {attribute}\n"
    write(orchestra, "compose.yaml", f"name: mine\n{services}")
    done = orchestra("up", "-d", code=1)
    assert told in done.err
    assert "compose.yaml:6:" in done.err
    assert orchestra("ps", "-aq").out == ""


def test_what_has_no_effect_is_said_once_by_name(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        """
name: mine
services:
  web: &service
    image: host
    command: ["true"]
    cpu_count: 2
    cpu_percent: 50
    credential_spec: {file: x.json}
    use_api_socket: true
    models: [llm]
    runtime: runc
    isolation: default
  again: *service
models:
  llm: {model: ai/some}
""",
    )
    err = orchestra("up", "-d").err
    for attribute in ("cpu_count", "cpu_percent", "credential_spec", "models", "use_api_socket"):
        (line,) = (line for line in err.splitlines() if f"`{attribute}` has no effect" in line)
        assert line.endswith("(services: again, web)")
    assert "runtime" not in err


def test_api_socket_is_the_one_of_docker_host(orchestra: Orchestra) -> None:
    socket = os.path.join(orchestra.directory, "engine.sock")
    write(orchestra, "engine.sock", "not a socket, but found")
    services = "services:\n  web: {image: host, command: [cat, /var/run/docker.sock],"
    write(orchestra, "compose.yaml", f"name: mine\n{services} use_api_socket: true}}\n")
    done = orchestra("up", env={"DOCKER_HOST": f"unix://{socket}"})
    assert "not a socket, but found" in done.out
    assert "no effect" not in done.err
