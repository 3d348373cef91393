"""What a compose file says about mounts, volumes, configs and secrets, word by word."""

from __future__ import annotations

import os
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

HEADER = """
name: words
x-asleep: &asleep
  image: host
  network_mode: none
  command: ["sleep", "1000"]
  stop_grace_period: 0s
"""


def write(orchestra: Orchestra, text: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(HEADER + textwrap.dedent(text))


def inside(orchestra: Orchestra, service: str, command: str, *, code: int = 0) -> str:
    return orchestra("exec", "-T", service, "sh", "-c", command, code=code).out


def test_kinds_of_mounts(orchestra: Orchestra, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("from the host\n")
    write(
        orchestra,
        f"""
        services:
          prepares:
            image: host
            network_mode: none
            command: ["mkdir", "-p", "/srv/data/a/b"]
            volumes: ["data:/srv/data"]
          web:
            <<: *asleep
            depends_on: {{prepares: {{condition: service_completed_successfully}}}}
            tmpfs: ["/srv/short:size=1m,mode=700"]
            volumes:
              - {tmp_path}:/srv/bind
              - {tmp_path}:/srv/labelled:ro,z
              - {tmp_path}/sub/file:/srv/one-file:Z
              - data:/srv/data
              - {{type: volume, target: /srv/anonymous, volume: {{labels: {{of: anonymous}}}}}}
              - {{type: bind, source: {tmp_path}, target: /srv/private, read_only: true,
                  bind: {{propagation: rprivate, selinux: z}}}}
              - {{type: volume, source: data, target: /srv/part, volume: {{subpath: a/b}}}}
              - {{type: volume, source: empty, target: /etc/alternatives, volume: {{nocopy: true}}}}
              - {{type: volume, source: copied, target: /etc/init.d}}
              - {{type: tmpfs, target: /srv/long, tmpfs: {{size: 2m, mode: 0o1770}}}}
        volumes: {{data: {{}}, empty: {{}}, copied: {{name: another_name, labels: {{a: b}}}}}}
        """,
    )
    orchestra("up", "-d")
    assert inside(orchestra, "web", "cat /srv/one-file /srv/bind/sub/file").count("the host") == 2
    assert inside(orchestra, "web", "touch /srv/labelled/x 2>/dev/null || echo no") == "no\n"
    assert inside(orchestra, "web", "touch /srv/private/x 2>/dev/null || echo no") == "no\n"
    inside(orchestra, "web", "echo > /srv/part/made; test -e /srv/data/a/b/made")
    assert inside(orchestra, "web", "ls /etc/alternatives") == ""
    assert inside(orchestra, "web", "ls /etc/init.d").split() == sorted(os.listdir("/etc/init.d"))
    modes = inside(orchestra, "web", "stat -c '%a %n' /srv/short /srv/long")
    assert modes == "700 /srv/short\n1770 /srv/long\n"
    mounts = inside(orchestra, "web", "grep -o '/srv/[a-z]* tmpfs.*size=[0-9]*k' /proc/mounts")
    assert [line.split("size=")[1] for line in mounts.splitlines()] == ["2048k", "1024k"] or [
        line.split("size=")[1] for line in mounts.splitlines()
    ] == ["1024k", "2048k"]
    names = orchestra("volume", "ls", "-q").out.split()
    assert {"another_name", "words_data", "words_empty"} < set(names)
    assert [len(name) for name in names if name not in ("another_name", "words_data",
            "words_empty")] == [64]  # fmt: skip
    assert orchestra("volume", "ls", "-q", "--filter", "label=a=b").out == "another_name\n"
    labelled = orchestra("volume", "ls", "-q", "--filter", "label=of=anonymous").out.split()
    assert [len(name) for name in labelled] == [64]
    assert orchestra("volume", "ls", "-q", "-f", "label=com.docker.compose.volume=data").out == (
        "words_data\n"
    )


def test_mounts_of_the_host_arrive_where_propagation_asks_for_it(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "shared", tmp_path], check=True)
    subprocess.run(["mount", "--make-shared", tmp_path], check=True)
    (tmp_path / "later").mkdir()
    write(
        orchestra,
        f"""
        services:
          slave:
            <<: *asleep
            volumes:
              - {{type: bind, source: {tmp_path}, target: /srv, bind: {{propagation: rslave}}}}
          private:
            <<: *asleep
            volumes: ["{tmp_path}:/srv"]
        """,
    )
    try:
        orchestra("up", "-d")
        subprocess.run(["mount", "-t", "tmpfs", "later", tmp_path / "later"], check=True)
        assert inside(orchestra, "slave", "grep -c /srv/later /proc/mounts") == "1\n"
        assert inside(orchestra, "private", "grep -c /srv/later /proc/mounts || true") == "0\n"
    finally:
        orchestra("down")
        subprocess.run(["umount", "-R", tmp_path], check=True)


def test_mounts_below_a_bind(orchestra: Orchestra, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "below", tmp_path / "below"], check=True)
    (tmp_path / "below" / "file").write_text("x")
    bind = f"type: bind, source: {tmp_path}, target: /srv"
    write(
        orchestra,
        f"""
        services:
          all: {{<<: *asleep, volumes: [{{{bind}, read_only: true}}]}}
          forced:
            <<: *asleep
            volumes: [{{{bind}, read_only: true, bind: {{recursive: readonly}}}}]
          open:
            <<: *asleep
            volumes: [{{{bind}, read_only: true, bind: {{recursive: writable}}}}]
          none: {{<<: *asleep, volumes: [{{{bind}, bind: {{recursive: disabled}}}}]}}
        """,
    )
    try:
        orchestra("up", "-d")
        writes = "echo > /srv/below/file 2>/dev/null && echo below; echo > /srv/new && echo top"
        for service in ("all", "forced"):
            assert inside(orchestra, service, f"({writes}) 2>/dev/null || true") == ""
        assert inside(orchestra, "open", f"({writes}) 2>/dev/null || true") == "below\n"
        assert inside(orchestra, "none", "ls /srv/below") == ""
    finally:
        orchestra("down")
        subprocess.run(["umount", tmp_path / "below"], check=True)


def test_configs_and_secrets_have_the_owner_and_mode_that_was_asked_for(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    (tmp_path / "motd").write_text("hello\n")
    write(
        orchestra,
        f"""
        services:
          web:
            <<: *asleep
            environment: [SHELL=/bin/sh]
            configs:
              - plain
              - {{source: motd, target: /srv/motd, uid: "7", gid: "8", mode: 0o640}}
            secrets:
              - key
              - {{source: key, target: other, uid: "9", gid: "10", mode: 0o400}}
              - {{source: from_env, target: /srv/from-env}}
        configs:
          plain: {{content: "inline\\n"}}
          motd: {{file: {tmp_path}/motd}}
        secrets:
          key: {{file: {tmp_path}/motd}}
          from_env: {{environment: WORDS_KEY}}
        """,
    )
    orchestra("up", "-d", env={"WORDS_KEY": "s3cret"})
    files = "/plain /srv/motd /run/secrets/key /run/secrets/other /srv/from-env"
    assert inside(orchestra, "web", f"stat -c '%n %u %g %a' {files}").splitlines() == [
        "/plain 0 0 444",
        "/srv/motd 7 8 640",
        "/run/secrets/key 0 0 444",
        "/run/secrets/other 9 10 400",
        "/srv/from-env 0 0 444",
    ]
    assert inside(orchestra, "web", f"cat {files}") == "inline\nhello\nhello\nhello\ns3cret"


@pytest.mark.parametrize(
    ("user", "owner"),
    [("", "1234 99"), ('user: "4321:98"', "4321 98"), ("user: www-data", "1234 99")],
)
def test_a_missing_bind_source_belongs_to_who_needs_it(
    orchestra: Orchestra, user: str, owner: str
) -> None:
    os.chown(orchestra.directory, 1234, 99)
    write(
        orchestra, f"services:\n  web:\n    <<: *asleep\n    volumes: ['./a/b:/srv']\n    {user}\n"
    )
    orchestra("up", "-d")
    for made in ("a", "a/b"):
        found = os.stat(os.path.join(orchestra.directory, made))
        assert f"{found.st_uid} {found.st_gid}" == owner
    if "4321" in user:
        inside(orchestra, "web", "touch /srv/mine")


def test_a_missing_subpath_and_a_missing_source_are_told(orchestra: Orchestra) -> None:
    write(
        orchestra,
        """
        services:
          web:
            <<: *asleep
            volumes: [{type: volume, source: data, target: /srv, volume: {subpath: absent}}]
        volumes: {data: {}}
        """,
    )
    refused = orchestra("up", "-d", code=1)
    assert "absent" in refused.err


def test_an_external_volume_of_another_name(orchestra: Orchestra) -> None:
    orchestra("volume", "create", "elsewhere")
    write(
        orchestra,
        """
        services: {web: {<<: *asleep, volumes: ["data:/srv"]}}
        volumes: {data: {external: true, name: elsewhere}}
        """,
    )
    orchestra("up", "-d")
    inside(orchestra, "web", "echo kept > /srv/file")
    orchestra("down", "-v")
    where = orchestra("volume", "inspect", "-f", "{{.Mountpoint}}", "elsewhere").out.strip()
    with open(os.path.join(where, "file")) as file:
        assert file.read() == "kept\n"
    orchestra("volume", "rm", "elsewhere")
