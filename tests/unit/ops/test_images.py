from __future__ import annotations

import pytest

from orchestra.ops.images import split_reference


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("redis", ("redis", "latest")),
        ("redis:7", ("redis", "7")),
        ("localhost:5000/app", ("localhost:5000/app", "latest")),
        ("localhost:5000/app:v1", ("localhost:5000/app", "v1")),
        ("app@sha256:00", ("app", "<none>")),
    ],
)
def test_a_reference_is_split_into_repository_and_tag(
    reference: str, parts: tuple[str, str]
) -> None:
    assert split_reference(reference) == parts
