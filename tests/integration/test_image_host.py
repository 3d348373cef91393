"""`image: host` seen through real overlays, over a made-up host and over the real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchestra.image.host import HOST_IMAGE, HostImage
from orchestra.image.snapshot.host import HostSnapshotter
from orchestra.image.snapshot.overlay import OverlaySnapshotter
from orchestra.model.container import ImageId

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.model.rootfs import Rootfs

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting overlays needs root"),
]

_MOUNT_AND_RUN = """
import subprocess, sys
root = sys.argv[1]
overlays = [argument.split("|") for argument in sys.argv[3:]]
for target, lower, upper, work in overlays:
    options = f"index=off,lowerdir={lower},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root + target], check=True)
sys.exit(subprocess.run(["sh", "-c", sys.argv[2]], cwd=root).returncode)
"""


def run_in(rootfs: Rootfs, mount_point: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run *script* with the mounted root as its directory, in a mount namespace of its own."""
    mount_point.mkdir(exist_ok=True)
    overlays = ["|".join((o.target, ":".join(o.lower), o.upper, o.work)) for o in rootfs.overlays]
    return subprocess.run(
        [
            "unshare",
            "-m",
            "--propagation",
            "private",
            sys.executable,
            "-c",
            _MOUNT_AND_RUN,
            str(mount_point),
            script,
            *overlays,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    for directory in (
        "etc/app",
        "etc/ssh",
        "etc/closed",
        "usr/bin",
        "usr/local/lib",
        "usr/lib/closed",
        "opt/tool",
    ):
        (root / directory).mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    files = {
        "etc/passwd": 0o644,
        "etc/shadow": 0o640,
        "etc/app/public": 0o644,
        "etc/app/token": 0o600,
        "etc/ssh/ssh_host_rsa_key": 0o644,
        "etc/closed/inside": 0o644,
        "usr/bin/su": 0o4755,
        "usr/local/lib/private": 0o640,
        "usr/lib/closed/inside": 0o644,
        "opt/tool/run": 0o755,
        "opt/tool/.env": 0o600,
    }
    for name, mode in files.items():
        (root / name).write_text(f"content of {name}\n")
        (root / name).chmod(mode)
    for directory in ("etc/closed", "usr/lib/closed"):
        (root / directory).chmod(0o750)
    (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    return root


def prepare(host: Path, tmp_path: Path, name: str = "one") -> Rootfs:
    image = HostImage(str(tmp_path / "data"), host_root=str(host))
    return HostSnapshotter(image).prepare(HOST_IMAGE, str(tmp_path / "snapshots" / name))


def visible(rootfs: Rootfs, tmp_path: Path) -> set[str]:
    result = run_in(rootfs, tmp_path / "root", "find etc usr opt -type f -exec cat {} +")
    assert result.returncode == 0, result.stderr
    return {line.removeprefix("content of ") for line in result.stdout.splitlines()}


def test_root_inside_reads_the_public_files_and_no_secret(host: Path, tmp_path: Path) -> None:
    assert visible(prepare(host, tmp_path), tmp_path) == {
        "etc/passwd",
        "etc/app/public",
        "usr/bin/su",
        "opt/tool/run",
    }


def test_a_file_that_became_secret_is_hidden_from_the_next_container(
    host: Path, tmp_path: Path
) -> None:
    prepare(host, tmp_path)
    (host / "etc/app/public").chmod(0o600)

    seen = visible(prepare(host, tmp_path, "two"), tmp_path)

    assert "etc/app/public" not in seen
    assert "etc/passwd" in seen


def test_a_started_again_container_keeps_its_files_and_loses_new_secrets(
    host: Path, tmp_path: Path
) -> None:
    run_in(prepare(host, tmp_path), tmp_path / "root", "echo 'content of mine' > etc/mine")
    (host / "etc/passwd").chmod(0o600)

    seen = visible(prepare(host, tmp_path), tmp_path)

    assert "mine" in seen
    assert "etc/passwd" not in seen


def test_a_secret_cannot_be_uncovered_from_inside(host: Path, tmp_path: Path) -> None:
    script = "rm -rf etc/app; mkdir etc/app; cat etc/app/token; mv etc/ssh etc/ssh2; cat etc/ssh2/*"
    result = run_in(prepare(host, tmp_path), tmp_path / "root", script)

    assert "content of" not in result.stdout


def test_writes_stay_in_the_container(host: Path, tmp_path: Path) -> None:
    run_in(prepare(host, tmp_path), tmp_path / "root", "echo changed > etc/passwd; rm usr/bin/su")

    assert (host / "etc/passwd").read_text() == "content of etc/passwd\n"
    assert (host / "usr/bin/su").exists()


def test_the_root_has_the_usual_directories(host: Path, tmp_path: Path) -> None:
    script = (
        "stat -c '%A %n' tmp var/tmp root usr etc proc run etc/resolv.conf etc/hosts;"
        "readlink bin etc/mtab var/run"
    )
    result = run_in(prepare(host, tmp_path), tmp_path / "root", script)

    assert result.stdout.splitlines() == [
        "drwxrwxrwt tmp",
        "drwxrwxrwt var/tmp",
        "drwx------ root",
        "drwxr-xr-x usr",
        "drwxr-xr-x etc",
        "dr-xr-xr-x proc",
        "drwxr-xr-x run",
        "-rw-r--r-- etc/resolv.conf",
        "-rw-r--r-- etc/hosts",
        "usr/bin",
        "/proc/mounts",
        "/run",
    ], result.stderr


def test_a_directory_below_a_mount_point_is_not_uncovered(host: Path, tmp_path: Path) -> None:
    """Below a mount lies what the host cannot see any more; an overlay would show it."""
    (host / "opt/disk/sub").mkdir(parents=True)
    (host / "opt/disk/below").write_text("content of below\n")
    fake = tmp_path / "mountinfo"
    line = f"1 1 8:1 / {host}/opt/disk{{}} rw - tmpfs tmpfs rw\n"
    fake.write_text(line.format("") + line.format("/sub"))
    image = HostImage(str(tmp_path / "data"), host_root=str(host), mountinfo_path=str(fake))
    rootfs = HostSnapshotter(image).prepare(HOST_IMAGE, str(tmp_path / "snapshot"))

    assert "below" not in visible(rootfs, tmp_path)


def test_nothing_of_the_real_host_is_shown_that_nobody_cannot_read(tmp_path: Path) -> None:
    """Asks the kernel: whatever root inside can open, nobody must be able to open outside."""
    rootfs = HostSnapshotter(HostImage(str(tmp_path / "data"))).prepare(
        HOST_IMAGE, str(tmp_path / "snapshot")
    )
    listing = run_in(
        rootfs, tmp_path / "root", "find etc opt -xdev -type f -print0 | tr '\\0' '\\n'"
    )
    assert listing.returncode == 0, listing.stderr
    generated = {"etc/hosts", "etc/hostname", "etc/resolv.conf"}
    shown = sorted(set(listing.stdout.splitlines()) - generated)
    assert "etc/passwd" in shown

    probe = 'for f; do [ -r "$f" ] || echo "$f"; done'
    unreadable: list[str] = []
    for start in range(0, len(shown), 500):
        result = subprocess.run(
            [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=-all",
                "sh",
                "-c",
                probe,
                "sh",
                *shown[start : start + 500],
            ],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        unreadable += result.stdout.splitlines()
    assert unreadable == []


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox-static")
def test_an_image_of_unpacked_layers_runs_its_own_programs(tmp_path: Path) -> None:
    """Two hand-made layers over busybox: the upper replaces a file and whites out another."""
    bottom, top = tmp_path / "bottom", tmp_path / "top"
    for layer in (bottom, top):
        (layer / "bin").mkdir(parents=True)
        (layer / "etc").mkdir()
    shutil.copy2(str(shutil.which("busybox")), bottom / "bin/busybox")
    (bottom / "bin/sh").symlink_to("busybox")
    (bottom / "etc/version").write_text("old\n")
    (bottom / "etc/gone").write_text("gone\n")
    (top / "etc/version").write_text("new\n")
    os.mknod(top / "etc/gone", 0o020000, os.makedev(0, 0))
    snapshotter = OverlaySnapshotter(lambda _: (str(top), str(bottom)))

    rootfs = snapshotter.prepare(ImageId("sha256:1"), str(tmp_path / "snapshot"))
    inside = "b=/bin/busybox; $b cat /etc/version; $b ls /etc; echo x >>/etc/version; $b ls /"
    script = f"chroot . /bin/sh -c '{inside}'"
    result = run_in(rootfs, tmp_path / "root", script)

    assert result.stdout.splitlines() == ["new", "version", "bin", "etc"], result.stderr
    assert (top / "etc/version").read_text() == "new\n"
    snapshotter.remove(str(tmp_path / "snapshot"))
    assert not (tmp_path / "snapshot").exists()
