"""`container commit`: a container's changes become an image whose containers have them."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import busybox_layer, docker_archive, files_layer
from tests.support.compose import write_compose

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]

CHANGES = """
rm -r /data/gone /data/file
rm -r /data/replaced; mkdir /data/replaced; echo new > /data/replaced/new
echo added > /data/added; ln /data/added /data/hard; ln -s added /data/soft
chown 12:34 /data/added; chmod 4750 /data/added
mknod /data/null c 1 3; mkfifo /data/pipe
"""
LOOK = """
cd /data; ls -1; ls replaced; cat hard soft; stat -c '%u:%g %a %h' added; stat -c '%F' null pipe
"""
SEEN = """added
hard
kept
null
pipe
replaced
soft
new
added
added
12:34 4750 2
character special file
fifo
"""


@pytest.fixture
def running(orchestra: Orchestra) -> Orchestra:
    """The command with a project `demo` whose container has changed its /data."""
    data: dict[str, bytes | str] = {"data/": b"", "data/file": b"x", "data/kept": b"x"}
    data |= {"data/gone/": b"", "data/gone/a": b"x", "data/replaced/": b"", "data/replaced/a": b"x"}
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"], "Entrypoint": None}
    path = os.path.join(orchestra.directory, "image.tar")
    with open(path, "wb") as file:
        file.write(docker_archive("app:1", [busybox_layer(), files_layer(data)], settings))
    orchestra("image", "load", "-i", path)
    write_compose(
        orchestra,
        "name: demo\nservices: {app: {image: 'app:1', environment: {A: b}, network_mode: none}}",
    )
    orchestra("up", "-d")
    orchestra("exec", "-T", "app", "sh", "-ec", CHANGES)
    return orchestra


def test_the_new_image_has_what_the_container_changed(running: Orchestra) -> None:
    image_id = running(
        "container", "commit", "-m", "more", "-c", 'ENTRYPOINT ["sh", "-c"]', "demo-app-1", "app:2"
    ).out.strip()
    running("down", "-t", "0")
    write_compose(running, "services: {app: {image: 'app:2', network_mode: none}}")

    seen = running("run", "--rm", "-T", "app", LOOK).out

    assert seen == SEEN
    described = json.loads(running("image", "inspect", "app:2").out)[0]
    assert described["Id"] == image_id
    assert described["Config"]["Env"] == ["PATH=/bin", "A=b"]
    assert described["Comment"] == "more"
    assert len(described["RootFS"]["Layers"]) == 3
    assert "com.docker.compose" not in str(described["Config"])


def test_the_container_goes_on_running_and_its_image_stays(running: Orchestra) -> None:
    running("container", "commit", "demo-app-1")

    assert running("exec", "-T", "app", "cat", "/data/added").out == "added\n"
    listed = running("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").out.split()
    assert sorted(listed) == ["<none>:<none>", "app:1", "host:<none>"]


def test_what_cannot_be_committed_is_refused(running: Orchestra) -> None:
    assert "No such container" in running("container", "commit", "nobody", code=1).err
    assert (
        "not a valid change"
        in running("container", "commit", "-c", "RUN true", "demo-app-1", code=1).err
    )
    write_compose(running, "name: other\nservices: {h: {image: host, command: sleep 1000}}")
    running("up", "-d")
    assert "image: host" in running("container", "commit", "other-h-1", code=1).err
