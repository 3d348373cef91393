"""Volumes as a person meets them: filled from the image, kept by `down`, taken by `down -v`."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def project(orchestra: Orchestra, text: str) -> Orchestra:
    """Write compose.yaml; services are asleep without a network unless they say otherwise."""
    header = """
        x-asleep: &asleep
          image: host
          network_mode: none
          command: ["sleep", "1000"]
          stop_grace_period: 0s
    """
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(textwrap.dedent(header) + textwrap.dedent(text))
    return orchestra


def volume_names(orchestra: Orchestra) -> list[str]:
    root = os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "volumes")
    return sorted(name for name in os.listdir(root) if not name.startswith("."))


NAMED = """
    name: shop
    services:
      db:
        <<: *asleep
        volumes: ["data:/etc/alternatives"]
    volumes: {data: {}}
"""


def test_a_new_named_volume_has_the_images_content(orchestra: Orchestra) -> None:
    project(orchestra, NAMED)("up", "-d")

    names = orchestra("exec", "-T", "db", "ls", "-A", "/etc/alternatives").out.split()
    assert names
    assert sorted(names) == sorted(os.listdir("/etc/alternatives"))
    links = orchestra("exec", "-T", "db", "readlink", f"/etc/alternatives/{names[0]}").out
    assert links.strip() == os.readlink(f"/etc/alternatives/{names[0]}")


def test_a_named_volume_outlives_down_and_goes_with_down_v(orchestra: Orchestra) -> None:
    project(orchestra, NAMED)("up", "-d")
    orchestra("exec", "-T", "db", "sh", "-c", "rm /etc/alternatives/*; echo 1 >/etc/alternatives/x")
    orchestra("down")
    assert volume_names(orchestra) == ["shop_data"]

    orchestra("up", "-d")
    assert orchestra("exec", "-T", "db", "ls", "/etc/alternatives").out.split() == ["x"]
    orchestra("down", "-v")
    assert volume_names(orchestra) == []


def test_nocopy_leaves_it_empty_and_read_only_keeps_it_so(orchestra: Orchestra) -> None:
    text = """
        name: shop
        services:
          db:
            <<: *asleep
            volumes:
              - {type: volume, source: data, target: /etc/alternatives, volume: {nocopy: true}}
              - {type: volume, source: data, target: /srv, read_only: true}
        volumes: {data: {}}
    """
    project(orchestra, text)("up", "-d")

    assert orchestra("exec", "-T", "db", "ls", "-A", "/etc/alternatives").out == ""
    refused = orchestra("exec", "-T", "db", "touch", "/srv/x", code=1)
    assert "Read-only file system" in refused.err


def test_an_anonymous_volume_keeps_the_images_content_below_a_bind(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    """The development set-up: the source mounted over /app, but not over its node_modules."""
    (tmp_path / "file").write_text("mine")
    text = f"""
        name: shop
        services:
          web:
            <<: *asleep
            volumes: ["{tmp_path}:/usr/share/misc-app", "/usr/share/misc-app/../common-licenses"]
    """
    project(orchestra, text)("up", "-d")

    assert orchestra("exec", "-T", "web", "cat", "/usr/share/misc-app/file").out == "mine"
    inside = orchestra("exec", "-T", "web", "ls", "-A", "/usr/share/common-licenses").out.split()
    assert sorted(inside) == sorted(os.listdir("/usr/share/common-licenses"))
    assert len(volume_names(orchestra)) == 1
    orchestra("down", "-v")
    assert volume_names(orchestra) == []


def test_two_services_share_a_volume(orchestra: Orchestra) -> None:
    text = """
        name: shop
        services:
          a: {<<: *asleep, volumes: ["data:/mnt"]}
          b: {<<: *asleep, volumes: ["data:/srv"]}
        volumes: {data: {}}
    """
    project(orchestra, text)("up", "-d")
    orchestra("exec", "-T", "a", "sh", "-c", "echo hello >/mnt/file")

    assert orchestra("exec", "-T", "b", "cat", "/srv/file").out == "hello\n"


def test_driver_opts_bind_uses_the_hosts_directory(orchestra: Orchestra, tmp_path: Path) -> None:
    text = f"""
        name: shop
        services:
          a: {{<<: *asleep, volumes: ["data:/mnt"]}}
        volumes:
          data: {{driver_opts: {{type: none, o: bind, device: "{tmp_path}"}}}}
    """
    project(orchestra, text)("up", "-d")
    orchestra("exec", "-T", "a", "sh", "-c", "echo hello >/mnt/file")
    orchestra("down", "-v")

    assert (tmp_path / "file").read_text() == "hello\n"


def test_a_missing_external_volume_is_named_and_nothing_starts(orchestra: Orchestra) -> None:
    text = """
        name: shop
        services:
          a: {<<: *asleep, volumes: ["data:/mnt"]}
        volumes: {data: {external: true, name: elsewhere}}
    """
    failed = project(orchestra, text)("up", "-d", code=1)

    assert '"elsewhere"' in failed.err
    assert "external" in failed.err
    assert orchestra("ps", "-a", "-q").out == ""


def test_an_unknown_driver_option_is_named(orchestra: Orchestra) -> None:
    text = """
        name: shop
        services:
          a: {<<: *asleep, volumes: ["data:/mnt"]}
        volumes: {data: {driver_opts: {sise: 1g}}}
    """
    failed = project(orchestra, text)("up", "-d", code=None)

    assert failed.code != 0
    assert '"sise"' in failed.err


def test_driver_opts_tmpfs_is_mounted_in_the_container_only(orchestra: Orchestra) -> None:
    text = """
        name: shop
        services:
          a: {<<: *asleep, volumes: ["data:/mnt"]}
        volumes:
          data: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=2m,uid=7,mode=700"}}
    """
    project(orchestra, text)("up", "-d")

    script = "stat -c '%u %a' /mnt; stat -f -c %T /mnt"
    full = "head -c 3m /dev/zero >/mnt/x 2>&1 || ls -s /mnt"
    lines = orchestra("exec", "-T", "a", "sh", "-c", f"{script}; {full}").out.splitlines()
    assert lines[:2] == ["7 700", "tmpfs"]
    assert lines[-1].split() == ["2048", "x"]
    with open("/proc/self/mountinfo") as file:
        assert "size=2048k" not in file.read()


def test_driver_opts_ro_lets_nobody_write(orchestra: Orchestra, tmp_path: Path) -> None:
    text = f"""
        name: shop
        services:
          a: {{<<: *asleep, volumes: ["data:/mnt"]}}
        volumes:
          data: {{driver_opts: {{type: none, o: "bind,ro", device: "{tmp_path}"}}}}
    """
    project(orchestra, text)("up", "-d")

    refused = orchestra("exec", "-T", "a", "touch", "/mnt/x", code=1)
    assert "Read-only file system" in refused.err


def test_a_subdirectory_of_a_volume_is_mounted_alone(orchestra: Orchestra) -> None:
    text = """
        name: shop
        services:
          a: {<<: *asleep, volumes: ["data:/mnt"]}
          b:
            <<: *asleep
            profiles: [later]
            volumes:
              - {type: volume, source: data, target: /srv, volume: {subpath: sub/dir}}
        volumes: {data: {}}
    """
    project(orchestra, text)("up", "-d")
    orchestra("exec", "-T", "a", "sh", "-c", "mkdir -p /mnt/sub/dir; echo 1 >/mnt/sub/dir/file")

    orchestra("--profile", "later", "up", "-d")

    assert orchestra("--profile", "later", "exec", "-T", "b", "ls", "/srv").out == "file\n"
    orchestra("--profile", "later", "down", "-v")
