"""Host: what the use cases need of the machine; `wiring` makes the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orchestra.build.build import Job
    from orchestra.build.events import StepEvent
    from orchestra.cgroup.base import CgroupManager
    from orchestra.engine.base import Engine
    from orchestra.image.base import ImageStore, Snapshotter
    from orchestra.layout import Layout
    from orchestra.registry.base import LayerProgress, PullEnded, PullRequest
    from orchestra.volume.base import VolumeDriver


class Host(Protocol):
    """Everything is made when it is first asked for, so that a short command imports little."""

    @property
    def layout(self) -> Layout: ...

    def images(self) -> ImageStore: ...

    def snapshots(self) -> Snapshotter:
        """The writable layers of containers over their images."""
        ...

    def volumes(self) -> VolumeDriver: ...

    def cgroups(self) -> CgroupManager: ...

    def pull(self, requests: Sequence[PullRequest]) -> Iterator[LayerProgress | PullEnded]:
        """Pull images into `images()`; the events of all, and one PullEnded for each.

        All threads have ended when the iterator is exhausted.
        """
        ...

    def build(
        self, jobs: Mapping[str, Job], watch: Callable[[str, StepEvent], None]
    ) -> dict[str, str]:
        """Build images into `images()`, some at once; their ids by the names of *jobs*.

        Raises BuildError. Needs a single thread.
        """
        ...

    def connect(self, project: str) -> Engine | None:
        """The engine in the project's live supervisor; None when there is none."""
        ...

    def expect_engine(self) -> None:
        """Begin, beside this process, to prepare for an `open_engine` that starts a supervisor."""
        ...

    def open_engine(self, project: str) -> Engine:
        """The same, after forking a supervisor from this process where there is none."""
        ...
