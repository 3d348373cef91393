"""CgroupManager: limits and accounting of containers, whatever the cgroup version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.linux.clone import Kin
    from orchestra.model.container import Device, Resources


class Usage(NamedTuple):
    """What a container uses. Counters since its start; 0 where the host does not account."""

    cpu_usage_ns: int = 0
    memory_bytes: int = 0  # without the inactive page cache, as `docker stats`
    memory_limit_bytes: int = 0
    pids: int = 0
    block_read_bytes: int = 0
    block_write_bytes: int = 0
    oom_kills: int = 0


class CgroupScope(Protocol):
    """The cgroup of one container. Every method accepts that it is gone."""

    def fork(self) -> int:
        """os.fork(), with the child inside from its birth where the kernel can do that.

        The child calls `enter` all the same, which then costs nothing (on v2 it saves 11 ms).
        """
        ...

    def fork_init(self, kin: Kin) -> tuple[int, int]:
        """As `fork`, for the first process of a new pid namespace: pid and pidfd.

        See `linux.clone.fork_init`. Raises OSError where the kernel cannot do that.
        """
        ...

    def enter(self) -> None:
        """Move the calling process into it; called in the forked child, before its namespaces."""
        ...

    def kill(self) -> None:
        """SIGKILL every process in it."""
        ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def pids(self) -> tuple[int, ...]: ...

    def usage(self) -> Usage: ...

    def destroy(self) -> None:
        """Remove it; its processes must be gone (a short, bounded wait for zombies is inside)."""
        ...


class CgroupManager(Protocol):
    """Makes and finds scopes. A *name* is "PROJECT/CONTAINER_ID"."""

    def create(
        self, name: str, resources: Resources, devices: tuple[Device, ...], *, privileged: bool
    ) -> CgroupScope:
        """A scope with *resources* applied and device access as Docker gives it."""
        ...

    def find(self, name: str, resources: Resources) -> CgroupScope:
        """The scope that `create` made under *name*, perhaps in another process; may be gone."""
        ...

    def update(self, name: str, resources: Resources) -> CgroupScope:
        """The scope of *name*, whose processes go on, with *resources* applied.

        Raises RuntimeFailure with the compose attribute when the kernel refuses a value.
        """
        ...

    def remove_project(self, project: str) -> None:
        """Remove what remains of the project's subtree, if empty."""
        ...

    def warnings(self, resources: Resources) -> tuple[str, ...]:
        """For each limit in *resources* that this host cannot apply: one sentence naming it."""
        ...
