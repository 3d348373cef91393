"""`cp` beyond the table of names: what travels along, and that nobody leads it astray."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.scenario import PROGRAM
from tests.support.small import small_project

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: demo
services:
  web:
    image: host
    init: true
    scale: 2
    command: [sleep, "600"]
    volumes: ["data:/data", "named:/fixed:ro"]
    tmpfs: [/scratch]
  sealed: {image: host, init: true, read_only: true, command: [sleep, "600"]}
  hosted: {image: host, init: true, pid: host, command: [sleep, "600"]}
volumes: {data: {}, named: {}}
"""


@pytest.fixture
def running(orchestra: Orchestra) -> Orchestra:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    orchestra("up", "-d")
    return orchestra


def here(running: Orchestra, name: str, content: str = "here") -> str:
    path = os.path.join(running.directory, name)
    with open(path, "w") as file:
        file.write(content)
    return path


def shell(running: Orchestra, line: str, *flags: str, service: str = "web") -> str:
    return running("exec", "-T", *flags, service, "sh", "-c", line).out


def archive(running: Orchestra, source: str) -> tarfile.TarFile:
    done = subprocess.run(
        (PROGRAM, "cp", source, "-"),
        cwd=running.directory,
        env=running.env,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return tarfile.open(fileobj=io.BytesIO(done.stdout))


def test_into_all_containers_of_a_service_or_one_and_out_of_the_first(running: Orchestra) -> None:
    here(running, "a", "one")
    told = running("cp", "a", "web:/opt/a").err
    assert "demo-web-1  Copied" in told
    assert "demo-web-2  Copied" in told
    here(running, "a", "two")
    running("cp", "--index", "2", "a", "web:/opt/a")
    assert [shell(running, "cat /opt/a", "--index", n) for n in ("1", "2")] == ["one", "two"]
    running("cp", "web:/opt/a", "back")
    with open(os.path.join(running.directory, "back")) as file:
        assert file.read() == "one"
    assert "no container #7" in running("cp", "--index", "7", "a", "web:/", code=1).err


def test_volumes_and_tmpfs_of_a_running_container_are_seen(running: Orchestra) -> None:
    here(running, "a")
    for place in ("/data/a", "/scratch/a"):
        running("cp", "a", f"web:{place}")
        assert shell(running, f"cat {place}") == "here"
    shell(running, "echo inside > /scratch/b")
    running("cp", "web:/scratch/.", "got")
    assert sorted(os.listdir(os.path.join(running.directory, "got"))) == ["a", "b"]


def test_a_container_that_does_not_run(running: Orchestra) -> None:
    here(running, "a")
    running("stop", "-t", "0", "web")
    running("cp", "a", "web:/data/a")
    running("cp", "a", "web:/usr/a")
    running("cp", "web:/usr/a", "back")
    assert archive(running, "web:/data").getnames() == ["data", "data/a"]
    running("start", "web")
    assert shell(running, "cat /data/a /usr/a") == "herehere"


def test_what_is_marked_read_only_stays_as_it_is(running: Orchestra) -> None:
    here(running, "a")
    for place in ("sealed:/opt/a", "web:/fixed/a"):
        assert "is read-only" in running("cp", "a", place, code=1).err
    running("stop", "-t", "0", "web")
    assert "is read-only" in running("cp", "a", "web:/fixed/a", code=1).err


def test_holes_attributes_times_and_hard_links_travel(running: Orchestra) -> None:
    tree = os.path.join(running.directory, "tree")
    os.mkdir(tree)
    with open(f"{tree}/holes", "wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 29)
        file.write(b"middle")
    os.setxattr(f"{tree}/holes", "user.colour", b"red")
    os.link(f"{tree}/holes", f"{tree}/same")
    os.utime(f"{tree}/holes", ns=(1, 1_234_567_890_123_456_789))
    running("cp", "tree", "web:/data/")
    running("cp", "web:/data/tree", "back")
    back = os.path.join(running.directory, "back")
    status = os.stat(f"{back}/holes")
    assert status.st_size == 1 << 30
    assert status.st_blocks * 512 < 1 << 20
    assert status.st_mtime_ns == 1_234_567_890_123_456_789
    assert os.path.samestat(status, os.stat(f"{back}/same"))
    assert os.getxattr(f"{back}/holes", "user.colour") == b"red"
    with open(f"{back}/holes", "rb") as file:
        file.seek(1 << 29)
        assert file.read(6) == b"middle"


def test_rights_meant_for_somebody_else_do_not_come_out(running: Orchestra) -> None:
    shell(running, "cp /bin/true /data/t; chown 1000 /data/t; chmod 6755 /data/t")
    running("cp", "web:/data/t", "t")
    status = os.stat(os.path.join(running.directory, "t"))
    assert (status.st_uid, status.st_mode & 0o7777) == (os.geteuid(), 0o755)


def test_links_of_a_container_lead_nowhere_outside(running: Orchestra) -> None:
    secret = here(running, "secret", "untouched")
    shell(running, f"ln -s {secret} /data/file; ln -s {running.directory} /data/dir")
    shell(running, "ln -s ../../../../../../../../../../ /data/up")
    here(running, "a", "hostile")
    assert "no such file" in running("cp", "-L", "web:/data/file", "got", code=1).err
    assert "no such file" in running("cp", "a", "web:/data/dir/secret", code=1).err
    assert "no such file" in running("cp", "a", "web:/data/file", code=1).err
    assert "no such file" in running("cp", f"web:/data/up/{secret}", "got", code=1).err
    with open(secret) as file:
        assert file.read() == "untouched"


def test_a_link_through_proc_is_not_followed(running: Orchestra) -> None:
    """With `pid: host` /proc/1/root in the container is the host's root."""
    secret = here(running, "secret")
    shell(running, "ln -s /proc/1/root /opt/host", service="hosted")
    running("cp", f"hosted:/opt/host{secret}", "got", code=1)
    running("cp", "secret", "hosted:/opt/host/tmp/planted", code=1)
    assert not os.path.exists("/tmp/planted")


def test_an_archive_on_stdin(running: Orchestra) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("deep/er/file")
        entry.size, entry.uid, entry.gid, entry.mode = 4, 12, 34, 0o640
        tar.addfile(entry, io.BytesIO(b"text"))

    def send(data: bytes, place: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            (PROGRAM, "cp", "-", place),
            cwd=running.directory, env=running.env, input=data, capture_output=True,
            timeout=60, check=False,
        )  # fmt: skip

    assert send(buffer.getvalue(), "web:/data").returncode == 0
    assert shell(running, "stat -c '%u:%g %a' /data/deep/er/file") == "12:34 640\n"
    shell(running, "touch /data/plain")
    refused = send(buffer.getvalue(), "web:/data/plain")
    assert (refused.returncode, b"must be a directory" in refused.stderr) == (1, True)
    broken = send(b"no archive at all" * 100, "web:/data")
    assert (broken.returncode, b"no tar archive" in broken.stderr) == (1, True)


def test_an_archive_that_leads_out_of_its_place(running: Orchestra) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../planted"))
    done = subprocess.run(
        (PROGRAM, "cp", "-", "web:/data"),
        cwd=running.directory, env=running.env, input=buffer.getvalue(), capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, b"outside of its root" in done.stderr) == (1, True)


def test_an_archive_on_stdout(running: Orchestra) -> None:
    shell(running, "mkdir /data/d; echo x > /data/d/f; ln -s f /data/d/l")
    found = archive(running, "web:/data/d")
    assert found.getnames() == ["d", "d/f", "d/l"]
    assert archive(running, "web:/data/d/f").getnames() == ["f"]
    assert archive(running, "web:/data/d/.").getnames() == [".", "f", "l"]


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static")
def test_the_kernels_files_are_no_files_of_the_container(orchestra: Orchestra) -> None:
    small_project(orchestra)
    shell(orchestra, "echo x > /tmp/f", service="small")
    names = archive(orchestra, "small:/").getnames()
    assert {"proc", "sys", "dev", "tmp/f"} <= set(names)
    assert not [name for name in names if name.startswith(("proc/", "sys/", "dev/"))]


def test_a_file_that_is_a_mount_is_written_to(running: Orchestra) -> None:
    here(running, "hosts", "127.0.0.1 localhost mine\n")
    running("cp", "--index", "1", "hosts", "web:/etc/hosts")
    assert shell(running, "cat /etc/hosts") == "127.0.0.1 localhost mine\n"


def test_a_dry_run_copies_nothing(running: Orchestra) -> None:
    here(running, "a")
    told = running("--dry-run", "cp", "a", "web:/opt/a").err
    assert "DRY-RUN MODE" in told
    assert shell(running, "test -e /opt/a || echo none") == "none\n"


def test_words_that_make_no_copy(running: Orchestra) -> None:
    assert "unknown copy direction" in running("cp", "a", "b", code=1).err
    assert "between services" in running("cp", "web:/a", "sealed:/b", code=1).err
    assert "no such file" in running("cp", "nosuch", "web:/", code=1).err
