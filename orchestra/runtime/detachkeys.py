"""The keys that leave a container's terminal: "ctrl-p,ctrl-q". As `docker attach` reads them."""

from __future__ import annotations

from orchestra.errors import ConfigError

DEFAULT = "ctrl-p,ctrl-q"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def key_bytes(text: str) -> bytes:
    """The bytes that the keys *text* send; "" is the default. Raises ConfigError."""
    return bytes(_key(word) for word in (text or DEFAULT).split(","))


def _key(word: str) -> int:
    if len(word) == 1 and word.isascii():
        return ord(word)
    head, dash, tail = word.partition("-")
    if dash and head == "ctrl" and len(tail) == 1 and tail in _CONTROL:
        return _CONTROL.index(tail)
    raise ConfigError(
        f'invalid detach keys: unknown character "{word}"',
        fix='for example "ctrl-p,ctrl-q" or "a,b": single characters, or ctrl- and one of '
        "a to z, @, [, \\, ], ^, _",
    )


class DetachKeys:
    """What is typed goes through `passing`, which keeps the beginning of the keys back."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""
        self.pressed = False

    def passing(self, typed: bytes) -> bytes:
        """What of *typed* is for the container; nothing after the keys were *pressed*."""
        through = bytearray()
        for byte in typed:
            if self.pressed:
                break
            self._held += bytes((byte,))
            while self._held and not self._keys.startswith(self._held):
                through.append(self._held[0])
                self._held = self._held[1:]
            self.pressed = self._held == self._keys
        return bytes(through)
