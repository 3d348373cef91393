"""Devices by name: CDI specifications of made-up devices, and what they add to a container."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

DIRECTORY = "/var/run/cdi"  # on the private /run of the tests
COMPOSE = """
name: cdi
services:
  web:
    image: host
    stop_signal: SIGKILL
    command: [sleep, "600"]
    environment: {KIND: service}
"""


@pytest.fixture
def specs(leaves_the_host_as_found: None) -> Iterator[str]:
    """The directory of CDI specifications."""
    del leaves_the_host_as_found
    os.makedirs(DIRECTORY)
    yield DIRECTORY
    for name in os.listdir(DIRECTORY):
        os.unlink(os.path.join(DIRECTORY, name))
    os.rmdir(DIRECTORY)


def describe(specs: str, *, kind: str = "vendor.com/toy", **edits: Any) -> None:
    """One made-up device "one", besides what the file adds for all."""
    document = {
        "cdiVersion": "0.6.0",
        "kind": kind,
        "containerEdits": {"env": ["KIND=toy"]},
        "devices": [{"name": "one", "containerEdits": edits}],
    }
    with open(os.path.join(specs, "toy.json"), "w") as file:
        json.dump(document, file)


def write(orchestra: Orchestra, more: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE + more)


def test_named_device_adds_environment_node_and_mount(orchestra: Orchestra, specs: str) -> None:
    with open(os.path.join(specs, "library.txt"), "w") as file:
        file.write("of the vendor\n")
    node = {"path": "/dev/toy0", "hostPath": "/dev/zero", "fileMode": 0o600, "uid": 7, "gid": 8}
    mount = {
        "hostPath": f"{specs}/library.txt",
        "containerPath": "/opt/toy/library.txt",
        "options": ["ro", "nosuid", "nodev", "bind"],
    }
    describe(specs, env=["TOY=1"], deviceNodes=[node], mounts=[mount], additionalGids=[4321])
    write(orchestra, "    devices: [vendor.com/toy=one]\n")
    orchestra("up", "-d")

    def inside(*command: str) -> str:
        return orchestra("exec", "-T", "web", *command).out

    env = inside("cat", "/proc/1/environ").split("\0")
    assert {"KIND=toy", "TOY=1"} <= set(env)
    assert "KIND=service" not in env
    assert inside("stat", "-c", "%t:%T %a %u:%g", "/dev/toy0") == "1:5 600 7:8\n"
    assert inside("sh", "-c", "head -c 3 /dev/toy0 | od -An -tx1") == " 00 00 00\n"
    assert inside("cat", "/opt/toy/library.txt") == "of the vendor\n"
    assert "ro" in inside("grep", "/opt/toy/library.txt", "/proc/1/mountinfo").split()[5].split(",")
    assert "4321" in inside("grep", "Groups", "/proc/1/status").split()


def test_gpus_are_devices_of_nvidia_by_convention(orchestra: Orchestra, specs: str) -> None:
    with open(os.path.join(specs, "nvidia.yaml"), "w") as file:
        file.write("""
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- {name: "0", containerEdits: {env: [GPU_0=yes]}}
- {name: "1", containerEdits: {env: [GPU_1=yes]}}
- {name: GPU-abc, containerEdits: {env: [GPU_ABC=yes]}}
- {name: all, containerEdits: {env: [GPU_ALL=yes]}}
""")
    reserve = "    deploy: {resources: {reservations: {devices: [%s]}}}\n"
    for more, expected in (
        ("    gpus: all\n", {"GPU_ALL"}),
        ("    gpus: [{count: 2}]\n", {"GPU_0", "GPU_1"}),
        (reserve % "{driver: nvidia, count: 1, capabilities: [gpu]}", {"GPU_0"}),
        (reserve % '{device_ids: ["1", GPU-abc], capabilities: [gpu]}', {"GPU_1", "GPU_ABC"}),
        (reserve % "{capabilities: [gpu]}", {"GPU_ALL"}),
        (reserve % '{driver: cdi, device_ids: ["nvidia.com/gpu=1"], capabilities: []}', {"GPU_1"}),
    ):
        write(orchestra, more)
        orchestra("up", "-d")
        env = orchestra("exec", "-T", "web", "cat", "/proc/1/environ").out.split("\0")
        assert {each.partition("=")[0] for each in env if each.startswith("GPU")} == expected, more


def test_device_that_is_not_there_is_told_before_anything_is_made(
    orchestra: Orchestra, specs: str
) -> None:
    describe(specs)
    with open(os.path.join(specs, "broken.json"), "w") as file:
        file.write("{")
    write(orchestra, "    gpus: all\n")
    done = orchestra("up", "-d", code=1)
    assert 'service "web": this machine has no device nvidia.com/gpu=all' in done.err
    assert "there is: vendor.com/toy=one; looked at /etc/cdi" in done.err
    assert "/var/run/cdi/broken.json is not used:" in done.err
    assert orchestra("ps", "-aq").out == ""


def test_hook_at_the_container_s_creation_sees_its_root(orchestra: Orchestra, specs: str) -> None:
    script = os.path.join(specs, "hook")
    with open(script, "w") as file:
        file.write(
            "#!/usr/bin/python3\n"
            "import json, os, sys\n"
            "bundle = json.load(sys.stdin)['bundle']\n"
            "root = json.load(open(bundle + '/config.json'))['root']['path']\n"
            "print('x' * 1_000_000)\n"
            "open(root + '/made-by-hook', 'w').write(' '.join(sys.argv[1:]) + os.environ['WHO'])\n"
        )
    os.chmod(script, stat.S_IRWXU)
    hook = {
        "hookName": "createContainer",
        "path": script,
        "args": ["hook", "a", "b"],
        "env": ["WHO=me"],
    }
    describe(specs, hooks=[hook])
    write(orchestra, "    devices: [vendor.com/toy=one]\n")
    orchestra("up", "-d")
    assert orchestra("exec", "-T", "web", "cat", "/made-by-hook").out == "a bme"


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({"hooks": [{"hookName": "poststop", "path": "/bin/true"}]}, "a hook at poststop cannot"),
        ({"intelRdt": {"closID": "x"}}, "containerEdits.intelRdt cannot be obeyed"),
        ({"mounts": [{"hostPath": "/x"}]}, "an entry without containerPath"),
        ({"mounts": 5}, "mounts is no list: 5"),
        ({"additionalGids": 5}, "additionalGids is no list: 5"),
        (
            {"hooks": [{"hookName": "createContainer", "path": "/bin/false"}]},
            "cannot run the hook /bin/false: it ended with status 1",
        ),
    ],
)
def test_what_cannot_be_obeyed_is_refused(
    orchestra: Orchestra, specs: str, edits: dict[str, Any], told: str
) -> None:
    describe(specs, **edits)
    write(orchestra, "    devices: [vendor.com/toy=one]\n")
    assert told in orchestra("up", "-d", code=1).err
