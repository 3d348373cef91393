"""The Engine over the supervisor's socket.

When the supervisor is killed while requests are under way, the client connects anew (which starts
another one) and submits the unanswered ones again: every request may be repeated. Only when that
fails again and again does it give up.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from orchestra.errors import EngineUnavailable
from orchestra.supervisor import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.engine.base import Completion, ObservedProject, Request
    from orchestra.engine.embedded.events import ContainerEvent
    from orchestra.supervisor.light import Channel

MOST_LOSSES = 8
LOSS_WINDOW_S = 10.0


class SocketEngine:
    """`engine.base.Engine`; *reconnect* makes another channel, or raises EngineUnavailable."""

    def __init__(self, channel: Channel, reconnect: Callable[[], Channel]) -> None:
        self._channel = channel
        self._reconnect = reconnect
        self._losses: list[float] = []
        self._last_ticket = 0
        self._pending: dict[int, Request] = {}
        self._ready: deque[Completion] = deque()
        self._events: deque[ContainerEvent] = deque()
        self._subscribed = False

    def fileno(self) -> int:
        """Readable when something has come."""
        return self._channel.fileno()

    def submit(self, request: Request) -> int:
        self._last_ticket += 1
        self._send(protocol.submit(self._last_ticket, request))
        self._pending[self._last_ticket] = request
        return self._last_ticket

    def next_completion(self, timeout_s: float | None = None) -> Completion | None:
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ready:
            if not self._receive(deadline_s):
                return None
        return self._ready.popleft()

    def observe(self) -> ObservedProject:
        self._send(protocol.Observe())
        while True:
            try:
                message = self._next_message(None)
            except EngineUnavailable:
                self._recover()
                self._send(protocol.Observe())
                continue
            if isinstance(message, protocol.Observed):
                return message.project
            self._sort(message)

    def subscribe(self) -> None:
        """From now on `next_event` has something to tell."""
        self._subscribed = True
        self._send(protocol.Subscribe())

    def next_event(self, timeout_s: float | None = None) -> ContainerEvent | None:
        """The next event; None after *timeout_s*. Completions are kept for `next_completion`."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._events:
            if not self._receive(deadline_s):
                return None
        return self._events.popleft()

    def events(self) -> Iterator[ContainerEvent]:
        """All events from now on, without end."""
        if not self._subscribed:
            self.subscribe()
        while True:
            event = self.next_event()
            if event is not None:
                yield event

    def close(self) -> None:
        self._channel.close()

    def _receive(self, deadline_s: float | None) -> bool:
        """Take one message; False when the deadline has passed without."""
        try:
            message = self._next_message(deadline_s)
        except EngineUnavailable:
            self._recover()
            return True
        if message is None:
            return False
        self._sort(message)
        return True

    def _next_message(self, deadline_s: float | None) -> protocol.FromServer | None:
        timeout_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        payload = self._channel.receive_bytes(timeout_s)
        return None if payload is None else protocol.decode_from_server(payload)

    def _sort(self, message: protocol.FromServer | None) -> None:
        match message:
            case protocol.Answer():
                fds = self._channel.take_descriptors(message.descriptors)
                if self._pending.pop(message.ticket, None) is not None:
                    self._ready.append(protocol.completion(message, fds))
            case protocol.Event():
                self._events.append(message.event)
            case _:
                pass

    def _send(self, message: protocol.FromClient) -> None:
        """Send *message*, to the next supervisor if this one has gone."""
        payload = protocol.encode(message)
        while True:
            try:
                self._channel.send_bytes(payload)
            except EngineUnavailable:
                self._recover()
            else:
                return

    def _recover(self) -> None:
        """The supervisor has gone: find the next one, ask it everything that is unanswered.

        Raises EngineUnavailable when too many have gone.
        """
        while True:
            self._count_loss()
            self._channel.close()
            self._channel = self._reconnect()
            try:
                if self._subscribed:
                    self._channel.send_bytes(protocol.encode(protocol.Subscribe()))
                for ticket, request in self._pending.items():
                    self._channel.send_bytes(protocol.encode(protocol.submit(ticket, request)))
            except EngineUnavailable:
                continue
            return

    def _count_loss(self) -> None:
        now_s = time.monotonic()
        self._losses = [at_s for at_s in self._losses if now_s - at_s < LOSS_WINDOW_S]
        self._losses.append(now_s)
        if len(self._losses) > MOST_LOSSES:
            raise EngineUnavailable(
                "the project's supervisor ends again and again",
                fix="look into supervisor.log in the project's directory",
            )
