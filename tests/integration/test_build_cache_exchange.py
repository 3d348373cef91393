"""`cache_from` and `cache_to`: a second machine runs no step that the first one has run."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.building import BASE, build, file_in, load_base, steps_of, write
from tests.support.registry import PROGRAM, running_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.registry import Registry
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(
        not (shutil.which(PROGRAM) and os.path.exists("/bin/busybox")),
        reason="needs docker-registry and busybox-static",
    ),
]

DOCKERFILE = f"""\
FROM {BASE} AS tool
RUN echo tool > /tool
FROM {BASE}
COPY file /file
RUN cat /file > /copy
RUN true
COPY --from=tool /tool /tool
"""
ALL_DONE = [("RUN", "done"), ("COPY", "done"), ("RUN", "done"), ("RUN", "done"), ("COPY", "done")]
ALL_CACHED = [(name, "cached") for name, _ in ALL_DONE]


@pytest.fixture
def first(orchestra: Orchestra) -> Orchestra:
    load_base(orchestra)
    write(orchestra, "Dockerfile", DOCKERFILE)
    write(orchestra, "file", "content")
    return orchestra


@pytest.fixture
def second(first: Orchestra) -> Orchestra:
    """The same project on a machine that has the base image and nothing else."""
    other = first.at(first.directory)
    data = first.env["ORCHESTRA_DATA_ROOT"]
    other.env = {
        **first.env,
        "ORCHESTRA_DATA_ROOT": f"{data}-2",
        "ORCHESTRA_RUN_ROOT": first.env["ORCHESTRA_RUN_ROOT"] + "-2",
    }
    load_base(other)
    return other


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory, first: Orchestra) -> Iterator[Registry]:
    del first  # after its namespaces
    with running_registry(str(tmp_path_factory.mktemp("registry"))) as running:
        yield running


def test_a_registry_with_all_stages_spares_every_step(
    first: Orchestra, second: Orchestra, registry: Registry
) -> None:
    ref = f"type=registry,ref={registry.host}/app:cache"
    assert sorted(build(first, "--cache-to", f"{ref},mode=max", "-t", "app")) == sorted(ALL_DONE)
    assert sorted(build(second, "--cache-from", ref, "-t", "app")) == sorted(ALL_CACHED)
    assert file_in(second, "app", "cat /copy /tool") == "contenttool\n"
    write(second, "file", "changed")
    changed = build(second, "--cache-from", ref)
    assert sorted(changed) == sorted(
        [("RUN", "cached"), ("COPY", "done"), ("RUN", "done"), ("RUN", "done"), ("COPY", "done")]
    )


def test_mode_min_has_what_became_of_the_image(
    first: Orchestra, second: Orchestra, registry: Registry
) -> None:
    ref = f"type=registry,ref={registry.host}/app:cache"
    build(first, "--cache-to", ref)
    again = build(second, "--cache-from", ref)
    assert ("COPY", "done") not in again
    assert again.count(("RUN", "done")) == 1, "the stage that is only copied from"


def test_a_directory_is_an_oci_layout_that_is_taken_in_and_renewed(
    first: Orchestra, second: Orchestra
) -> None:
    build(first, "--cache-to", "type=local,dest=cache,mode=max")
    directory = os.path.join(first.directory, "cache")
    with open(os.path.join(directory, "index.json"), encoding="utf-8") as file:
        (entry,) = json.load(file)["manifests"]
    with open(os.path.join(directory, "blobs/sha256", entry["digest"][7:]), "rb") as file:
        manifest = json.load(file)
    assert manifest["config"]["mediaType"] == "application/vnd.buildkit.cacheconfig.v0"
    assert {layer["mediaType"] for layer in manifest["layers"]} == {
        "application/vnd.oci.image.layer.v1.tar+gzip"
    }
    assert sorted(build(second, "--cache-from", "type=local,src=cache")) == sorted(ALL_CACHED)
    write(second, "file", "changed")
    build(second, "--cache-to", "type=local,dest=cache,mode=max")
    assert sorted(build(first, "--cache-from", "type=local,src=cache")) == sorted(ALL_CACHED)


def test_an_image_carries_its_own_cache(
    first: Orchestra, second: Orchestra, registry: Registry
) -> None:
    name = f"{registry.host}/app:1"
    build(first, "--cache-to", "type=inline", "-t", name)
    first("image", "push", name)
    again = build(second, "--cache-from", name)
    assert ("COPY", "done") not in again
    assert again.count(("RUN", "done")) == 1


def test_compose_files_name_caches(first: Orchestra, second: Orchestra, registry: Registry) -> None:
    ref = f"type=registry,ref={registry.host}/app:cache"
    write(
        first,
        "compose.yaml",
        f"services:\n  app:\n    build:\n      context: .\n      cache_from: ['{ref}']\n"
        f"      cache_to: ['{ref},mode=max']\n",
    )
    done = first("--progress", "plain", "build")
    assert "warning" in done.err.lower(), "the cache is not there yet, and that is told"
    err = second("--progress", "json", "build").err
    assert sorted(steps_of(err)) == sorted(ALL_CACHED)


def test_a_cache_that_cannot_be_had_is_told_and_the_build_goes_on(first: Orchestra) -> None:
    done = first(
        "image", "build", "--progress", "plain",
        "--cache-from", "type=registry,ref=127.0.0.1:1/none:1",
        "--cache-from", "type=local,src=nowhere",
        "--cache-from", "type=gha,scope=x",
        "-t", "app", ".",
    )  # fmt: skip
    assert "the cache type=registry,ref=127.0.0.1:1/none:1 cannot be read" in done.err
    assert "the cache type=local,src=nowhere cannot be read" in done.err
    assert 'the cache "type=gha,scope=x" is left out' in done.err
    assert file_in(first, "app", "cat /copy") == "content"


def test_a_damaged_layer_is_told_and_the_step_runs(first: Orchestra, second: Orchestra) -> None:
    build(first, "--cache-to", "type=local,dest=cache,mode=max")
    blobs = os.path.join(first.directory, "cache/blobs/sha256")
    for name in os.listdir(blobs):
        with open(os.path.join(blobs, name), "r+b") as file:
            if file.read(2) == b"\x1f\x8b":
                file.seek(40)
                file.write(b"damage")
    done = second(
        "image", "build", "--progress", "plain", "--cache-from", "type=local,src=cache",
        "-t", "app", ".",
    )  # fmt: skip
    assert "cannot be used" in done.err
    assert file_in(second, "app", "cat /copy /tool") == "contenttool\n"


def test_an_export_that_fails_fails_the_build_unless_told_otherwise(first: Orchestra) -> None:
    target = "type=registry,ref=127.0.0.1:1/none:1"
    failed = first("image", "build", "-q", "--cache-to", target, ".", code=17)
    assert f"the cache cannot be exported to {target}" in failed.err
    first("image", "build", "-q", "--cache-to", f"{target},ignore-error=true", ".")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("type=registry", "has no ref"),
        ("type=local,dest=", "has no dest"),
        ("type=registry,ref=a,mode=most", 'unknown mode "most"'),
        ("ref=a", "has no type"),
        ("type=registry,ref=A B", "A B"),
    ],
)
def test_mistakes_are_told_before_anything_is_built(first: Orchestra, text: str, what: str) -> None:
    failed = first("image", "build", "-q", "--cache-to", text, ".", code=None)
    assert failed.code != 0
    assert what in failed.err
    assert "Traceback" not in failed.err


def test_what_was_built_from_the_host_is_not_given_away(first: Orchestra) -> None:
    write(first, "Dockerfile", "FROM host\nRUN true > /x\n")
    done = first("image", "build", "--progress", "plain", "--cache-to", "type=local,dest=c", ".")
    assert "means nothing on another machine" in " ".join(done.err.split())
