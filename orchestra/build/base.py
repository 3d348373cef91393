"""What a build needs of this machine; `wiring` gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestra.network.base import EventLoop

if TYPE_CHECKING:
    from orchestra.cgroup.base import CgroupManager
    from orchestra.layout import Layout
    from orchestra.network.base import NetworkDriver
    from orchestra.runtime.base import Launch, Launched


class Loop(EventLoop, Protocol):
    def run_once(self, timeout_s: float | None = None) -> None: ...


class Launching(Protocol):
    def finish(self) -> Launched:
        """Raises LaunchFailed."""
        ...


class Machine(Protocol):
    """The drivers of one process; each is made when it is first asked for."""

    @property
    def layout(self) -> Layout: ...

    @property
    def loop(self) -> Loop: ...

    @property
    def cgroups(self) -> CgroupManager: ...

    @property
    def networks(self) -> NetworkDriver: ...

    def begin_launch(self, plan: Launch) -> Launching: ...
