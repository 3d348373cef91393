"""Which capabilities a container gets."""

from __future__ import annotations

import pytest

from orchestra.errors import ConfigError
from orchestra.linux.caps import ALL, NUMBERS
from orchestra.runtime.capabilities import DEFAULT, capability_set


def bits(*names: str) -> int:
    return sum(1 << NUMBERS[name] for name in names)


def test_the_default_set_is_dockers() -> None:
    assert capability_set((), (), privileged=False) == DEFAULT == 0xA80425FB


@pytest.mark.parametrize("name", ["NET_ADMIN", "CAP_NET_ADMIN", "cap_net_admin", "net_admin"])
def test_a_name_may_be_written_in_any_way(name: str) -> None:
    assert capability_set((name,), (), privileged=False) == DEFAULT | bits("NET_ADMIN")


def test_dropping_all_leaves_what_is_added() -> None:
    assert capability_set(("CHOWN",), ("ALL",), privileged=False) == bits("CHOWN")


def test_adding_all_leaves_out_what_is_dropped() -> None:
    assert capability_set(("ALL",), ("CHOWN",), privileged=False) == ALL & ~bits("CHOWN")


def test_a_named_addition_wins_over_its_own_drop() -> None:
    assert capability_set(("CHOWN",), ("CHOWN",), privileged=False) == DEFAULT


def test_privileged_gets_what_there_is() -> None:
    assert capability_set((), ("ALL",), privileged=True, available=bits("KILL")) == bits("KILL")


def test_the_default_set_shrinks_to_what_there_is() -> None:
    assert capability_set((), (), privileged=False, available=bits("KILL")) == bits("KILL")


def test_asking_for_what_there_is_not_is_an_error() -> None:
    with pytest.raises(ConfigError, match="SYS_RESOURCE is not available"):
        capability_set(("SYS_RESOURCE",), (), privileged=False, available=DEFAULT)


@pytest.mark.parametrize(("add", "drop"), [(("FLY",), ()), ((), ("FLY",))])
def test_an_unknown_name_is_an_error(add: tuple[str, ...], drop: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match='unknown capability "FLY"'):
        capability_set(add, drop, privileged=False)
