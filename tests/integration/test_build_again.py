"""Builds that are remembered: told again while nothing that decided them has changed, else built.

The judge is the builder itself: whatever has changed, the image is the one that the builder makes
once the memory is taken away.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from orchestra.build.events import StepEvent, StepPhase
from orchestra.image.store import LocalImageStore
from orchestra.layout import Layout
from orchestra.model.build import BuildSpec, Secret
from orchestra.ops.build import build_again, build_image
from orchestra.ops.builder import prune_build_cache
from orchestra.ops.image_rm import image_rm
from orchestra.ops.recipe import Extras, Recipe, Surroundings
from orchestra.wiring import LocalHost

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.network]

SETTLED_S = 0.15
"""After which `seen` does not take a change for one that may have left the times as they were."""

DOCKERFILE = """\
FROM base AS first
COPY --from=second /made /taken
RUN echo first > /first
FROM scratch AS second
COPY one /made
FROM first
COPY dir /dir/
COPY *.txt /texts/
COPY sub/*/name /names/
RUN --mount=type=bind,source=bound,target=/bound cat /bound/file > /read
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    ".dockerignore": "dir/*\n!dir/shown*\n*.log\n",
    "one": "1",
    "dir/shown": "shown",
    "dir/hidden": "hidden",
    "dir/deep/hidden": "hidden",
    "a.txt": "a",
    "sub/x/name": "x",
    "sub/y/other": "y",
    "bound/file": "bound",
    "nobody/asks": "1",
}


class Bench:
    """A context, its build, and the store where it ends."""

    def __init__(self, directory: str, host: LocalHost, layout: Layout) -> None:
        self.directory = directory
        self.host = host
        self.layout = layout
        self.told: list[StepEvent] = []

    def write(self, name: str, text: str) -> None:
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def recipe(self, *, secrets: dict[str, Secret] | None = None, **fields: object) -> Recipe:
        given = {"context": self.directory, "network": "none", **fields}
        spec = BuildSpec(**given)  # type: ignore[arg-type]
        around = Surroundings(self.directory, {})
        return Recipe(spec, ("app",), secrets or {}, Extras(), around)

    def settle(self) -> None:
        """Let so much time pass that a further change is sure to have another time."""
        time.sleep(SETTLED_S)

    def build(self, recipe: Recipe | None = None) -> str:
        self.told.clear()
        return build_image(self.host, recipe or self.recipe(), self._hear)

    def again(self, recipe: Recipe | None = None) -> str | None:
        """The image's id, if the build is remembered."""
        found = build_again(self.layout, {"": recipe or self.recipe()}, self._hear)
        return None if found is None else found[""]

    def forget(self) -> None:
        shutil.rmtree(os.path.join(self.layout.builds, "finished"), ignore_errors=True)

    def store(self) -> LocalImageStore:
        return LocalImageStore(self.layout.images)

    def _hear(self, service: str, event: StepEvent) -> None:
        del service
        self.told.append(event)


@pytest.fixture
def bench(roots: dict[str, str], tmp_path: Path) -> Bench:
    layout = Layout(roots["ORCHESTRA_DATA_ROOT"], roots["ORCHESTRA_RUN_ROOT"])
    bench = Bench(str(tmp_path / "context"), LocalHost(layout), layout)
    for name, text in FILES.items():
        bench.write(name, text)
    make_base(bench, "1")
    bench.settle()
    return bench


def make_base(bench: Bench, text: str) -> None:
    """The image `base`: the machine's shell is on it, as it is FROM host."""
    spec = BuildSpec(
        context=bench.directory,
        dockerfile_inline=f"FROM host\nRUN echo {text} > /tmp/base\n",
        network="none",
    )
    around = Surroundings(bench.directory, {})
    build_image(bench.host, Recipe(spec, ("base",), {}, Extras(), around), lambda *_: None)


def rename(old: str, new: str) -> Callable[[Bench], object]:
    def change(bench: Bench) -> None:
        os.rename(os.path.join(bench.directory, old), os.path.join(bench.directory, new))

    return change


def writing(name: str, text: str) -> Callable[[Bench], object]:
    return lambda bench: bench.write(name, text)


def swapped_directory(bench: Bench) -> None:
    """`dir` is another directory now, with other files of the same names."""
    bench.write("new/shown", "other")
    rename("dir", "old")(bench)
    rename("new", "dir")(bench)


def link_in_place_of_a_file(bench: Bench) -> None:
    os.unlink(os.path.join(bench.directory, "one"))
    os.symlink("a.txt", os.path.join(bench.directory, "one"))


def same_size_and_time(bench: Bench) -> None:
    path = os.path.join(bench.directory, "one")
    before = os.stat(path)
    bench.write("one", "2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


class Change(NamedTuple):
    """*then*: the build after it is remembered; not where a link was followed."""

    make: Callable[[Bench], object]
    is_remembered: bool = False
    then: bool = True


CHANGES = {
    "nothing": Change(lambda _: None, is_remembered=True),
    "content that is ignored": Change(writing("dir/hidden", "other"), is_remembered=True),
    "content that nobody copies": Change(writing("nobody/asks", "2"), is_remembered=True),
    "a file where nobody looks": Change(writing("nobody/else", "2"), is_remembered=True),
    "the base has one more name": Change(
        lambda bench: bench.store().tag("base", "also"), is_remembered=True
    ),
    "content of a file": Change(writing("one", "22")),
    "content of the same size and time": Change(same_size_and_time),
    "content below a directory": Change(writing("dir/shown", "other")),
    "content of a bind mount": Change(writing("bound/file", "other")),
    "a new file of a directory": Change(writing("dir/shown2", "new")),
    "a new file of a hidden directory": Change(writing("dir/shown3/file", "new")),
    "a new file that a pattern matches": Change(writing("b.txt", "b")),
    "a new file deep in a pattern": Change(writing("sub/y/name", "y")),
    "a new directory in a pattern": Change(writing("sub/z/name", "z")),
    "a file gone": Change(lambda bench: os.unlink(os.path.join(bench.directory, "dir/shown"))),
    "another name": Change(rename("a.txt", "c.txt")),
    "another directory": Change(swapped_directory),
    "a link": Change(link_in_place_of_a_file, then=False),
    "mode": Change(lambda bench: os.chmod(os.path.join(bench.directory, "one"), 0o755)),
    "Dockerfile": Change(writing("Dockerfile", DOCKERFILE + "RUN echo more > /more\n")),
    "ignore file": Change(writing(".dockerignore", "dir/hidden\n")),
    "an ignore file of the Dockerfile's own": Change(writing("Dockerfile.dockerignore", "*.log\n")),
    "base": Change(lambda bench: make_base(bench, "2")),
    "build cache gone": Change(lambda bench: prune_build_cache(bench.layout)),
    "steps carried out again": Change(
        lambda bench: bench.build(bench.recipe(no_cache_filter=("stage-2",))),
        is_remembered=True,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_remembered_is_what_the_builder_makes(bench: Bench, name: str) -> None:
    first = bench.build()
    assert bench.again() == first
    change = CHANGES[name]
    change.make(bench)
    remembered = bench.again()
    assert (remembered is not None) == change.is_remembered
    bench.settle()
    image = bench.build()
    bench.forget()
    assert bench.build() == image
    assert remembered in (None, image)
    assert bench.again() == (image if change.then else None), "this is remembered in its turn"


def test_it_is_told_as_a_build_from_the_cache(bench: Bench) -> None:
    bench.build()
    bench.forget()
    bench.build()
    slowly = [event._replace(seconds=0.0) for event in bench.told]
    bench.build()
    assert bench.told == slowly
    assert StepPhase.CACHED in {event.phase for event in bench.told}
    assert StepPhase.OUTPUT not in {event.phase for event in bench.told}


def test_no_cache_means_it(bench: Bench) -> None:
    first = bench.build()
    assert bench.again(bench.recipe(no_cache=True)) is None
    second = bench.build(bench.recipe(no_cache=True))
    assert second != first, "the time of its steps is another"
    assert bench.again() == second


def test_names_are_given_again(bench: Bench) -> None:
    image = bench.build()
    store = bench.store()
    store.tag("base", "app")
    assert bench.build() == image
    assert store.find_id("app") == image
    store.tag("app", "kept")
    image_rm(bench.layout, "app", force=False)
    assert bench.build() == image
    assert store.find_id("app") == image


def test_an_image_that_was_removed_is_made_again(bench: Bench) -> None:
    image = bench.build()
    image_rm(bench.layout, "app", force=False)
    assert bench.again() is None
    assert bench.build() == image


def test_another_question_is_another_build(bench: Bench) -> None:
    bench.build()
    for recipe in (
        bench.recipe(target="first"),
        bench.recipe(args=(("A", "1"),)),
        bench.recipe(labels=(("l", "v"),)),
        bench.recipe()._replace(names=("other",)),
        bench.recipe(secrets={"s": Secret(content="x")}),
    ):
        assert bench.again(recipe) is None


def test_what_has_just_changed_is_not_vouched_for(bench: Bench) -> None:
    soon_ns = time.time_ns() + 60_000_000_000  # as if it changed while it is looked at
    os.utime(os.path.join(bench.directory, "one"), ns=(soon_ns, soon_ns))
    bench.settle()
    bench.build()
    assert bench.again() is None


def test_what_links_lead_to_is_not_vouched_for(bench: Bench) -> None:
    """Any part of the way could be led elsewhere."""
    os.symlink("dir", os.path.join(bench.directory, "link"))
    bench.write("Dockerfile", "FROM scratch\nCOPY link/shown /\n")
    bench.settle()
    bench.build()
    assert bench.again() is None


@pytest.mark.parametrize("damage", [b"", b"\x00" * 100, b"\x81\xa5asked\xc4\x00"])
def test_a_damaged_memory_is_none(bench: Bench, damage: bytes) -> None:
    image = bench.build()
    directory = os.path.join(bench.layout.builds, "finished")
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(damage)
    assert bench.again() is None
    assert bench.build() == image
    assert bench.again() == image
