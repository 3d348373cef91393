"""Images from archives, run: their settings, their volumes, and what fifty containers cost."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import (
    busybox_layer,
    docker_archive,
    files_layer,
    programs_layer,
)
from tests.support.compose import states, write_compose
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]


def load(orchestra: Orchestra, archive: bytes) -> None:
    path = os.path.join(orchestra.directory, "image.tar")
    with open(path, "wb") as file:
        file.write(archive)
    orchestra("image", "load", "-i", path)
    os.unlink(path)


@pytest.fixture
def tools(orchestra: Orchestra) -> Orchestra:
    """The command, with an image `tools:1` of two layers and settings of every kind."""
    passwd = b"root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/data:/bin/sh\n"
    upper = files_layer({"etc/passwd": passwd, "etc/group": b"app:x:1000:\n"})
    data = files_layer({"data/": b"", "data/seed": b"from the image\n"}, owner=1000)
    settings = {
        "Env": ["PATH=/bin", "GREETING=hello"],
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["echo $GREETING; id -u; pwd; exec sleep 1000"],
        "User": "app",
        "WorkingDir": "/data",
        "Volumes": {"/data": {}},
        "ExposedPorts": {"8080/tcp": {}},
        "Labels": {"org.example.kind": "test"},
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["CMD", "test", "-f", "/data/seed"], "Interval": 1_000_000_000},
    }
    load(orchestra, docker_archive("tools:1", [busybox_layer(), upper, data], settings))
    return orchestra


def test_a_container_has_the_settings_of_its_image(tools: Orchestra) -> None:
    write_compose(tools, "services: {app: {image: 'tools:1'}}")

    tools("up", "-d", "--wait")

    assert tools("logs", "--no-log-prefix", "app").out.split() == ["hello", "1000", "/data"]
    (state,) = states(tools).values()
    assert state["Health"] == "healthy"
    assert "org.example.kind=test" in str(state["Labels"])
    assert tools("exec", "-T", "app", "cat", "/data/seed").out == "from the image\n"
    (line,) = json.loads(tools("images", "--format", "json").out)
    assert (line["Repository"], line["Tag"]) == ("tools", "1")
    assert line["Size"] > 1_000_000
    tools("down", "-v", "-t", "0")


def test_a_volume_is_filled_from_the_image_and_keeps_what_is_written(tools: Orchestra) -> None:
    write_compose(
        tools,
        "services: {app: {image: 'tools:1', volumes: ['kept:/data']}}\nvolumes: {kept: {}}",
    )
    tools("up", "-d")
    tools("exec", "-T", "app", "sh", "-c", "cp seed copy")
    tools("down", "-t", "0")

    tools("up", "-d")

    listed = tools("exec", "-T", "app", "ls", "-ln", "/data").out.split("\n")
    assert [line.split()[2] + line.split()[-1] for line in listed[1:3]] == ["1000copy", "1000seed"]


def test_what_a_container_writes_is_its_own(tools: Orchestra) -> None:
    write_compose(
        tools,
        "services:\n"
        "  one: {image: 'tools:1', user: root, command: ['rm /etc/group; sleep 1000']}\n"
        "  two: {image: 'tools:1'}\n",
    )
    tools("up", "-d")

    def removed() -> bool:
        return tools("exec", "-T", "one", "test", "-e", "/etc/group", code=None).code == 1

    eventually(removed, within_s=5)
    assert tools("exec", "-T", "two", "cat", "/etc/group").out == "app:x:1000:\n"


def disk_usage(directory: str) -> int:
    """Bytes on disk below *directory*, which holds no mounts."""
    return sum(
        os.lstat(os.path.join(root, name)).st_blocks * 512
        for root, directories, files in os.walk(directory)
        for name in (*directories, *files)
    )


@pytest.mark.slow
def test_fifty_containers_cost_their_image_once(orchestra: Orchestra) -> None:
    ballast = os.urandom(8_000_000)
    layer = files_layer({"ballast": ballast})
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"]}
    load(orchestra, docker_archive("heavy", [busybox_layer(), layer], settings))
    before = disk_usage(orchestra.env["ORCHESTRA_DATA_ROOT"])
    write_compose(orchestra, "services: {app: {image: heavy, scale: 50, network_mode: none}}")

    orchestra("up", "-d", timeout_s=120)

    assert len(states(orchestra)) == 50
    assert disk_usage(orchestra.env["ORCHESTRA_DATA_ROOT"]) - before < len(ballast)
    orchestra("down", "-t", "0")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_a_real_server_from_debian(orchestra: Orchestra) -> None:
    settings = {
        "Env": ["PATH=/usr/bin:/bin"],
        "Cmd": ["redis-server", "--save", "", "--bind", "0.0.0.0", "--protected-mode", "no"],
        "ExposedPorts": {"6379/tcp": {}},
        "Volumes": {"/data": {}},
        "WorkingDir": "/data",
    }
    layers = [programs_layer(["redis-server", "redis-cli", "dash"]), files_layer({"data/": b""})]
    load(orchestra, docker_archive("redis:7", layers, settings))
    write_compose(
        orchestra,
        "services:\n"
        "  cache: {image: 'redis:7'}\n"
        "  client:\n"
        "    image: redis:7\n"
        "    command: [redis-cli, -h, cache, set, greeting, hello]\n"
        "    depends_on: [cache]\n",
    )

    orchestra("up", "-d")

    def answered() -> bool:
        got = orchestra("exec", "-T", "cache", "redis-cli", "get", "greeting", code=None)
        return got.out == "hello\n"

    eventually(answered, within_s=20)


def test_images_that_are_not_here_are_named_with_what_to_do(orchestra: Orchestra) -> None:
    write_compose(orchestra, "services: {app: {image: 'nowhere:1', pull_policy: never}}")

    failed = orchestra("up", "-d", code=None)

    assert failed.code != 0
    assert 'image "nowhere:1" is not on this machine' in failed.err
    assert json.loads(orchestra("ps", "-a", "--format", "json").out or "[]") == []


def test_down_removes_the_images_that_nobody_else_uses(tools: Orchestra) -> None:
    write_compose(tools, "services: {app: {image: 'tools:1'}}\n")
    tools("-p", "other", "up", "-d")
    tools("up", "-d")
    assert " Image tools:1  Removed\n" in tools("--dry-run", "down", "--rmi", "all").err
    assert "Image" not in tools("down", "--rmi", "local").err
    tools("up", "-d")
    assert " Image tools:1  Resource is still in use\n" in tools("down", "--rmi", "all").err
    done = tools("-p", "other", "down", "--rmi", "all")
    assert " Image tools:1  Removing\n Image tools:1  Removed\n" in done.err
    assert tools("image", "ls", "-q").out == ""
    again = tools("down", "--rmi", "all").err
    assert " Image tools:1  No resource found to remove\n" in again


def test_completion_knows_images_and_containers(tools: Orchestra) -> None:
    assert tools("__complete", "image", "rm", "t").out == "tools:1\n"
    write_compose(tools, "services: {app: {image: 'tools:1', container_name: one}}\n")
    tools("up", "-d")
    assert tools("__complete", "container", "commit", "").out == "one\n"


def test_an_image_can_be_mounted(tools: Orchestra) -> None:
    """`type: image` mounts: the files of an image, without its being run."""
    lower = files_layer({"a/": b"", "a/one": b"1\n"})
    upper = files_layer({"a/two": b"2\n", "top": b"top\n"})
    load(tools, docker_archive("files:1", [lower, upper]))
    write_compose(
        tools,
        """
        name: mounting
        services:
          app:
            image: tools:1
            user: root
            stop_grace_period: 0s
            volumes:
              - {type: image, source: "files:1", target: /files}
              - {type: image, source: "files:1", target: /fixed, read_only: true}
              - {type: image, source: "files:1", target: /part, image: {subpath: a}}
              - {type: image, source: "files:1", target: /etc/one, image: {subpath: a/one}}
        """,
    )
    tools("up", "-d")

    def inside(command: str) -> str:
        return tools("exec", "-T", "app", "sh", "-c", command).out

    assert inside("cat /files/a/one /files/a/two /files/top") == "1\n2\ntop\n"
    assert inside("ls /part; cat /etc/one") == "one\ntwo\n1\n"
    assert inside("echo > /fixed/new 2>/dev/null || echo no") == "no\n"
    assert inside("echo mine > /files/a/one; rm /files/top; cat /part/one") == "1\n"
    tools("restart", "-t", "0")
    assert inside("cat /files/a/one; ls /files") == "mine\na\n"
    image = tools("image", "ls", "-q", "files").out.strip()
    assert "is being used by running container" in tools("image", "rm", "-f", image, code=1).err
    tools("stop", "-t", "0")
    tools("cp", "app:/part/two", "two")
    with open(os.path.join(tools.directory, "two")) as file:
        assert file.read() == "2\n"
    load(tools, docker_archive("files:1", [files_layer({"a/": b"", "a/one": b"new\n"})]))
    assert "image files:1, which is mounted, changed" in tools("explain").out
    tools("up", "-d")
    assert inside("cat /files/a/one") == "new\n"
    tools("down")
    tools("image", "rm", "files:1")


def test_a_mounted_image_that_is_not_there_is_told_with_its_place(tools: Orchestra) -> None:
    mount = '{type: image, source: "absent:1", target: /files}'
    write_compose(
        tools,
        f"services:\n  app:\n    image: tools:1\n    pull_policy: never\n    volumes: [{mount}]\n",
    )
    refused = tools("up", "-d", code=18)
    assert "absent:1" in refused.err
    assert "compose.yaml:5" in refused.err
    mount = '{type: image, source: "tools:1", target: /files, image: {subpath: nowhere}}'
    write_compose(tools, f"services:\n  app:\n    image: tools:1\n    volumes: [{mount}]\n")
    assert "nowhere" in tools("up", "-d", code=1).err
