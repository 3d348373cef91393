"""References: as Docker reads and prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.errors import ConfigError
from orchestra.image.reference import Reference, parse_reference

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("redis", "docker.io/library/redis:latest", "redis:latest"),
        ("redis:7", "docker.io/library/redis:7", "redis:7"),
        ("library/redis", "docker.io/library/redis:latest", "redis:latest"),
        ("org/app", "docker.io/org/app:latest", "org/app:latest"),
        ("docker.io/redis", "docker.io/library/redis:latest", "redis:latest"),
        ("index.docker.io/org/app:1", "docker.io/org/app:1", "org/app:1"),
        ("host:5000/app", "host:5000/app:latest", "host:5000/app:latest"),
        ("host:5000/app:tag", "host:5000/app:tag", "host:5000/app:tag"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("Host/app", "Host/app:latest", "Host/app:latest"),
        ("ghcr.io/org/team/app:v1.2", "ghcr.io/org/team/app:v1.2", "ghcr.io/org/team/app:v1.2"),
        ("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"),
        (f"redis@{DIGEST}", f"docker.io/library/redis@{DIGEST}", f"redis@{DIGEST}"),
        (f"redis:7@{DIGEST}", f"docker.io/library/redis:7@{DIGEST}", f"redis:7@{DIGEST}"),
        (f"h:1/a@{DIGEST}", f"h:1/a@{DIGEST}", f"h:1/a@{DIGEST}"),
        ("library/redis/sub", "docker.io/library/redis/sub:latest", "library/redis/sub:latest"),
        ("a_b/c__d.e-f--g", "docker.io/a_b/c__d.e-f--g:latest", "a_b/c__d.e-f--g:latest"),
    ],
)
def test_names_are_completed_as_docker_completes_them(
    text: str, canonical: str, familiar: str
) -> None:
    reference = parse_reference(text)
    assert str(reference) == canonical
    assert reference.familiar == familiar


def test_the_digest_decides_what_a_registry_is_asked_for() -> None:
    assert parse_reference(f"redis:7@{DIGEST}").target == DIGEST
    assert parse_reference("redis:7").target == "7"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "lower-case"),
        ("Redis", "no capitals"),
        ("docker.io/org/App", "no capitals"),
        ("0123456789abcdef" * 4, "image id"),
        ("redis:", "a tag is"),
        ("redis:-x", "a tag is"),
        ("redis:" + "x" * 129, "a tag is"),
        ("redis@sha256:abc", "a digest is"),
        ("redis@", "a digest is"),
        ("redis:7\n", "a tag is"),
        ("redis@" + DIGEST + "\n", "a digest is"),
        ("../etc", "no host name"),
        ("a/../b", "lower-case"),
        ("a//b", "lower-case"),
        ("-a.b/c", "no host name"),
        ("h.b:port/c", "no host name"),
        ("a." + "b" * 256, "at most 255"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_reference(text)
    assert caught.value.fix


_component = st.from_regex(r"[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,8}){0,2}", fullmatch=True)
_references = st.builds(
    Reference,
    domain=st.sampled_from(["docker.io", "localhost", "localhost:5000", "ghcr.io", "[::1]:80"]),
    path=st.lists(_component, min_size=2, max_size=4).map("/".join),
    tag=st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,10}", fullmatch=True),
    digest=st.sampled_from(["", DIGEST]),
)


@given(_references)
def test_what_is_printed_means_the_same(reference: Reference) -> None:
    assert parse_reference(str(reference)) == reference
    assert parse_reference(reference.familiar) == reference


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ConfigError:
        return
    assert parse_reference(str(reference)) == reference
