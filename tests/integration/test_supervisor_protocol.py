"""Who speaks to the supervisor's socket, and how it answers what it does not understand."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

import pytest

from orchestra.engine.base import AttachInput, call
from orchestra.errors import NotFound, Unsupported
from orchestra.model.container import Process
from orchestra.model.state import Status
from orchestra.supervisor.light import PROTOCOL, Channel, LightClient, error_from_wire
from tests.integration.supervised import NAME, Supervised
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.network]


@pytest.fixture
def project(roots: dict[str, str]) -> Iterator[Supervised]:
    supervised = Supervised(roots["ORCHESTRA_DATA_ROOT"], roots["ORCHESTRA_RUN_ROOT"])
    yield supervised
    supervised.close()


@pytest.fixture
def raw(project: Supervised) -> Iterator[Channel]:
    """A connection that has not greeted."""
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(project.layout.socket(NAME))
    channel = Channel(connected)
    yield channel
    channel.close()


def refusal(channel: Channel) -> Exception:
    answer = channel.receive(5)
    assert answer is not None
    assert answer["type"] == "Refused"
    error = answer["error"]
    assert isinstance(error, dict)
    return error_from_wire(error)


def test_another_protocol_is_refused_with_a_fix(raw: Channel) -> None:
    raw.send({"type": "Hello", "protocol": PROTOCOL + 1, "version": "99"})
    error = refusal(raw)
    assert isinstance(error, Unsupported)
    assert error.fix


@pytest.mark.parametrize(
    "payload",
    [b"", b"nonsense", b"[]", b'{"type": "Observe"}', b'{"type": "Submit", "ticket": 1}', b"\xff"],
)
def test_who_does_not_greet_is_refused_and_harms_nobody(
    project: Supervised, raw: Channel, payload: bytes
) -> None:
    raw.send_bytes(payload)
    assert isinstance(refusal(raw), Unsupported)
    identifier = project.started("exit 2")
    assert project.exit_code(identifier) == 2


def test_plain_json_drives_it(project: Supervised) -> None:
    identifier = project.forever()
    client = LightClient.connect(project.layout.socket(NAME))
    assert client is not None
    ticket = client.submit({"type": "StopContainer", "id": identifier, "grace_s": 5})
    completion = client.next_completion(10)
    assert completion is not None
    assert (completion.ticket, completion.error) == (ticket, None)
    client.submit({"type": "KillContainer", "id": "no such"})
    completion = client.next_completion(10)
    assert completion is not None
    assert isinstance(completion.error, NotFound)
    client.close()


def test_nobody_listens_is_none(tmp_path: os.PathLike[str]) -> None:
    assert LightClient.connect(os.path.join(tmp_path, "socket")) is None


def test_path_longer_than_an_address_works(roots: dict[str, str]) -> None:
    deep = os.path.join(roots["ORCHESTRA_RUN_ROOT"], "d" * 120)
    project = Supervised(roots["ORCHESTRA_DATA_ROOT"], deep)
    identifier = project.started("exit 6")
    assert project.exit_code(identifier) == 6
    project.close()


def test_half_a_frame_and_silence_hold_up_nobody(project: Supervised, raw: Channel) -> None:
    raw.send({"type": "Hello", "protocol": PROTOCOL, "version": "1"})
    assert (raw.receive(5) or {}).get("type") == "Welcome"
    os.write(raw.fileno(), (100).to_bytes(4, "big") + json.dumps({}).encode())
    identifier = project.started("exit 2")
    assert project.exit_code(identifier) == 2


def reader(*, once: bool) -> Process:
    """Writes what it reads, until there is no more."""
    return Process(
        argv=("cat",), env=(("PATH", "/usr/bin:/bin"),), stdin_open=True, stdin_once=once
    )


def test_who_attaches_gets_the_only_writing_end(project: Supervised) -> None:
    identifier = project.started("", process=reader(once=True))
    (writer,) = call(project.engine, AttachInput(id=identifier)).fds
    assert not os.get_inheritable(writer)
    assert call(project.engine, AttachInput(id=identifier)).fds == ()
    os.write(writer, b"hello\n")
    os.close(writer)
    assert project.exit_code(identifier) == 0
    assert [line.text for line in project.lines(identifier)] == [b"hello\n"]


def test_stdin_that_is_to_stay_open_is_not_given_away(project: Supervised) -> None:
    identifier = project.started("", process=reader(once=False))
    for word in (b"one\n", b"two\n"):
        (writer,) = call(project.engine, AttachInput(id=identifier)).fds
        os.write(writer, word)
        os.close(writer)
        project.kill_supervisor()
        eventually(lambda: project.has_recovered(), within_s=10)
    eventually(lambda: len(project.lines(identifier)) == 2, within_s=10)
    assert project.state(identifier).status == Status.RUNNING
