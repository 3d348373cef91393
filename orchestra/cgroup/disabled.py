"""CgroupManager where no cgroup can be written: containers run, limits are named and ignored."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.cgroup import limits_v1, limits_v2, tree
from orchestra.cgroup.base import Usage
from orchestra.errors import Unsupported
from orchestra.linux.clone import fork_init

if TYPE_CHECKING:
    from orchestra.linux.clone import Kin
    from orchestra.model.container import Device, Resources


class NoScope:
    """Confines nothing and knows no process: the container's pid namespace must do."""

    def fork(self) -> int:
        return os.fork()

    def fork_init(self, kin: Kin) -> tuple[int, int]:
        return fork_init(kin)[:2]

    def enter(self) -> None:
        """Stay where the parent is."""

    def kill(self) -> None:
        """Nothing to find processes by; those of the pid namespace die with its first."""

    def freeze(self) -> None:
        raise Unsupported(
            "containers cannot be paused here: no cgroup hierarchy may be written",
            fix="run as root, or on a host whose cgroups are delegated to this user",
        )

    def thaw(self) -> None:
        """Nothing was frozen."""

    def pids(self) -> tuple[int, ...]:
        return ()

    def usage(self) -> Usage:
        return Usage()

    def destroy(self) -> None:
        """Nothing was made."""


class NoManager:
    """*reason* completes "mem_limit is ignored: …"."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def create(
        self,
        name: str,  # noqa: ARG002
        resources: Resources,  # noqa: ARG002
        devices: tuple[Device, ...],  # noqa: ARG002
        *,
        privileged: bool,  # noqa: ARG002
    ) -> NoScope:
        return NoScope()

    def find(self, name: str, resources: Resources) -> NoScope:  # noqa: ARG002
        return NoScope()

    def update(self, name: str, resources: Resources) -> NoScope:  # noqa: ARG002
        return NoScope()

    def remove_project(self, project: str) -> None:
        """Nothing was made."""

    def warnings(self, resources: Resources) -> tuple[str, ...]:
        settings = limits_v1.settings(resources, lambda _: (0, 0))
        attributes = [setting.attribute for setting in settings]
        return tree.ignored(
            tuple(dict.fromkeys((*attributes, *limits_v2.unsupported(resources)))), self._reason
        )
