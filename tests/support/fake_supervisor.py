"""A supervisor's socket with the engine in memory behind it, for tests of its clients.

Frames, greetings and answers are those of `orchestra.supervisor.protocol`. State files are written
after every request, as the supervisor does, so that what reads files sees the same containers.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from typing import TYPE_CHECKING

from orchestra.model.state import dump_state
from orchestra.supervisor import protocol
from orchestra.supervisor.light import FrameBuffer, frame

if TYPE_CHECKING:
    from orchestra.engine.fake import FakeEngine
    from orchestra.layout import Layout


class FakeSupervisor:
    """Serves one client after the other until closed."""

    def __init__(self, layout: Layout, project: str, engine: FakeEngine) -> None:
        self._layout = layout
        self._project = project
        self._engine = engine
        path = layout.socket(project)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self.write_states()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5.0)
        self._listener.close()

    def write_states(self) -> None:
        """Make the state files those of the engine; a pid of ours, so that it counts as alive."""
        directory = self._layout.containers(self._project)
        shutil.rmtree(directory, ignore_errors=True)
        for container in self._engine.observe().containers:
            os.makedirs(self._layout.container(self._project, container.id))
            with open(self._layout.state_json(self._project, container.id), "wb") as file:
                file.write(dump_state(container._replace(pid=0, start_ticks=0)))

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._attend(client)

    def _attend(self, client: socket.socket) -> None:
        frames = FrameBuffer()
        tickets: dict[int, int] = {}
        while content := client.recv(65536):
            frames.feed(content)
            while (payload := frames.next_frame()) is not None:
                message = protocol.decode_from_client(payload)
                match message:
                    case protocol.Hello():
                        self._send(client, protocol.Welcome(protocol=1, version="", pid=1))
                    case protocol.Submit(ticket=ticket, request=request):
                        tickets[self._engine.submit(request)] = ticket
                        self._answer(client, tickets)
                    case protocol.Observe():
                        project = self._engine.observe()
                        self._send(client, protocol.Observed(project=project))
                    case _:
                        raise NotImplementedError(message)

    def _answer(self, client: socket.socket, tickets: dict[int, int]) -> None:
        while tickets:
            completion = self._engine.next_completion(60.0)
            self.write_states()
            if completion is None:
                return
            answer = protocol.answer(completion)
            answer = protocol.Answer(
                ticket=tickets.pop(completion.ticket),
                error=answer.error,
                exit_code=answer.exit_code,
                detail=answer.detail,
            )
            self._send(client, answer)

    @staticmethod
    def _send(client: socket.socket, message: protocol.FromServer) -> None:
        client.sendall(frame(protocol.encode(message)))
