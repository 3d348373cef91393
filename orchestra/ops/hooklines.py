"""What hooks write, as the project's supervisor tells it: for `up` in the foreground."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.errors import EngineUnavailable
from orchestra.model.state import HOOK_OUTPUT
from orchestra.ops.logs import LogEvent
from orchestra.ops.target import Target, find_containers
from orchestra.runtime.logread import LogLine
from orchestra.supervisor.light import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout


class HookLines:
    """Lines of hooks of *project* from now on. Ends with the supervisor that it has asked."""

    def __init__(self, layout: Layout, project: str) -> None:
        self._layout = layout
        self._project = project
        self._channel = Channel.connect(layout.socket(project))
        if self._channel is not None:
            self._channel.send({"type": "Subscribe"})

    def filenos(self) -> tuple[int, ...]:
        """Readable when there are lines; none when nobody will tell any."""
        return () if self._channel is None else (self._channel.fileno(),)

    def look(self) -> Iterator[LogEvent]:
        """The lines that have come since."""
        while self._channel is not None:
            try:
                message = self._channel.receive(0.0)
            except EngineUnavailable:
                self.close()
                return
            if message is None:
                return
            fields = message.get("event")
            if isinstance(fields, dict) and fields.get("action") == HOOK_OUTPUT:
                yield from self._lines(fields)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _lines(self, fields: dict[str, object]) -> Iterator[LogEvent]:
        text = dict(fields.get("attributes") or ()).get("text", "")  # type: ignore[call-overload]
        for container in find_containers(self._layout, Target(self._project)):
            if container.id == fields.get("id"):
                for line in str(text).splitlines():
                    said = LogLine(time.time_ns(), 1, line.encode(errors="replace"))
                    yield LogEvent(container, said, is_hook=True)
