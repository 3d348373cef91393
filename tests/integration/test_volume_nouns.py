"""`orchestra volume …` and `volumes`: flags, columns and exit codes as Docker has them."""

from __future__ import annotations

import json
import os
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

SHOP = """
    name: shop
    x-asleep: &asleep
      image: host
      network_mode: none
      command: ["sleep", "1000"]
      stop_grace_period: 0s
    services:
      db: {<<: *asleep, volumes: ["data:/srv/data"]}
      cache:
        <<: *asleep
        volumes: ["scratch:/srv/scratch", "shared:/srv/shared", "/srv/anonymous"]
    volumes:
      data: {labels: {tier: back}}
      scratch: {}
      shared: {external: true}
"""


def write(orchestra: Orchestra, text: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(textwrap.dedent(text))


def test_a_created_volume_is_listed_inspected_used_and_removed(orchestra: Orchestra) -> None:
    assert orchestra("volume", "create", "--label", "tier=web", "shared").out == "shared\n"
    assert orchestra("volume", "create", "shared").out == "shared\n"  # there already is fine
    write(orchestra, SHOP)
    orchestra("up", "-d")

    listed = orchestra("volume", "ls", "--filter", "name=sh").out.splitlines()
    assert listed == [
        "DRIVER    VOLUME NAME",
        "local     shared",
        "local     shop_data",
        "local     shop_scratch",
    ]
    (inspected,) = json.loads(orchestra("volume", "inspect", "shared").out)
    assert list(inspected) == [
        "CreatedAt", "Driver", "Labels", "Mountpoint", "Name", "Options", "Scope",
    ]  # fmt: skip
    assert inspected["Labels"] == {"tier": "web"}
    where = orchestra("volume", "inspect", "-f", "{{.Mountpoint}}", "shop_data").out.strip()
    orchestra("exec", "-T", "db", "sh", "-c", "echo here > /srv/data/x")
    with open(os.path.join(where, "x")) as file:
        assert file.read() == "here\n"

    refused = orchestra("volume", "rm", "shared", "shop_data", code=1)
    assert 'volume "shared" is in use by shop-cache-1' in refused.err
    assert 'volume "shop_data" is in use by shop-db-1' in refused.err
    refused = orchestra("volume", "rm", "-f", "shared", code=1)  # force takes it from nobody
    assert "shop-cache-1" in refused.err
    orchestra("down")
    assert orchestra("volume", "rm", "shared", "shop_data").out == "shared\nshop_data\n"
    assert orchestra("volume", "ls", "-q", "-f", "name=shared").out == ""


def test_what_is_missing_is_an_error_but_for_the_rest(orchestra: Orchestra) -> None:
    orchestra("volume", "create", "there")
    found = orchestra("volume", "inspect", "nowhere", "there", code=1)
    assert json.loads(found.out)[0]["Name"] == "there"
    assert "no such volume" in found.err
    removed = orchestra("volume", "rm", "nowhere", "there", code=1)
    assert (removed.out, "no such volume" in removed.err) == ("there\n", True)
    orchestra("volume", "rm", "-f", "nowhere")


def test_filters_and_formats(orchestra: Orchestra) -> None:
    orchestra("volume", "create", "shared")
    write(orchestra, SHOP)
    orchestra("up", "-d")
    ls = ("volume", "ls", "-q")
    assert orchestra(*ls, "-f", "label=tier=back").out == "shop_data\n"
    assert orchestra(*ls, "-f", "label=tier=back", "-f", "label=nothing").out == ""
    assert orchestra(*ls, "-f", "driver=nfs").out == ""
    assert orchestra(*ls, "-f", "dangling=true").out == ""
    orchestra("stop")
    assert "shop_data" not in orchestra(*ls, "-f", "dangling=true").out  # stopped ones hold theirs
    orchestra("rm", "-f", "db")
    assert orchestra(*ls, "-f", "dangling=1").out == "shop_data\n"
    assert "shop_data" not in orchestra(*ls, "-f", "dangling=0").out
    table = orchestra("volume", "ls", "--format", "table {{.Name}}\t{{.Driver}}", "-f", "name=data")
    assert table.out == "VOLUME NAME   DRIVER\nshop_data     local\n"
    record = json.loads(orchestra("volume", "ls", "--format", "json", "-f", "name=scratch").out)
    assert (record["Name"], record["Links"], record["Scope"]) == ("shop_scratch", "N/A", "local")
    assert "invalid filter 'size'" in orchestra("volume", "ls", "-f", "size=3", code=1).err
    assert "write true or false" in orchestra("volume", "ls", "-f", "dangling=x", code=1).err


def test_prune_takes_unnamed_ones_and_with_all_named_ones(orchestra: Orchestra) -> None:
    unnamed = orchestra("volume", "create").out.strip()
    assert len(unnamed) == 64
    orchestra("volume", "create", "kept", "--label", "keep")
    orchestra("volume", "create", "named")
    asked = orchestra("volume", "prune", stdin="n\n")
    assert "WARNING! This will remove anonymous local volumes" in asked.err
    assert orchestra("volume", "ls", "-q", "-f", f"name={unnamed}").out == f"{unnamed}\n"

    pruned = orchestra("volume", "prune", "-f").out
    assert pruned == f"Deleted Volumes:\n{unnamed}\n\nTotal reclaimed space: 0B\n"
    pruned = orchestra("volume", "prune", "-af", "--filter", "label!=keep").out
    assert pruned.startswith("Deleted Volumes:\nnamed\n\n")
    assert orchestra("volume", "ls", "-q").out == "kept\n"
    orchestra("volume", "prune", "-a", "--filter", "all=1", code=1)


def test_driver_options(orchestra: Orchestra, tmp_path: Path) -> None:
    opts = ("-o", "type=none", "-o", "o=bind", "-o", f"device={tmp_path}")
    orchestra("volume", "create", *opts, "shared")
    write(orchestra, SHOP)
    orchestra("up", "-d")
    orchestra("exec", "-T", "cache", "touch", "/srv/shared/made")
    assert os.listdir(tmp_path) == ["made"]
    orchestra("down")
    orchestra("volume", "rm", "shared")
    assert os.listdir(tmp_path) == ["made"]

    orchestra("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=4m,uid=7",
              "shared")  # fmt: skip
    orchestra("up", "-d")
    mounted = orchestra("exec", "-T", "cache", "grep", " /srv/shared ", "/proc/mounts").out
    assert " tmpfs " in mounted
    assert "size=4096k" in mounted
    assert "uid=7" in mounted
    orchestra("down")

    refused = orchestra("volume", "create", "-d", "rexray", "other", code=1)
    assert 'the driver "rexray" is not available' in refused.err
    refused = orchestra("volume", "create", "-d", "rexray", "shared", code=1)
    assert "already exists with the local driver" in refused.err
    assert "is not a volume name" in orchestra("volume", "create", "../x", code=1).err


def test_volumes_of_a_project_and_of_services(orchestra: Orchestra) -> None:
    orchestra("volume", "create", "shared")
    write(orchestra, SHOP)
    orchestra("up", "-d")
    assert orchestra("volumes").out == (
        "DRIVER    VOLUME NAME\nlocal     shop_data\nlocal     shop_scratch\n"
    )
    assert orchestra("volumes", "-q", "db").out == "shop_data\n"
    assert orchestra("-p", "shop", "volumes", "-q", "cache").out == "shop_scratch\n"
    assert json.loads(orchestra("volumes", "--format", "json", "db").out)["Name"] == "shop_data"
    assert "no such service" in orchestra("volumes", "nope", code=1).err.lower()
