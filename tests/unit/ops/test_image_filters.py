from __future__ import annotations

import pytest

from orchestra.errors import ConfigError
from orchestra.ops.image_filters import Filters, parse_filters

NOW_NS = 1_700_000_000 * 10**9
ALL = ("dangling", "label", "before", "since", "reference", "until")


def parsed(*texts: str) -> Filters:
    return parse_filters(texts, ALL, NOW_NS)


@pytest.mark.parametrize(
    ("text", "repository", "tag", "matches"),
    [
        ("reference=app", "app", "1", True),
        ("reference=app:1", "app", "1", True),
        ("reference=a*", "app", "1", True),
        ("reference=*:1", "app", "1", True),
        ("reference=*", "team/app", "1", False),
        ("reference=*/*", "team/app", "1", True),
        ("reference=app:2", "app", "1", False),
    ],
)
def test_references_match_as_paths(text: str, repository: str, tag: str, matches: bool) -> None:
    assert parsed(text).name_matches(repository, tag) == matches


def test_all_labels_must_be_there_and_no_other_that_is_ruled_out() -> None:
    filters = parsed("label=a", "label=b=2", "label!=c")

    assert filters.label_match({"a": "1", "b": "2"})
    assert not filters.label_match({"a": "1", "b": "3"})
    assert not filters.label_match({"a": "1", "b": "2", "c": ""})


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [("24h", 1_700_000_000 - 86_400), ("1600000000", 1_600_000_000),
     ("2020-09-13T12:26:40+00:00", 1_600_000_000), ("1h30m", 1_700_000_000 - 5400)],
)  # fmt: skip
def test_until_takes_durations_and_moments(text: str, expected_s: int) -> None:
    assert parsed(f"until={text}").until_ns == expected_s * 10**9


@pytest.mark.parametrize(
    "text", ["dangling=perhaps", "until=soon", "x=1", "dangling", "until!=1h", "until=²"]
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parsed(text)
