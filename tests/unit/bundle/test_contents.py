"""What `bundle.json` may say."""

from __future__ import annotations

import json

import pytest

from orchestra.bundle.contents import (
    BundledImage,
    Contents,
    Part,
    decode_contents,
    encode_contents,
)
from orchestra.errors import OrchestraError, RegistryError, Unsupported

DIGEST = "sha256:" + "a" * 64
MODEL = Part(path="compose.yaml", digest=DIGEST, size_bytes=10)
CONTENTS = Contents(
    format=1,
    project="demo",
    services=("web",),
    parts=(
        MODEL,
        Part(path="secrets/key.pem", digest=DIGEST, size_bytes=1),
        Part(path="volumes/db.tar.gz", digest=DIGEST, size_bytes=1, unpacked_bytes=9),
    ),
    images=(BundledImage(name="app:1", id=DIGEST, manifest=DIGEST, services=("web",)),),
    needs=("something",),
)


def test_contents_are_read_as_they_were_written() -> None:
    assert decode_contents(encode_contents(CONTENTS)) == CONTENTS


def test_only_the_content_of_volumes_has_a_volume() -> None:
    assert [part.volume for part in CONTENTS.parts] == ["", "", "db"]


def test_the_identity_is_that_of_model_and_files_and_not_of_volumes() -> None:
    without = Contents(**{**_fields(CONTENTS), "parts": CONTENTS.parts[:2]})  # type: ignore[arg-type]
    fewer = Contents(**{**_fields(CONTENTS), "parts": CONTENTS.parts[:1]})  # type: ignore[arg-type]
    assert without.identity == CONTENTS.identity != fewer.identity


def test_a_newer_format_is_told_as_such() -> None:
    with pytest.raises(Unsupported, match="format 2"):
        decode_contents(b'{"format": 2, "elsewhere": true}')


@pytest.mark.parametrize(
    "path",
    [
        "../compose.yaml",
        "/etc/passwd",
        "secrets/../x",
        "secrets/..",
        "secrets/a/b",
        "volumes/a/../../b.tar.gz",
        "volumes/db",
        "files",
        "",
    ],
)
def test_a_part_with_another_path_is_refused(path: str) -> None:
    parts = (MODEL, Part(path=path, digest=DIGEST, size_bytes=1))
    with pytest.raises(RegistryError, match="no good bundle"):
        decode_contents(encode_contents(Contents(**{**_fields(CONTENTS), "parts": parts})))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"parts": []},
        {"parts": [{"path": "files.tar.gz", "digest": DIGEST, "size_bytes": 1}]},
        {"parts": [{"path": "compose.yaml", "digest": "md5:1", "size_bytes": 1}]},
        {"parts": [{"path": "compose.yaml", "digest": DIGEST, "size_bytes": -1}]},
        {"parts": [{"path": "compose.yaml", "digest": DIGEST, "size_bytes": 1}] * 2},
        {"format": "1"},
        {"images": [{}]},
    ],
)
def test_impossible_contents_are_refused(change: dict[str, object]) -> None:
    document = {**json.loads(encode_contents(CONTENTS)), **change}
    with pytest.raises(RegistryError, match="no good bundle"):
        decode_contents(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_such_document_is_refused(data: bytes) -> None:
    with pytest.raises(OrchestraError, match="no good bundle"):
        decode_contents(data)


def _fields(contents: Contents) -> dict[str, object]:
    return {name: getattr(contents, name) for name in contents.__struct_fields__}
