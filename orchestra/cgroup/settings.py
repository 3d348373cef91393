"""Setting: one limit as the file to write, whatever the cgroup version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import BlkioRate

DeviceNumber = tuple[int, int]

SYSTEMD = "name=systemd"
"""The v1 hierarchy by which systemd tells whose a process is; it controls nothing."""

UNIFIED = "unified"
"""Stands for the v2 hierarchy of a hybrid host, which systemd uses for the same."""


class Setting(NamedTuple):
    """*writes* are (file, value) in order of preference: the first file that exists is written."""

    attribute: str  # as in the compose file, for messages
    controller: str
    writes: tuple[tuple[str, str], ...]


def per_device(
    rates: tuple[BlkioRate, ...], number_of: Callable[[str], DeviceNumber]
) -> tuple[tuple[str, int], ...]:
    """("MAJOR:MINOR", rate) of each throttle."""
    return tuple(("{}:{}".format(*number_of(rate.path)), rate.rate) for rate in rates)


def relative_path(name: str, cgroup_parent: str) -> str:
    """The cgroup of container *name* ("PROJECT/ID") below the hierarchy's root.

    Raises ConfigError when *cgroup_parent* leaves the hierarchy.
    """
    if not cgroup_parent:
        return f"orchestra/{name}"
    parts = [part for part in cgroup_parent.split("/") if part not in {"", "."}]
    if ".." in parts or not parts:
        raise ConfigError(
            f'cgroup_parent "{cgroup_parent}" is not a path below the cgroup root',
            fix='name a cgroup without "..", for example "/batch"',
        )
    return "/".join([*parts, name.rpartition("/")[2]])
