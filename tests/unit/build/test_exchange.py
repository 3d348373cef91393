"""Caches for other machines: how they are named, written down and read."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.build.exchange.document import (
    CacheDocument,
    Known,
    Offer,
    document_for,
    inline_for,
    offers,
    parse_document,
    parse_inline,
)
from orchestra.build.exchange.exports import exportable
from orchestra.build.exchange.spec import Kind, parse_source, parse_target
from orchestra.build.records import Record
from orchestra.errors import ConfigError, RegistryError
from orchestra.image.manifest import Descriptor


def blob(letter: str) -> Descriptor:
    return Descriptor(media_type="t+gzip", digest=f"sha256:{letter * 64}", size=3)


def test_bare_names_are_images_and_paths_count_from_the_project() -> None:
    name = parse_source("app:1", "/p")
    assert name.kind is Kind.REGISTRY
    assert name.reference is not None
    assert name.reference.familiar == "app:1"
    local = parse_target("type=local,dest=c,mode=max,tag=x", "/p")
    assert (local.directory, local.tag, local.is_max) == ("/p/c", "x", True)
    assert parse_target("inline", "/p").kind is Kind.INLINE
    assert parse_source("type=s3,region=x", "/p").kind is Kind.OTHER


@given(st.text(max_size=40))
def test_any_text_is_a_cache_or_a_config_error(text: str) -> None:
    for parse in (parse_source, parse_target):
        with contextlib.suppress(ConfigError):
            parse(text, "/p")


RECORDS = {
    "a" * 64: Record(diff_id="sha256:" + "1" * 64, created_ns=1_700_000_000_000_000_005),
    "b" * 64: Record(diff_id="sha256:" + "2" * 64, created_ns=2 * 10**9),
    "c" * 64: Record(created_ns=3 * 10**9),
    "d" * 64: Record(diff_id="sha256:" + "3" * 64, created_ns=10**9, base="host"),
}
CHAIN = ["sha256:" + "0" * 64, "sha256:" + "1" * 64]
BLOBS = {"sha256:" + "1" * 64: blob("d"), "sha256:" + "2" * 64: blob("e")}


def test_a_document_gives_back_what_went_in() -> None:
    kept = exportable(RECORDS, CHAIN, is_max=True)
    assert set(kept) == {"a" * 64, "b" * 64, "c" * 64}, "nothing that began with the host"
    data = msgspec.json.encode(document_for(kept, BLOBS, CHAIN))
    assert offers(parse_document(data), BLOBS.values()) == {
        "a" * 64: Offer(CHAIN[1], blob("d"), 1_700_000_000_000_000_005),
        "b" * 64: Offer("sha256:" + "2" * 64, blob("e"), 2 * 10**9),
        "c" * 64: Offer("", None, 3 * 10**9),
    }
    assert set(exportable(RECORDS, CHAIN, is_max=False)) == {"a" * 64, "c" * 64}


def test_an_inline_cache_speaks_of_the_images_own_layers() -> None:
    layers = [Known(CHAIN[0], blob("f")), Known(CHAIN[1], blob("d"))]
    data = inline_for(exportable(RECORDS, CHAIN, is_max=False), CHAIN)
    found = parse_inline(data, layers)
    assert found["a" * 64] == Offer(CHAIN[1], blob("d"), 1_700_000_000_000_000_005)
    assert set(found) == {"a" * 64, "c" * 64}


def test_one_of_buildkit_is_read_and_has_nothing_for_us() -> None:
    text = (
        b'{"layers":[{"blob":"sha256:' + b"d" * 64 + b'","parent":-1}],"records":[{"digest":'
        b'"sha256:' + b"9" * 64 + b'","layers":[{"layer":0,"createdAt":"2024-01-01T00:00:00Z"}],'
        b'"inputs":[[{"link":1}]]},{"digest":"random:x","layers":[{"layer":7}]}]}'
    )
    assert offers(parse_document(text), [blob("d")]) == {}


@pytest.mark.parametrize("data", [b"", b"[]", b'{"layers":[{"blob":1}]}', b"\xff"])
def test_a_malformed_description_is_told(data: bytes) -> None:
    with pytest.raises(RegistryError):
        parse_document(data)
    assert parse_document(b"{}") == CacheDocument()
