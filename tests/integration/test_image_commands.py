"""`orchestra image …` from the command line: names, removal, inspection and archives."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import busybox_layer, docker_archive, files_layer
from tests.support.compose import write_compose
from tests.support.docker_engine import DockerEngine

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]


def write_archive(orchestra: Orchestra, archive: bytes, name: str = "image.tar") -> str:
    path = os.path.join(orchestra.directory, name)
    with open(path, "wb") as file:
        file.write(archive)
    return path


@pytest.fixture
def images(orchestra: Orchestra) -> Orchestra:
    """The command with an image app:1 of two layers."""
    layers = [busybox_layer(), files_layer({"data/": b"", "data/file": b"content"})]
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"], "Labels": {"kind": "test"}}
    orchestra(
        "image", "load", "-i", write_archive(orchestra, docker_archive("app:1", layers, settings))
    )
    return orchestra


def names(orchestra: Orchestra, *flags: str) -> list[str]:
    listed = orchestra("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", *flags).out
    return listed.split()


def stored(orchestra: Orchestra) -> list[str]:
    """All blobs, partial ones too, and layers."""
    directory = os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "images")
    return [
        name
        for place in ("layers", "blobs/sha256", "blobs/partial")
        if os.path.isdir(os.path.join(directory, place))
        for name in os.listdir(os.path.join(directory, place))
    ]


def test_the_host_is_listed_as_what_it_is(orchestra: Orchestra) -> None:
    assert names(orchestra) == ["host:<none>"]
    assert orchestra("image", "ls", "-q").out == ""
    assert "this machine" in orchestra("image", "rm", "host", code=1).err
    described = json.loads(orchestra("image", "inspect", "host").out)
    assert described[0]["Config"]["Cmd"] == ["/bin/sh"]


def test_an_image_has_as_many_names_as_it_is_given(images: Orchestra) -> None:
    images("image", "tag", "app:1", "localhost:5000/team/app")
    images("image", "tag", "app:1", "app:latest")

    assert names(images) == ["app:1", "app:latest", "localhost:5000/team/app:latest", "host:<none>"]
    assert names(images, "app") == ["app:1", "app:latest"]
    ids = images("image", "ls", "-q").out.split()
    assert len(ids) == 3  # one for each name, as in Docker
    assert len(set(ids)) == 1
    assert names(images, "-f", "label=kind=test", "-f", "reference=*:1") == ["app:1"]
    assert names(images, "-f", "dangling=true") == []


def test_the_last_name_takes_the_image_with_it(images: Orchestra) -> None:
    images("image", "tag", "app:1", "other")
    image_id = images("image", "ls", "-q", "--no-trunc", "app:1").out.strip()

    assert images("image", "rm", "app:1").out == "Untagged: app:1\n"
    assert images("image", "rm", image_id[7:19]).out.split("\n")[:2] == [
        "Untagged: other:latest",
        f"Deleted: {image_id}",
    ]
    assert names(images) == ["host:<none>"]
    assert stored(images) == []


def test_an_id_with_several_names_goes_only_by_force(images: Orchestra) -> None:
    images("image", "tag", "app:1", "other")
    image_id = images("image", "ls", "-q", "app").out.strip()

    assert "must be forced" in images("image", "rm", image_id, code=1).err
    images("image", "rm", "-f", image_id)

    assert names(images) == ["host:<none>"]


def test_an_image_in_use_stays_whoever_asks(images: Orchestra) -> None:
    write_compose(images, "services: {app: {image: 'app:1', network_mode: none}}")
    images("up", "-d")
    image_id = images("image", "ls", "-q").out.strip()

    assert "is using its referenced image" in images("image", "rm", "app:1", code=1).err
    assert "cannot be forced" in images("image", "rm", "-f", image_id, code=1).err
    assert "Total reclaimed space: 0B" in images("image", "prune", "-af").out
    images("image", "rm", "-f", "app:1")  # only the name
    images("stop", "-t", "0")
    assert "must be forced" in images("image", "rm", image_id, code=1).err
    images("start")
    images("image", "prune", "-f")
    images("restart", "-t", "0")

    assert images("exec", "-T", "app", "cat", "/data/file").out == "content"
    images("down", "-t", "0")
    assert "Deleted Images:" in images("image", "prune", "-f").out
    assert names(images) == ["host:<none>"]


def test_force_removes_the_image_of_a_stopped_container_which_keeps_its_files(
    images: Orchestra,
) -> None:
    image_id = images("image", "ls", "-q", "--no-trunc").out.strip()
    images("container", "create", "--net", "none", "--name", "box", "app:1", "cat", "/data/file")

    assert "(must force)" in images("image", "rm", "app:1", code=1).err
    assert images("image", "rm", "-f", "app:1").out == f"Untagged: app:1\nDeleted: {image_id}\n"
    assert names(images) == ["host:<none>"]
    assert "Total reclaimed space: 0B" in images("image", "prune", "-af").out
    assert images("container", "start", "-a", "box").out == "content"
    assert "file" in images("container", "cp", "box:/data", "-").out
    assert images("container", "diff", "box").out == ""
    assert "is not on this machine" in images("container", "commit", "box", code=1).err
    run = ("container", "run", "--pull", "never", image_id)
    assert "No such image" in images(*run, code=125).err
    images("container", "rm", "box")
    images("image", "prune", "-f")
    assert stored(images) == []


def test_loading_again_changes_nothing(images: Orchestra) -> None:
    before = images("image", "inspect", "app:1").out

    images("image", "load", "-i", os.path.join(images.directory, "image.tar"))

    assert images("image", "inspect", "app:1").out == before


def test_a_newer_image_takes_the_name_of_the_older(images: Orchestra) -> None:
    older = images("image", "ls", "-q").out.strip()
    archive = docker_archive("app:1", [busybox_layer()], {"Cmd": ["true"]})

    images("image", "load", "-i", write_archive(images, archive))

    assert sorted(names(images)) == ["<none>:<none>", "app:1", "host:<none>"]
    assert images("image", "ls", "-qf", "dangling=true").out.strip() == older
    pruned = images("image", "prune", "-f").out
    assert f"deleted: sha256:{older}" in pruned
    assert names(images) == ["app:1", "host:<none>"]


def test_what_is_saved_loads_elsewhere_with_the_same_id(images: Orchestra) -> None:
    images("image", "tag", "app:1", "app:2")
    before = images("image", "ls", "-q", "--no-trunc").out
    path = os.path.join(images.directory, "saved.tar")
    images("image", "save", "-o", path, "app")
    images("image", "rm", "-f", before.split()[0])

    loaded = images("image", "load", "-i", path).out

    assert sorted(loaded.split("\n")[:2]) == ["Loaded image: app:1", "Loaded image: app:2"]
    assert images("image", "ls", "-q", "--no-trunc").out == before


def test_a_root_file_system_becomes_an_image(orchestra: Orchestra) -> None:
    path = write_archive(orchestra, busybox_layer(), "root.tar")

    image_id = orchestra(
        "image", "import", "-c", 'CMD ["echo", "hello"]', "-c", "ENV PATH=/bin", path, "mine:1"
    ).out.strip()

    described = json.loads(orchestra("image", "inspect", "mine:1").out)[0]
    assert (described["Id"], described["Config"]["Cmd"]) == (image_id, ["echo", "hello"])
    history = orchestra("image", "history", "mine:1", "--format", "{{.Comment}}").out
    assert history == f"Imported from {path}\n"
    write_compose(orchestra, "services: {app: {image: 'mine:1', network_mode: none}}")
    assert orchestra("run", "--rm", "-T", "app").out == "hello\n"
    orchestra("down", "-t", "0")


def test_history_tells_the_steps_and_what_each_added(images: Orchestra) -> None:
    lines = images("image", "history", "app:1", "--format", "{{.CreatedBy}} {{.Size}}").out

    assert lines == "/bin/sh -c #(nop) step 1 7B\n/bin/sh -c #(nop) step 0 " + (
        lines.split()[-1] + "\n"
    )


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
@pytest.mark.parametrize(("layout", "entry"), [("docker-archive", ""), ("oci-archive", ":1")])
def test_images_go_to_skopeo_and_come_back(images: Orchestra, layout: str, entry: str) -> None:
    saved = os.path.join(images.directory, "saved.tar")
    copied = os.path.join(images.directory, "copied.tar")
    images("image", "save", "-o", saved, "app:1")
    image_id = images("image", "ls", "-q").out

    subprocess.run(
        [
            "skopeo",
            "copy",
            f"{layout}:{saved}{entry}",
            f"{layout}:{copied}:docker.io/library/back:1",
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    images("image", "load", "-i", copied)

    assert images("image", "ls", "-q", "back:1").out == image_id


@pytest.mark.docker
def test_images_go_to_docker_and_come_back(images: Orchestra) -> None:
    saved = os.path.join(images.directory, "saved.tar")
    images("image", "tag", "app:1", "orchestra-test-exchange:1")
    images("image", "save", "-o", saved, "orchestra-test-exchange:1")
    image_id = images("image", "ls", "-q", "app:1").out
    back = os.path.join(images.directory, "back.tar")
    with DockerEngine() as engine:
        engine.run(["docker", "load", "-i", saved])
        engine.run(["docker", "save", "-o", back, "orchestra-test-exchange:1"])
    images("image", "rm", "-f", image_id.strip())

    images("image", "load", "-i", back)

    assert images("image", "ls", "-q", "orchestra-test-exchange:1").out == image_id


def hostile(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


BAD = {
    "a layer that leads out": (docker_archive("bad", [hostile("../../evil", b"x")]), "outside"),
    "a truncated archive": (docker_archive("bad", [busybox_layer()])[:1_000_000], "ends in the"),
    "no archive": (b"<html>404</html>" * 100, "no tar archive"),
    "another tar": (hostile("file", b"content"), "no image in the archive"),
    "an empty file": (b"", "no image in the archive"),
}


@pytest.mark.parametrize(("archive", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_archive_is_refused_and_nothing_of_it_is_registered(
    orchestra: Orchestra, archive: bytes, message: str
) -> None:
    failed = orchestra("image", "load", "-i", write_archive(orchestra, archive), code=1)

    assert message in failed.err
    assert names(orchestra) == ["host:<none>"]
    orchestra("image", "prune", "-f")
    assert stored(orchestra) == []


def test_what_there_is_is_inspected_before_what_there_is_not_is_told(images: Orchestra) -> None:
    found = images("image", "inspect", "-f", "{{.Os}}", "app:1", "nosuch", "host", code=1)
    assert found.out == "linux\nlinux\n"
    assert "nosuch" in found.err
    assert json.loads(images("image", "inspect", "nosuch", code=1).out) == []


def test_an_archive_is_not_saved_where_a_directory_is(images: Orchestra) -> None:
    assert "is a directory" in images("image", "save", "-o", ".", "app:1", code=1).err
    assert (
        'directory "no" does not'
        in images("image", "save", "-o", "no/app.tar", "app:1", code=1).err
    )
    assert not [name for name in os.listdir(images.directory) if name.endswith(".part")]
