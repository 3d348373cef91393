"""Manifests and indexes: both vendors' forms, platforms, and hostile documents."""

from __future__ import annotations

import json

import pytest

from orchestra.errors import RegistryError, Unsupported
from orchestra.image.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    choose_manifest,
    media_type_of,
    parse_manifest,
)
from orchestra.image.platform import machine_platform, parse_platform

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "fedcba9876543210" * 4
BLOB = {"mediaType": "application/x", "digest": DIGEST, "size": 7}


def manifest(**changes: object) -> bytes:
    document = {"schemaVersion": 2, "config": BLOB, "layers": [BLOB], **changes}
    return json.dumps(document).encode()


def index(*platforms: dict[str, str] | None, media_type: str = OCI_INDEX) -> Index:
    entries = [{**BLOB, "platform": platform} for platform in platforms]
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    parsed = parse_manifest(json.dumps(document).encode())
    assert isinstance(parsed, Index)
    return parsed


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_both_kinds_of_manifest_are_read(media_type: str) -> None:
    parsed = parse_manifest(manifest(mediaType=media_type))
    assert isinstance(parsed, Manifest)
    assert parsed.config.digest == DIGEST
    assert [layer.size for layer in parsed.layers] == [7]
    assert media_type_of(parsed) == media_type


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_INDEX])
def test_both_kinds_of_index_are_read(media_type: str) -> None:
    parsed = index({"os": "linux", "architecture": "amd64"}, media_type=media_type)
    assert media_type_of(parsed) == media_type


def test_a_document_without_a_media_type_is_known_by_its_shape() -> None:
    assert media_type_of(parse_manifest(manifest())) == OCI_MANIFEST


def test_the_content_type_may_have_parameters() -> None:
    parse_manifest(manifest(), f"{OCI_MANIFEST}; charset=utf-8")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b'{"mediaType": "\xff"}', "malformed"),
        (b"{}", "either layers or manifests"),
        (b"[" * 100_000, "malformed"),
        (manifest(manifests=[BLOB]), "either layers or manifests"),
        (manifest(mediaType=OCI_INDEX), "something else"),
        (manifest(config={**BLOB, "digest": "sha256:../../etc/passwd"}), "malformed"),
        (manifest(config={**BLOB, "digest": DIGEST + "\n"}), "malformed"),
        (manifest(layers=[{**BLOB, "size": -1}]), "malformed"),
        (manifest(layers=None), "either layers or manifests"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "too large"),
    ],
)
def test_hostile_documents_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RegistryError, match=reason):
        parse_manifest(data)


def test_a_content_type_that_contradicts_the_document_is_refused() -> None:
    with pytest.raises(RegistryError, match="something else"):
        parse_manifest(manifest(), DOCKER_INDEX)


def test_schema_1_is_named_as_what_it_is() -> None:
    with pytest.raises(Unsupported, match="schema 1"):
        parse_manifest(b'{"schemaVersion": 1, "fsLayers": []}')


AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64", "variant": "v8"}
ARM_V6 = {"os": "linux", "architecture": "arm", "variant": "v6"}
ARM_V7 = {"os": "linux", "architecture": "arm", "variant": "v7"}
I386 = {"os": "linux", "architecture": "386"}
WINDOWS = {"os": "windows", "architecture": "amd64"}
ATTESTATION = {"os": "unknown", "architecture": "unknown"}


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("linux/amd64", [ARM64, WINDOWS, AMD64], 2),
        ("linux/amd64", [I386, AMD64], 1),
        ("linux/amd64", [I386], 0),
        ("linux/arm64", [ARM_V7, ARM64], 1),
        ("linux/arm64/v8", [{**ARM64, "variant": ""}], 0),
        ("linux/arm/v7", [ARM_V6, ARM_V7], 1),
        ("linux/arm/v7", [ARM_V6], 0),
        ("arm", [ARM_V6, ARM_V7], 1),
        ("aarch64", [ARM64], 0),
        ("linux/amd64", [None], 0),
    ],
)
def test_the_best_platform_is_chosen(
    wanted: str, offered: list[dict[str, str] | None], chosen: int
) -> None:
    entries = index(*offered)
    assert choose_manifest(entries, parse_platform(wanted)) is entries.manifests[chosen]


def test_a_missing_platform_is_told_with_those_that_exist() -> None:
    with pytest.raises(Unsupported, match="linux/riscv64") as caught:
        choose_manifest(index(AMD64, ARM64, ATTESTATION), machine_platform("riscv64"))
    assert "linux/amd64, linux/arm64/v8;" in caught.value.fix
    assert "unknown" not in caught.value.fix


def test_an_attestation_is_no_image() -> None:
    entries = index(ATTESTATION, None)
    assert choose_manifest(entries, parse_platform("linux/amd64")) is entries.manifests[1]


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("x86_64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("armv7l", "linux/arm/v7"),
        ("i686", "linux/386"),
        ("riscv64", "linux/riscv64"),
        ("s390x", "linux/s390x"),
    ],
)
def test_machines_have_the_names_of_go(machine: str, name: str) -> None:
    assert str(machine_platform(machine)) == name
