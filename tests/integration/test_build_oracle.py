"""The same context through a Docker Engine and through orchestra: equal trees, equal settings.

Every Dockerfile of `dockerfiles/oracle` goes through the engine's BuildKit, to which Docker Compose
speaks, and one through the classic builder. Left out of the comparison:

- times, and which of a file's hard links is told as the link;
- what BuildKit leaves of the mount points of a RUN, which we remove;
- attributes `user.*`, which an engine does not save;
- with the classic builder: set-user-id bits, which its client drops.

The engine is of 2022, and what later ones do otherwise is not here: `--chmod` keeps set-id bits
beside `--chown`, `ADD --chown` counts for archives, ids go up to 32 bits, and COPY takes FIFOs and
devices. `test_build_golden.py` has those.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.build_oracle import (
    BASE,
    Tree,
    differences,
    hard_links_of,
    make_context,
    settings_that_differ,
    tree_of,
)
from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.scenario import Orchestra

_REASON = why_no_engine() or (None if shutil.which("busybox") else "needs busybox-static")
pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_REASON), reason=_REASON or ""),
]

COMPOSE = find_compose()
DOCKERFILES = os.path.join(os.path.dirname(__file__), "dockerfiles", "oracle")
NAMES = sorted(
    name.removesuffix(".Dockerfile")
    for name in os.listdir(DOCKERFILES)
    if name.endswith(".Dockerfile")
)
MOUNT_POINTS = ("dev", "proc", "sys", "etc/hosts", "etc/resolv.conf", "m", "t", "tools")
"""What BuildKit leaves of the mounts of a RUN, and of copies of it."""
WITHOUT_SET_ID = 0o1777


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    with DockerEngine() as running:
        running.import_busybox(BASE)
        running.run(["docker", "save", BASE, "-o", f"{running.root}/base.tar"])
        yield running


@pytest.fixture
def context(tmp_path: Path) -> str:
    path = str(tmp_path / "context")
    make_context(path)
    with open(f"{tmp_path}/compose.yaml", "w", encoding="utf-8") as file:
        file.write(
            "services: {same: {image: 'same:1', "
            "build: {context: ./context, network: none, args: {GIVEN: given}}}}\n"
        )
    return path


def write_dockerfile(context: str, name: str) -> None:
    shutil.copy(f"{DOCKERFILES}/{name}.Dockerfile", f"{context}/Dockerfile")
    ignore = f"{DOCKERFILES}/{name}.Dockerfile.dockerignore"
    if os.path.exists(ignore):
        shutil.copy(ignore, f"{context}/Dockerfile.dockerignore")


def build_ours(orchestra: Orchestra, engine: DockerEngine, context: str) -> str:
    """The archive of the image that orchestra makes."""
    archive = f"{os.path.dirname(context)}/ours.tar"
    orchestra("image", "load", "-q", "-i", f"{engine.root}/base.tar")
    flags = ("-q", "-t", "same:1", "--network", "none", "--build-arg", "GIVEN=given")
    orchestra("image", "build", *flags, context)
    orchestra("image", "save", "same:1", "-o", archive)
    return archive


def assert_same_settings(orchestra: Orchestra, engine: DockerEngine) -> None:
    theirs = json.loads(engine.run(["docker", "inspect", "same:1"]))[0]["Config"]
    ours = json.loads(orchestra("image", "inspect", "same:1").out)[0]["Config"]
    assert settings_that_differ(ours, theirs) == {}


def without_mount_points(tree: Tree) -> Tree:
    ends = tuple(f"tree/{stub}" for stub in MOUNT_POINTS)
    return {
        path: entry
        for path, entry in tree.items()
        if path not in MOUNT_POINTS and not path.endswith(ends)
    }


@pytest.mark.parametrize("name", NAMES)
def test_buildkit_makes_the_same_image(
    name: str, engine: DockerEngine, orchestra: Orchestra, context: str
) -> None:
    if COMPOSE is None:
        pytest.skip("needs Docker Compose, which speaks to the engine's BuildKit")
    write_dockerfile(context, name)
    theirs = f"{os.path.dirname(context)}/theirs.tar"
    engine.run([COMPOSE, "-f", f"{os.path.dirname(context)}/compose.yaml", "build"])
    engine.run(["docker", "save", "same:1", "-o", theirs])
    ours = build_ours(orchestra, engine, context)
    trees = [without_mount_points(tree_of(each, mode_bits=0o7777)) for each in (ours, theirs)]
    assert differences(*trees) == {}
    assert hard_links_of(ours) == hard_links_of(theirs)
    assert_same_settings(orchestra, engine)


def test_the_classic_builder_makes_the_same_image(
    engine: DockerEngine, orchestra: Orchestra, context: str
) -> None:
    write_dockerfile(context, "classic")
    theirs = f"{os.path.dirname(context)}/theirs.tar"
    flags = ["-q", "--network", "none", "-t", "same:1", "--build-arg", "GIVEN=given"]
    engine.run(["env", "DOCKER_BUILDKIT=0", "docker", "build", *flags, context])
    engine.run(["docker", "save", "same:1", "-o", theirs])
    ours = build_ours(orchestra, engine, context)
    trees = [tree_of(each, mode_bits=WITHOUT_SET_ID) for each in (ours, theirs)]
    assert differences(*trees) == {}
    assert_same_settings(orchestra, engine)
