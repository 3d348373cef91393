"""Layers unpacked once, by whoever comes first, and never half."""

from __future__ import annotations

import gzip
import io
import os
import threading
from typing import TYPE_CHECKING

import pytest
import zstandard

from orchestra.errors import DigestMismatch, NotFound, RegistryError
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.layers import Layers
from tests.unit.image.layer_tar import diff_id, directory, layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LIMIT = Limit()
LAYER = layer(directory("d"), ("d/file", b"content" * 1000))


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    return Layers(str(tmp_path / "layers"))


def content(data: bytes, limit: Limit = _LIMIT) -> Callable[[], Iterator[bytes]]:
    return lambda: decompressed(io.BytesIO(data), limit)


@pytest.mark.parametrize(
    "packed",
    [
        LAYER,
        gzip.compress(LAYER),
        gzip.compress(LAYER[:1000]) + gzip.compress(LAYER[1000:]),
        zstandard.compress(LAYER),
        zstandard.compress(LAYER[:1000]) + zstandard.compress(LAYER[1000:]),
    ],
    ids=["plain", "gzip", "gzip of members", "zstd", "zstd of frames"],
)
def test_a_layer_is_unpacked_whatever_packed_it(layers: Layers, packed: bytes) -> None:
    layers.add(diff_id(LAYER), content(packed))

    with open(os.path.join(layers.path(diff_id(LAYER)), "d/file"), "rb") as file:
        assert file.read() == b"content" * 1000
    assert layers.size(diff_id(LAYER)) == 7000


def test_a_layer_that_is_here_is_not_read_again(layers: Layers) -> None:
    layers.add(diff_id(LAYER), content(LAYER))

    def unread() -> Iterator[bytes]:
        raise AssertionError

    layers.add(diff_id(LAYER), unread)
    assert layers.has(diff_id(LAYER))


BAD = {
    "another layer": (layer(("x", b"")), DigestMismatch),
    "cut off": (gzip.compress(LAYER)[:-200], RegistryError),
    "damaged": (
        gzip.compress(LAYER)[:50] + b"\xff" * 50 + gzip.compress(LAYER)[100:],
        RegistryError,
    ),
    "no zstd": (zstandard.compress(LAYER)[:10] + b"\0" * 90, RegistryError),
    "nothing": (b"", DigestMismatch),
}


@pytest.mark.parametrize(("data", "error"), BAD.values(), ids=BAD.keys())
def test_of_a_bad_layer_nothing_stays(
    layers: Layers, tmp_path: Path, data: bytes, error: type[RegistryError]
) -> None:
    with pytest.raises(error):
        layers.add(diff_id(LAYER), content(data))

    assert not layers.has(diff_id(LAYER))
    assert os.listdir(tmp_path / "layers") == []
    layers.add(diff_id(LAYER), content(LAYER))
    assert layers.has(diff_id(LAYER))


def test_a_bomb_is_refused_before_it_is_unpacked(layers: Layers, tmp_path: Path) -> None:
    bomb = layer(("zeros", bytes(20_000_000)))
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for chunk in decompressed(io.BytesIO(gzip.compress(bomb)), Limit(1_000_000, 100)):
            taken += len(chunk)
            yield chunk

    with pytest.raises(RegistryError, match="refused"):
        layers.add(diff_id(bomb), counted)

    assert taken < 4_000_000
    assert os.listdir(tmp_path / "layers") == []


def test_two_that_want_the_same_layer_unpack_it_once(layers: Layers) -> None:
    started: list[int] = []

    def slow() -> Iterator[bytes]:
        started.append(1)
        for at in range(0, len(LAYER), 512):
            yield LAYER[at : at + 512]

    threads = [threading.Thread(target=layers.add, args=(diff_id(LAYER), slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert started == [1]
    assert layers.has(diff_id(LAYER))


def test_layers_appear_together_once_they_are_published(layers: Layers) -> None:
    other = layer(("other", b"1"))
    drafts = [layers.draft(diff_id(each), content(each)) for each in (LAYER, other)]
    assert not layers.has(diff_id(LAYER))
    layers.publish([draft for draft in drafts if draft is not None])
    assert layers.has(diff_id(LAYER))
    assert layers.has(diff_id(other))
    assert layers.draft(diff_id(other), content(other)) is None


def test_of_drafts_that_cannot_be_published_nothing_stays(layers: Layers, tmp_path: Path) -> None:
    draft = layers.draft(diff_id(LAYER), content(LAYER))
    assert draft is not None
    with pytest.raises(FileNotFoundError):
        layers.publish((draft._replace(final=str(tmp_path / "nowhere")), draft))
    assert not layers.has(diff_id(LAYER))
    assert [name for name in os.listdir(tmp_path / "layers") if not name.endswith(".size")] == []
    layers.add(diff_id(LAYER), content(LAYER))
    assert layers.has(diff_id(LAYER))


def test_a_sweep_takes_layers_of_nobody_and_what_the_dead_left(
    layers: Layers, tmp_path: Path
) -> None:
    other = layer(("other", b"x" * 100))
    layers.add(diff_id(LAYER), content(LAYER))
    layers.add(diff_id(other), content(other))
    empty = layers.empty()
    os.mkdir(tmp_path / "layers" / "killed.draft")
    (tmp_path / "layers" / "killed.lock").touch()

    freed = layers.sweep({diff_id(LAYER)})

    assert freed == 100
    assert layers.has(diff_id(LAYER))
    assert layers.size(diff_id(LAYER)) == 7000
    assert os.path.isdir(empty)
    with pytest.raises(NotFound):
        layers.size(diff_id(other))
    kept = os.path.basename(layers.path(diff_id(LAYER)))
    assert sorted(os.listdir(tmp_path / "layers")) == sorted([kept, f"{kept}.size", "empty"])


def test_the_names_of_a_hundred_layers_fit_in_a_page(layers: Layers) -> None:
    names = [os.path.basename(layers.path(diff_id(bytes([number])))) for number in range(100)]

    assert len(":".join(names)) < 3000
    assert len(set(names)) == 100
