"""Attributes whose effect is seen from outside a container: names, labels, namespaces, cgroups."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states, write_compose
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

ASLEEP = """
name: outside
x-asleep: &asleep
  image: host
  network_mode: none
  init: true
  command: ["sleep", "1000"]
  stop_grace_period: 0s
"""


def first_processes(orchestra: Orchestra) -> dict[str, str]:
    """The host's pid of each service's first process."""
    found = {}
    for state in states(orchestra).values():
        service = str(state["Service"])
        shown = orchestra("top", service).out
        found[service] = re.findall(r"^\S+ +\S+ +\S+ +(\d+)", shown, re.M)[0]
    return found


def test_namespaces_are_the_hosts_shared_or_the_containers_own(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        ASLEEP
        + """
services:
  own: {<<: *asleep, ipc: shareable, cgroup: private}
  host: {<<: *asleep, pid: host, ipc: host, uts: host, cgroup: host, userns_mode: host}
  joins: {<<: *asleep, pid: "service:own", ipc: "service:own"}
  named: {<<: *asleep, pid: "container:outside-own-1", ipc: "container:outside-own-1",
          depends_on: [own]}
""",
    )
    orchestra("up", "-d")
    pids = first_processes(orchestra)
    shown = orchestra("top", "host").out.splitlines()
    assert len(shown) == 2, shown  # the header, the command, and nothing of the host

    def of(service: str, kind: str) -> str:
        return os.readlink(f"/proc/{pids[service]}/ns/{kind}")

    for kind in ("pid", "ipc", "uts", "cgroup"):
        of_host = os.readlink(f"/proc/self/ns/{kind}")
        assert of("host", kind) == of_host, kind
        assert of("own", kind) != of_host, kind
    assert of("host", "user") == os.readlink("/proc/self/ns/user")
    for kind in ("pid", "ipc"):
        assert of("joins", kind) == of("named", kind) == of("own", kind)
    assert of("joins", "uts") != of("own", "uts")
    orchestra("exec", "-T", "own", "sh", "-c", "echo shared > /dev/shm/note")
    assert orchestra("exec", "-T", "joins", "cat", "/dev/shm/note").out == "shared\n"


@pytest.mark.parametrize(
    ("attribute", "word"),
    [
        ("pid", "private"),
        ("ipc", "shared"),
        ("uts", "other"),
        ("userns_mode", "y"),
    ],
)
def test_an_unknown_namespace_is_refused(orchestra: Orchestra, attribute: str, word: str) -> None:
    write_compose(orchestra, f"{ASLEEP}\nservices: {{a: {{<<: *asleep, {attribute}: {word}}}}}\n")
    assert attribute in orchestra("up", "-d", code=None).err
    assert states(orchestra) == {}


@pytest.mark.cgroup1
def test_the_cgroups_parent_is_the_users(orchestra: Orchestra) -> None:
    write_compose(
        orchestra, f"{ASLEEP}\nservices: {{a: {{<<: *asleep, cgroup_parent: /outside-parent}}}}\n"
    )
    orchestra("up", "-d")
    with open(f"/proc/{first_processes(orchestra)['a']}/cgroup") as file:
        assert re.search(r":memory:/outside-parent/[0-9a-f]{64}$", file.read(), re.M)
    orchestra("down")
    for controller in os.listdir("/sys/fs/cgroup"):
        parent = f"/sys/fs/cgroup/{controller}/outside-parent"
        if os.path.isdir(parent):
            eventually(partial(removed, parent), within_s=5)


def removed(directory: str) -> bool:
    try:
        os.rmdir(directory)
    except OSError:
        return False
    return True


def test_names_labels_and_ports_that_ps_tells(orchestra: Orchestra) -> None:
    with open(os.path.join(orchestra.directory, "labels"), "w") as file:
        file.write("of.file=1\nboth=file\n")
    write_compose(
        orchestra,
        ASLEEP
        + """
services:
  named: {<<: *asleep, container_name: my_own_name, label_file: labels,
          labels: {both: mine, "no.value": }, annotations: {note: kept}}
  many: {<<: *asleep, scale: 2, expose: ["8080", 90-91/udp]}
  deployed: {<<: *asleep, deploy: {replicas: 2, labels: {only: service}}}
  borrows: {<<: *asleep, volumes_from: ["named:ro"], extends: {service: base}, scale: 1}
  base: {<<: *asleep, working_dir: /srv, scale: 0}
""",
    )
    orchestra("up", "-d")
    found = states(orchestra)
    assert sorted(found) == [
        "my_own_name",
        "outside-borrows-1",
        "outside-deployed-1",
        "outside-deployed-2",
        "outside-many-1",
        "outside-many-2",
    ]
    labels = str(found["my_own_name"]["Labels"]).split(",")
    assert {"of.file=1", "both=mine", "no.value="} <= set(labels)
    assert "only=service" not in str(found["outside-deployed-1"]["Labels"])
    assert orchestra("exec", "-T", "borrows", "pwd").out == "/srv\n"


def test_a_relative_working_directory_is_refused(orchestra: Orchestra) -> None:
    write_compose(
        orchestra, f"{ASLEEP}\nservices: {{a: {{<<: *asleep, working_dir: made/here}}}}\n"
    )
    refused = orchestra("up", "-d", code=1)
    assert "made/here" in refused.err
    assert "absolute" in refused.err
    assert states(orchestra) == {}
