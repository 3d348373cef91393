from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra import errors
from orchestra.engine import base
from orchestra.errors import EngineUnavailable, LaunchFailed, OrchestraError
from orchestra.model.container import ContainerId
from orchestra.supervisor import protocol
from orchestra.supervisor.light import LONGEST_FRAME, FrameBuffer, error_from_wire, frame

ID = ContainerId("a" * 64)


def test_every_request_of_the_contract_can_be_submitted() -> None:
    tags = {request.__name__ for request in base.Request.__subclasses__()}
    assert tags == {request.__name__ for request in protocol.AnyRequest.__args__}


def test_request_comes_back_as_it_was() -> None:
    request = base.StopContainer(id=ID, grace_s=-1)
    message = protocol.decode_from_client(protocol.encode(protocol.submit(7, request)))
    assert message == protocol.Submit(ticket=7, request=request)


def test_hand_written_json_is_understood() -> None:
    text = json.dumps(
        {"type": "Submit", "ticket": 1, "request": {"type": "KillContainer", "id": ID}}
    )
    message = protocol.decode_from_client(text.encode())
    assert message == protocol.Submit(ticket=1, request=base.KillContainer(id=ID))


def _classes() -> list[type[OrchestraError]]:
    known = [value for value in vars(errors).values() if isinstance(value, type)]
    return [each for each in known if issubclass(each, OrchestraError)]


@pytest.mark.parametrize("kind", _classes())
def test_errors_come_back_as_their_class(kind: type[OrchestraError]) -> None:
    error = kind.__new__(kind)
    OrchestraError.__init__(error, "what happened", fix="mend it so")
    answer = protocol.answer(base.Completion(ticket=1, error=error))
    received = protocol.decode_from_server(protocol.encode(answer))
    assert isinstance(received, protocol.Answer)
    back = protocol.completion(received).error
    assert type(back) is kind
    assert (back.what, back.fix, back.exit_code) == ("what happened", "mend it so", kind.exit_code)


def test_exit_code_of_a_failed_launch_travels() -> None:
    answer = protocol.answer(
        base.Completion(ticket=1, error=LaunchFailed("no such command", exit_code=127))
    )
    error = protocol.completion(answer).error
    assert isinstance(error, LaunchFailed)
    assert error.exit_code == 127


def test_place_in_the_compose_file_travels() -> None:
    taken = errors.Conflict("port taken").at("services", "web", "ports", 0)
    error = protocol.completion(protocol.answer(base.Completion(ticket=1, error=taken))).error
    assert isinstance(error, errors.Conflict)
    assert error.path == ("services", "web", "ports", 0)


@pytest.mark.parametrize("kind", ["Nonsense", "__builtins__", "TYPE_CHECKING", ""])
def test_unknown_error_class_is_a_plain_error(kind: str) -> None:
    error = error_from_wire({"kind": kind, "what": "odd"})
    assert type(error) is OrchestraError
    assert error.what == "odd"


@given(st.lists(st.binary(max_size=50)), st.integers(1, 9))
def test_frames_survive_any_cutting(payloads: list[bytes], step: int) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    buffer = FrameBuffer()
    received = []
    for start in range(0, len(stream), step):
        buffer.feed(stream[start : start + step])
        while (payload := buffer.next_frame()) is not None:
            received.append(payload)
    assert received == payloads


def test_impossible_length_is_refused() -> None:
    buffer = FrameBuffer()
    buffer.feed((LONGEST_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(EngineUnavailable, match="frame of"):
        buffer.next_frame()
