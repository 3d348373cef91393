"""`image build --output`: files, archives, pipes, and what is refused before anything is built."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


@pytest.fixture
def built(orchestra: Orchestra) -> Orchestra:
    directory = orchestra.directory
    for name in ("one", "two"):
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(name)
    os.symlink("/one", f"{directory}/link")
    dockerfile = "FROM scratch\nCOPY --chmod=4711 --chown=5:6 one /sub/\nCOPY two /\n"
    with open(f"{directory}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(dockerfile)
    return orchestra


@pytest.mark.parametrize("output", ["out", "type=local,dest=out"])
def test_files_into_a_directory_which_keeps_what_it_has(built: Orchestra, output: str) -> None:
    out = f"{built.directory}/out"
    os.mkdir(out)
    os.symlink("/etc", f"{out}/sub")
    with open(f"{out}/mine", "w", encoding="utf-8") as file:
        file.write("mine")
    os.unlink(f"{out}/sub")
    built("image", "build", "-q", "-o", output, ".")
    assert sorted(os.listdir(out)) == ["mine", "sub", "two"]
    status = os.stat(f"{out}/sub/one")
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o4711, 5, 6)


def test_links_of_the_directory_lead_nowhere_out_of_it(built: Orchestra) -> None:
    out, other = f"{built.directory}/out", f"{built.directory}/other"
    os.makedirs(out)
    os.makedirs(other)
    os.symlink(other, f"{out}/sub")
    refused = built("image", "build", "-q", "-o", "out", ".", code=None)
    assert os.listdir(other) == [], refused


def test_an_archive_of_the_files(built: Orchestra) -> None:
    built("image", "build", "-q", "-o", "type=tar,dest=files.tar", ".")
    with tarfile.open(f"{built.directory}/files.tar") as archive:
        assert archive.getmember("sub/one").mode == 0o4711
        assert archive.getmember("sub/one").uid == 5


def test_an_archive_of_the_files_through_a_pipe(built: Orchestra) -> None:
    argv = [PROGRAM, "image", "build", "-o", "-", "."]
    done = subprocess.run(
        argv, cwd=built.directory, env=built.env, capture_output=True, check=True, timeout=60
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        assert sorted(archive.getnames()) == ["sub", "sub/one", "two"]


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_an_archive_of_the_image_can_be_loaded(built: Orchestra, kind: str) -> None:
    built("image", "build", "-q", "-t", "app:1", "-o", f"type={kind},dest=image.tar", ".")
    with tarfile.open(f"{built.directory}/image.tar") as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        assert "app:1" in json.dumps(json.load(index))
    built("image", "rm", "app:1")
    assert "app:1" in built("image", "load", "-i", "image.tar").out


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("type=local", "has no dest"),
        ("type=zip,dest=x", "type=local|tar|oci|docker,dest=PATH"),
        ("type=tar,dest=absent/x", "there is no directory"),
        ("type=local,dest=-", "standard output takes an archive"),
        ("type=oci,dest=x,tar=false", "as an archive only"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_build(
    built: Orchestra, output: str, message: str
) -> None:
    refused = built("image", "build", "-o", output, ".", code=None)
    assert refused.code not in (0, None)
    assert message in refused.err
    assert built("image", "ls", "-aq").out == ""


def test_what_lies_on_the_host_is_not_written(built: Orchestra) -> None:
    with open(f"{built.directory}/Dockerfile", "w", encoding="utf-8") as file:
        file.write("FROM host\nRUN true\n")
    refused = built("image", "build", "-o", "out", ".", code=None)
    assert "this whole machine" in refused.err
    assert not os.path.exists(f"{built.directory}/out")
