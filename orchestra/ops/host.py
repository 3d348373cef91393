"""Host: what the use cases need of the machine; `wiring` makes the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchestra.engine.base import Engine
    from orchestra.image.base import ImageStore
    from orchestra.layout import Layout


class Host(Protocol):
    """Everything is made when it is first asked for, so that a short command imports little."""

    @property
    def layout(self) -> Layout: ...

    def images(self) -> ImageStore: ...

    def connect(self, project: str) -> Engine | None:
        """The engine in the project's live supervisor; None when there is none."""
        ...

    def open_engine(self, project: str) -> Engine:
        """The same, after forking a supervisor from this process where there is none."""
        ...
