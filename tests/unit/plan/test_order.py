"""Services are ordered by everything that makes one need another."""

from __future__ import annotations

import pytest

from orchestra.errors import ConfigError
from orchestra.model.service import VolumesFrom
from orchestra.plan.order import dependency_order
from tests.unit.plan.projects import needs, service


def names(*services: object) -> list[str]:
    return [s.name for s in dependency_order(services)]  # type: ignore[arg-type]


def test_independent_services_are_ordered_by_name() -> None:
    assert names(service("b"), service("a")) == ["a", "b"]


@pytest.mark.parametrize(
    "relation",
    [
        {"depends_on": (needs("z"),)},
        {"links": (("z", "alias"),)},
        {"volumes_from": (VolumesFrom(service="z"),)},
        {"network_mode": "service:z"},
        {"pid": "service:z"},
        {"ipc": "service:z"},
    ],
)
def test_dependency_comes_first(relation: dict[str, object]) -> None:
    assert names(service("a", **relation), service("z")) == ["z", "a"]


def test_dependency_that_is_not_enabled_is_left_out() -> None:
    assert names(service("a", depends_on=(needs("gone", required=False),))) == ["a"]


def test_cycle_is_an_error_with_its_path() -> None:
    with pytest.raises(ConfigError, match=r"dependency cycle: .* -> "):
        names(service("a", depends_on=(needs("b"),)), service("b", depends_on=(needs("a"),)))
