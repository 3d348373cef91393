"""The keys that leave a terminal are found wherever they are cut; all other keys go through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.errors import ConfigError
from orchestra.runtime.detachkeys import DetachKeys, key_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", b"\x10\x11"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("a", b"a"),
        ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x00\x1b\x1c\x1d\x1e\x1f"),
    ],
)
def test_keys_are_spelled_as_dockers(text: str, expected: bytes) -> None:
    assert key_bytes(text) == expected


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-1", "ctrl-P", "ab", "alt-p", "a,,b", "é"])
def test_impossible_keys_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="invalid detach keys"):
        key_bytes(text)


def test_the_beginning_of_the_keys_waits_for_what_follows() -> None:
    keys = DetachKeys(b"\x10\x11")
    assert keys.passing(b"a\x10") == b"a"
    assert keys.passing(b"b") == b"\x10b"
    assert not keys.pressed


def test_the_keys_themselves_and_what_follows_stay_here() -> None:
    keys = DetachKeys(b"\x10\x11")
    assert keys.passing(b"a\x10") + keys.passing(b"\x11rest") == b"a"
    assert keys.pressed


@given(st.lists(st.text("ab", max_size=4)), st.text("ab", min_size=1, max_size=3))
def test_whatever_is_typed_goes_through_up_to_the_keys(pieces: list[str], sequence: str) -> None:
    keys = DetachKeys(sequence.encode())
    through = b"".join(keys.passing(piece.encode()) for piece in pieces)
    typed = "".join(pieces)
    before, found, _ = typed.partition(sequence)
    assert keys.pressed == bool(found)
    if found:
        assert through == before.encode()
    else:
        assert typed.encode().startswith(through)
        assert sequence.startswith(typed[len(through) :])
