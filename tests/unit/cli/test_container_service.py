"""The flags of `docker run` as a service: what they mean, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cli.container_flags import CREATE_FLAGS, RUN_FLAGS
from orchestra.cli.container_service import service_of
from orchestra.cli.context import Context
from orchestra.cli.flags import UsageError, parse
from orchestra.cli.globals import GlobalOptions
from orchestra.model.container import RestartMode, Ulimit
from orchestra.model.service import VolumeKind

if TYPE_CHECKING:
    from orchestra.model.service import Service


def service(*words: str) -> Service:
    args = parse((*CREATE_FLAGS, *RUN_FLAGS), [*words, "image", "cmd", "-x"], interspersed=False)
    return service_of("name", args, Context(GlobalOptions(), {"HERE": "yes"}, "/home/me"))


def test_the_words_after_the_image_are_the_command() -> None:
    found = service()
    assert (found.image, found.command, found.entrypoint) == ("image", ("cmd", "-x"), None)
    assert [use.key for use in found.networks] == ["bridge"]


def test_plain_flags() -> None:
    found = service(
        *("-it", "-u", "1:2", "-w", "/w", "-h", "box", "--init", "--privileged", "-m", "64m"),
        *("--cpus", "1.5", "--pids-limit", "7", "--shm-size", "1m", "--restart", "on-failure:3"),
        *("--entrypoint", "a b", "--ulimit", "nofile=1:2", "--stop-timeout", "3", "--read-only"),
    )
    assert (found.tty, found.stdin_open, found.user, found.init) == (True, True, "1:2", True)
    assert (found.resources.memory_bytes, found.resources.cpu_nanos) == (64 << 20, 1_500_000_000)
    assert (found.resources.pids, found.shm_bytes, found.stop_grace_s) == (7, 1 << 20, 3.0)
    assert (found.restart.mode, found.restart.max_attempts) == (RestartMode.ON_FAILURE, 3)
    assert found.entrypoint == ("a b",)
    assert found.ulimits == (Ulimit(name="nofile", soft=1, hard=2),)
    assert found.security.privileged
    assert found.security.read_only_root


def test_variables_come_from_the_caller_or_the_flag() -> None:
    found = service("-e", "A=1=2", "-e", "HERE", "-e", "ABSENT", "-l", "a", "-l", "b=c")
    assert found.environment == (("A", "1=2"), ("HERE", "yes"))
    assert found.labels == (("a", ""), ("b", "c"))


def test_mounts_of_both_grammars() -> None:
    found = service(
        *("-v", "./x:/x:ro", "-v", "data:/data", "-v", "/anonymous", "--mount"),
        *("type=bind,src=/s,dst=/d,readonly,bind-propagation=rslave", "--mount"),
        *("source=vol,target=/vol,type=volume,volume-nocopy", "--mount"),
        *("type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=700", "--tmpfs", "/run:size=1m"),
    )
    relative, data, anonymous, bind, volume, tmpfs = found.volumes
    assert (relative.source, relative.read_only) == ("/home/me/x", True)
    assert (data.kind, data.source) == (VolumeKind.VOLUME, "data")
    assert anonymous.source == ""
    assert (bind.source, bind.target, bind.read_only) == ("/s", "/d", True)
    assert (bind.propagation, bind.create_host_path) == ("rslave", False)
    assert (volume.source, volume.no_copy) == ("vol", True)
    assert (tmpfs.tmpfs_bytes, tmpfs.tmpfs_mode) == (1 << 20, 0o700)
    assert found.tmpfs == ("/run:size=1m",)


def test_networks_keep_their_order_and_details() -> None:
    found = service(
        *("--network", "zoo", "--network", "name=app,alias=a,alias=b,ip=10.0.0.2"),
        *("--network-alias", "first", "--link", "db:database"),
    )
    assert [use.key for use in found.networks] == ["zoo", "app"]
    assert found.networks[0].aliases == ("first",)
    assert found.networks[1].aliases == ("a", "b")
    assert found.networks[1].ipv4_address == "10.0.0.2"
    assert found.external_links == (("db", "database"),)
    assert service("--net", "container:x").network_mode == "container:x"


def test_health_checks() -> None:
    check = service("--health-cmd", "ok", "--health-interval", "2s").healthcheck
    assert check is not None
    assert (check.test, check.interval_s) == (("CMD-SHELL", "ok"), 2.0)
    off = service("--no-healthcheck").healthcheck
    assert off is not None
    assert off.disable


@pytest.mark.parametrize(
    "words",
    [
        "--memory much", "--cpus many", "--ulimit nofile", "--restart sometimes", "--add-host x",
        "--mount type=bind,target=/x", "--mount type=image,target=/x", "--mount target=x",
        "--mount type=volume,target=/x,nope=1", "--network name=a,nope=1", "--network alias=x",
        "--network a --network a", "--network host --network b", "--network none --ip 10.0.0.1",
        "--network container:x -p 80", "--no-healthcheck --health-cmd x", "--expose x",
        "--health-interval soon", "--device-read-bps nowhere:1",
        "--publish 80800:80", "--volume a:b:c:d", "--sysctl x", "--log-opt x", "--cpuset-mems 0",
        "--mount type=tmpfs,target=/x,tmpfs-size=much", "--network name=a,gw-priority=high",
    ],
)  # fmt: skip
def test_bad_words_name_their_flag(words: str) -> None:
    with pytest.raises(UsageError) as raised:
        service(*words.split())
    flag = words.split()[0].removeprefix("--").partition("-")[0]
    assert flag in str(raised.value) or "conflicting" in str(raised.value)


@pytest.mark.parametrize("flag", ["--mount", "--network"])
def test_a_value_of_two_lines_is_refused(flag: str) -> None:
    with pytest.raises(UsageError, match=flag):
        service(flag, "type=volume,target=/x,name=a\nsource=b")


def test_ports_that_run_backwards_are_refused() -> None:
    with pytest.raises(UsageError, match="--expose"):
        service("--expose", "90-80")
