"""`orchestra bundle`: a project in one file, started on a machine that has nothing of it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import busybox_layer, docker_archive, files_layer
from tests.support.eventually import eventually
from tests.support.images import digest_of
from tests.support.scenario import Orchestra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static"),
]

COMPOSE = """\
name: demo
services:
  web:
    build: .
    env_file: web.env
    command: sh -c 'cat /conf/app.conf /run/secrets/key /run/secrets/token /greeting;
      echo $$FROM_FILE $$PRICE; exec sleep 1000'
    environment: {PRICE: "5$$"}
    volumes: ["./conf:/conf", "data:/data"]
    secrets: [key, token]
    configs: [greeting]
    pull_policy: build
  db:
    image: app:1
    volumes: ["data:/data"]
secrets: {key: {file: key.txt}, token: {environment: TOKEN}}
configs: {greeting: {content: "welcome\\n"}}
volumes: {data: }
"""
FILES = {
    "compose.yaml": COMPOSE,
    "Dockerfile": "FROM app:1\nRUN echo built > /built\n",
    "web.env": "FROM_FILE=yes\n",
    "key.txt": "the key\n",
    "conf/app.conf": "the setting\n",
}


@pytest.fixture
def project(orchestra: Orchestra) -> Orchestra:
    """The project of FILES with its images."""
    layers = [busybox_layer(), files_layer({"srv/": b"", "srv/file": b"x" * 4000})]
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"]}
    with open(os.path.join(orchestra.directory, "image.tar"), "wb") as file:
        file.write(docker_archive("app:1", layers, settings))
    orchestra("image", "load", "-i", "image.tar")
    here = orchestra.at(os.path.join(orchestra.directory, "demo"))
    for name, text in FILES.items():
        path = os.path.join(here.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as compose:
            compose.write(text)
    here.env["TOKEN"] = "a token\n"
    here("build")
    return here


@pytest.fixture
def elsewhere(project: Orchestra) -> Iterator[Orchestra]:
    """The command with roots that hold nothing yet, in a directory without a project."""
    with tempfile.TemporaryDirectory(prefix="orchestra-test-", dir="/run") as directory:
        roots = {
            "ORCHESTRA_DATA_ROOT": os.path.join(directory, "data"),
            "ORCHESTRA_RUN_ROOT": os.path.join(directory, "run"),
        }
        env = {key: value for key, value in project.env.items() if key != "TOKEN"}
        other = Orchestra(directory, {**env, **roots})
        other.transcript = project.transcript
        yield other
        for name in ("demo", "other"):
            other("-p", name, "down", "-v", "-t", "0", code=None)


def saved(project: Orchestra, *flags: str) -> str:
    project("bundle", "save", "-o", "demo.tar", *flags)
    return os.path.join(project.directory, "demo.tar")


def holdings(orchestra: Orchestra) -> list[str]:
    """Images, volumes, projects and unpacked bundles of its data root."""
    root = orchestra.env["ORCHESTRA_DATA_ROOT"]
    volumes = os.path.join(root, "volumes")
    found = orchestra("image", "ls", "-q").out.split()
    found += os.listdir(volumes) if os.path.isdir(volumes) else []
    for place, directories, _ in os.walk(os.path.join(root, "bundles")):
        found += [os.path.join(place, name) for name in directories if place.endswith("demo")]
    return found + orchestra("ls", "-a", "-q").out.split()


def logs_hold(orchestra: Orchestra, text: str) -> Callable[[], bool]:
    return lambda: text in orchestra("-p", "demo", "logs", "web", "--no-log-prefix").out


def test_a_bundle_starts_where_nothing_of_the_project_is(
    project: Orchestra, elsewhere: Orchestra
) -> None:
    path = saved(project)
    up = elsewhere("bundle", "up", "-d", path)

    assert " Container demo-web-1  Started" in up.err
    expected = "the setting\nthe key\na token\nwelcome\nyes 5$\n"
    eventually(logs_hold(elsewhere, expected), within_s=10)
    assert elsewhere("-p", "demo", "exec", "web", "cat", "/built").out == "built\n"
    again = elsewhere("bundle", "up", "-d", path)
    assert " Container demo-web-1  Running" in again.err
    elsewhere("-p", "demo", "down", "-t", "0")
    assert elsewhere("-p", "demo", "ps", "-a", "-q").out == ""


def test_volumes_come_when_asked_for_and_only_where_there_are_none(
    project: Orchestra, elsewhere: Orchestra
) -> None:
    project("up", "-d")
    project("exec", "db", "sh", "-c", "echo first > /data/x; chown 7:8 /data; chmod 700 /data")
    running = project("bundle", "save", "-o", "demo.tar", "--with-volume", "data")
    assert 'volume "data" is saved while demo-db-1' in running.err
    path = os.path.join(project.directory, "demo.tar")

    elsewhere("bundle", "up", "-d", path)
    shown = elsewhere("-p", "demo", "exec", "db", "stat", "-c", "%u:%g %a", "/data")
    assert shown.out == "7:8 700\n"
    elsewhere("-p", "demo", "exec", "db", "sh", "-c", "echo second > /data/x")
    elsewhere("-p", "demo", "down", "-t", "0")
    kept = elsewhere("bundle", "up", "-d", path)
    assert " Volume data  Exists, and stays as it is" in kept.err
    assert elsewhere("-p", "demo", "exec", "db", "cat", "/data/x").out == "second\n"
    elsewhere("-p", "other", "bundle", "up", "-d", path)
    assert elsewhere("-p", "other", "exec", "db", "cat", "/data/x").out == "first\n"


def test_a_bundle_without_volumes_makes_empty_ones(
    project: Orchestra, elsewhere: Orchestra
) -> None:
    project("up", "-d")
    project("exec", "db", "sh", "-c", "echo first > /data/x")
    elsewhere("bundle", "up", "-d", saved(project))
    assert elsewhere("-p", "demo", "exec", "db", "ls", "/data").out == ""


def test_the_same_project_makes_the_same_bytes(project: Orchestra) -> None:
    path = saved(project)
    with open(path, "rb") as file:
        first = file.read()
    with open(saved(project), "rb") as file:
        assert file.read() == first
    assert os.stat(path).st_mode & 0o777 == 0o600  # it holds secrets


def test_a_bundle_comes_from_a_pipe_too(project: Orchestra, elsewhere: Orchestra) -> None:
    path = saved(project, "db")
    script = f"cat {path} | orchestra bundle up -d -"
    done = subprocess.run(
        ["sh", "-c", script],
        env={**elsewhere.env, "PATH": f"{os.path.dirname(shutil.which('sh') or '')}:"
             f"{os.path.dirname(os.path.realpath(_program()))}:{elsewhere.env['PATH']}"},
        cwd=elsewhere.directory, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert elsewhere("-p", "demo", "ps", "--services").out == "db\n"


def _program() -> str:
    from tests.support.scenario import PROGRAM

    return PROGRAM


def test_inspect_tells_what_is_in_a_bundle(project: Orchestra) -> None:
    path = saved(project)
    shown = project("bundle", "inspect", path).out
    assert shown.startswith("Project: demo\n")
    assert "app:1" in shown
    assert "demo-web" in shown
    described = json.loads(project("bundle", "inspect", "--format", "json", path).out)
    assert [part["path"] for part in described["parts"]] == [
        "compose.yaml",
        "secrets/key",
        "secrets/token",
        "files.tar.gz",
    ]


def test_a_bundle_is_an_archive_of_images_too(project: Orchestra, elsewhere: Orchestra) -> None:
    out = elsewhere("image", "load", "-i", saved(project)).out
    assert sorted(out.splitlines()) == ["Loaded image: app:1", "Loaded image: demo-web:latest"]
    with tarfile.open(saved(project)) as tar:
        blobs = [name for name in tar.getnames() if name.startswith("blobs/sha256/")]
    assert len(blobs) == len(set(blobs)) == 3 + 2 * 2  # shared layers once


def test_a_service_whose_image_is_not_here_is_told_by_name(project: Orchestra) -> None:
    project("image", "rm", "demo-web")
    refused = project("bundle", "save", "-o", "demo.tar", code=1)
    assert "demo-web" in refused.err
    assert "orchestra build web" in refused.err
    assert not os.path.exists(os.path.join(project.directory, "demo.tar"))
    unknown = project("bundle", "save", "-o", "demo.tar", "db", "--with-volume", "nix", code=1)
    assert "there are: data" in unknown.err
    assert "-o project.tar" in project("bundle", "save", code=1).err


def test_a_bundle_does_not_hold_itself(project: Orchestra) -> None:
    with open(os.path.join(project.directory, "compose.yaml"), "w", encoding="utf-8") as file:
        file.write("name: demo\nservices: {db: {image: app:1, volumes: ['.:/app']}}\n")
    size = os.stat(saved(project)).st_size
    assert os.stat(saved(project)).st_size == size


def damaged_at(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_a_broken_bundle_leaves_nothing(project: Orchestra, elsewhere: Orchestra) -> None:
    project("up", "-d")
    with open(saved(project, "--volumes"), "rb") as file:
        good = file.read()
    with tarfile.open(fileobj=io.BytesIO(good)) as tar:
        members = {member.name: member for member in tar}
    layer = max(members.values(), key=lambda member: member.size)
    broken = {
        "nothing": b"",
        "no archive": b"hello" * 1000,
        "other archive": good[members["compose.yaml"].offset :],
        "cut in the contents": good[:700],
        "cut in a volume": good[: members["volumes/data.tar.gz"].offset_data + 20],
        "cut in a layer": good[: layer.offset_data + layer.size // 2],
        "layer": damaged_at(
            good, layer.offset_data + layer.size // 2
        ),  # before it is here, verified
        "cut before the index": good[: members["index.json"].offset],
        "model": damaged_at(good, members["compose.yaml"].offset_data + 3),
        "secret": damaged_at(good, members["secrets/key"].offset_data),
        "files": damaged_at(good, members["files.tar.gz"].offset_data + 60),
        "volume": damaged_at(good, members["volumes/data.tar.gz"].offset_data + 30),
    }
    path = os.path.join(elsewhere.directory, "bad.tar")
    for what, data in broken.items():
        with open(path, "wb") as file:
            file.write(data)
        refused = elsewhere("bundle", "up", "-d", path, code=1)
        assert "fix:" in refused.err, what
        assert "Traceback" not in refused.err, what
        assert holdings(elsewhere) == [], what
    elsewhere("bundle", "up", "-d", os.path.join(project.directory, "demo.tar"))
    assert "no file" in elsewhere("bundle", "up", "nowhere.tar", code=1).err


def test_system_prune_forgets_bundles_that_nobody_needs(
    project: Orchestra, elsewhere: Orchestra
) -> None:
    elsewhere("bundle", "up", "-d", saved(project))
    place = os.path.join(elsewhere.env["ORCHESTRA_DATA_ROOT"], "bundles", "demo")
    (identity,) = os.listdir(place)
    os.utime(os.path.join(place, identity), (0, 0))
    elsewhere("system", "prune", "-f")
    assert os.listdir(place) == [identity]
    elsewhere("-p", "demo", "down", "-t", "0")
    elsewhere("system", "prune", "-f")
    assert not os.path.exists(place)


Members = dict[str, bytes]


def members_of(path: str) -> Members:
    with tarfile.open(path) as tar:
        return {
            member.name: file.read()
            for member in tar
            if (file := tar.extractfile(member)) is not None
        }


def rewritten(members: Members) -> bytes:
    """A bundle whose contents state the digests that its parts really have."""
    contents = json.loads(members["bundle.json"])
    for part in contents["parts"]:
        data = members[part["path"]]
        part["digest"], part["size_bytes"] = digest_of(data), len(data)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in {**members, "bundle.json": json.dumps(contents).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def archive(name: str, content: bytes = b"", *, link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        if link:
            entry = tarfile.TarInfo("link")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            tar.addfile(entry)
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_hostile_bundle_is_refused_and_reaches_nothing(
    project: Orchestra, elsewhere: Orchestra
) -> None:
    project("up", "-d")
    good = members_of(saved(project, "--volumes"))
    outside = os.path.join(elsewhere.directory, "outside")
    os.mkdir(outside)
    contents = json.loads(good["bundle.json"])
    swapped = [{**image, "id": digest_of(b"other")} for image in contents["images"]]
    renamed = [{**image, "name": "someone/else:1"} for image in contents["images"]]
    by_digest = [{**image, "name": f"app@{digest_of(b'x')}"} for image in contents["images"]]

    def with_contents(**changes: object) -> Members:
        return {**good, "bundle.json": json.dumps({**contents, **changes}).encode()}

    hostile = {
        "files that lead out": {**good, "files.tar.gz": archive("../../../evil", b"x")},
        "a volume that leads out": {**good, "volumes/data.tar.gz": archive("../../evil", b"x")},
        "no compressed archive": {**good, "files.tar.gz": b"x" * 600},
        "a model that is no project": {**good, "compose.yaml": b"- nothing\n"},
        "a model of other images": with_contents(images=renamed),
        "images of other ids": with_contents(images=swapped),
        "an image of another digest": with_contents(images=by_digest),
        "a name that leads out": with_contents(project="../../evil"),
    }
    path = os.path.join(elsewhere.directory, "bad.tar")
    for what, members in hostile.items():
        with open(path, "wb") as file:
            file.write(rewritten(members))
        refused = elsewhere("bundle", "up", "-d", path, code=None)
        assert refused.code != 0, what
        assert "Traceback" not in refused.err, what
        assert "bug in orchestra" not in refused.err, what
        assert holdings(elsewhere) == [], what
    linked = {**good, "files.tar.gz": archive("link/evil", b"x", link=outside)}
    with open(path, "wb") as file:
        file.write(rewritten(linked))
    elsewhere("bundle", "up", "--no-start", path, code=None)
    assert os.listdir(outside) == []
