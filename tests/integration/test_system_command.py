"""`system df` and `system prune`: what takes space, and what goes when nobody uses it."""

from __future__ import annotations

import json
import os
import re
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


@pytest.fixture
def demo(orchestra: Orchestra) -> Orchestra:
    """The command, with a project `demo` that runs one service and has ended the other."""
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"]}
    path = os.path.join(orchestra.directory, "image.tar")
    for name, layers in (
        ("app:1", [busybox_layer()]),
        ("spare:1", [busybox_layer(), files_layer({"more": b"x" * 100_000})]),
    ):
        with open(path, "wb") as file:
            file.write(docker_archive(name, layers, settings))
        orchestra("image", "load", "-i", path)
    write_compose(
        orchestra,
        "name: demo\n"
        "services:\n"
        "  app: {image: 'app:1', volumes: ['kept:/kept', '/anonymous']}\n"
        "  over: {image: 'app:1', command: 'sh -c \"head -c 50000 /dev/zero > /file\"'}\n"
        "volumes: {kept: {}}\n",
    )
    orchestra("up", "-d")
    orchestra("wait", "over")
    return orchestra


def totals(orchestra: Orchestra) -> dict[str, dict[str, str]]:
    lines = orchestra("system", "df", "--format", "json").out.splitlines()
    return {line["Type"]: line for line in map(json.loads, lines)}


def test_df_tells_what_is_there_and_what_could_go(demo: Orchestra) -> None:
    found = totals(demo)

    counts = {kind: (line["TotalCount"], line["Active"]) for kind, line in found.items()}
    assert counts == {
        "Images": ("2", "1"),
        "Containers": ("2", "1"),
        "Local Volumes": ("2", "2"),
        "Build Cache": ("0", "0"),
    }
    assert found["Containers"]["Reclaimable"] == "50kB (100%)"
    details = demo("system", "df", "-v").out
    assert "100kB" in next(line for line in details.splitlines() if line.startswith("spare"))
    assert "demo-over-1" in details
    assert "demo_kept" in details


def test_prune_takes_what_has_ended_and_nothing_that_lives(demo: Orchestra) -> None:
    pruned = demo("system", "prune", "-f", "--volumes").out

    assert pruned.startswith("Deleted Containers:\n")
    assert "Total reclaimed space: 50" in pruned
    assert demo("ps", "-aq").out.count("\n") == 1
    assert len(demo("image", "ls", "-q").out.split()) == 2
    assert demo("exec", "-T", "app", "ls", "/kept").code == 0
    assert totals(demo)["Local Volumes"]["TotalCount"] == "2"


def test_prune_all_after_down_leaves_only_named_volumes(demo: Orchestra) -> None:
    demo("down", "-t", "0")

    pruned = demo("system", "prune", "-af", "--volumes").out

    assert "untagged: spare:1" in pruned
    found = totals(demo)
    assert found["Images"]["Size"] == "0B"
    assert "demo_kept" in demo("system", "df", "-v").out


def test_filters_spare_what_is_young_or_labelled(demo: Orchestra) -> None:
    demo("system", "prune", "-af", "--filter", "until=1h")
    assert demo("ps", "-aq").out.count("\n") == 2

    demo("system", "prune", "-af", "--filter", "label=nobody.has.this")
    assert demo("ps", "-aq").out.count("\n") == 2
    assert "invalid filter" in demo("system", "prune", "-f", "--filter", "x=y", code=1).err


def test_networks_of_stopped_projects_go(demo: Orchestra) -> None:
    demo("stop", "-t", "0")

    pruned = demo("system", "prune", "-f").out

    assert "Deleted Networks:\ndemo_default\n" in pruned
    assert demo("ps", "-aq").out == ""


def test_the_user_is_asked_first(demo: Orchestra) -> None:
    asked = demo("system", "prune", "-a", stdin="n\n")

    assert "Are you sure" in asked.err
    assert asked.out == ""
    assert demo("ps", "-aq").out.count("\n") == 2


def built(demo: Orchestra, text: str) -> None:
    """Build app:built with *text* in it, in two steps."""
    with open(os.path.join(demo.directory, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write(
            "FROM app:1 AS other\nRUN head -c 30000 /dev/zero > /other\n"
            f"FROM app:1\nRUN echo {text} > /text\n"
            "RUN --mount=from=other,target=/other head -c 20000 /other/other > /part\n"
        )
    demo("image", "build", "-t", "app:built", ".")


def test_what_builds_keep_has_a_line_and_goes_unless_an_image_has_it(demo: Orchestra) -> None:
    built(demo, "first")
    found = totals(demo)["Build Cache"]
    assert int(found["TotalCount"]) >= 3
    assert found["Size"].startswith("3")  # the other stage; the rest are the image's layers
    details = demo("system", "df", "-v").out
    assert f"\nBuild cache usage: {found['Size']}\n" in details
    lines = details[details.index("CACHE ID") :].splitlines()
    assert re.split("  +", lines[0].strip()) == [
        "CACHE ID",
        "CACHE TYPE",
        "SIZE",
        "CREATED",
        "LAST USED",
        "USAGE",
        "SHARED",
    ]
    assert [line.split()[-1] for line in lines if found["Size"] in line] == ["false"]

    pruned = demo("system", "prune", "-f", "--filter", "label!=x").out
    assert "Deleted build cache objects:\n" in pruned
    assert totals(demo)["Build Cache"]["Size"] == "0B"
    assert "CACHED" in demo("image", "build", "--progress", "plain", ".").err
    demo("system", "prune", "-af")
    assert totals(demo)["Build Cache"]["TotalCount"] == "0"


def test_a_filter_for_labels_spares_what_builds_keep(demo: Orchestra) -> None:
    built(demo, "first")
    demo("system", "prune", "-af", "--filter", "label=nobody.has.this")
    assert totals(demo)["Build Cache"]["TotalCount"] != "0"
