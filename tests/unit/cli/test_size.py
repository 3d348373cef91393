from __future__ import annotations

import pytest

from orchestra.cli.render.size import human_size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (999, "999B"), (1982319, "1.98MB"), (12_345_678, "12.3MB"), (5 * 10**9, "5GB")],
)
def test_sizes_in_docker_s_words(size: int, text: str) -> None:
    assert human_size(size) == text
