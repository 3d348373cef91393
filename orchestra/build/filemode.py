"""`--chmod`: an octal number, or changes such as "u=rwX,go-w". chmod(1)."""

from __future__ import annotations

import re
from typing import NamedTuple

_CHANGE = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)")
_ACTION = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111}
_SHIFT = {"u": 6, "g": 3, "o": 0}
"""`g=u`: what the owner may."""
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007}


class Mode(NamedTuple):
    """*octal* replaces the mode; else *changes* alter it: (bits of whom, action, letters)."""

    octal: int | None = None
    changes: tuple[tuple[int, str, str], ...] = ()

    def applied_to(self, mode: int, *, is_directory: bool) -> int:
        if self.octal is not None:
            return self.octal
        for who, action, letters in self.changes:
            bits = sum(_BITS.get(letter, 0) for letter in set(letters))
            if "X" in letters and (is_directory or mode & 0o111):
                bits |= 0o111
            if "s" in letters:
                bits |= 0o6000
            if "t" in letters:
                bits |= 0o1000
            if letters in _SHIFT:
                bits = (mode >> _SHIFT[letters] & 0o7) * 0o111
            bits &= who
            if action == "-":
                mode &= ~bits
            else:
                cleared = who & 0o777 if is_directory else who
                mode = (mode & ~cleared if action == "=" else mode) | bits
        return mode


def parse_mode(text: str) -> Mode:
    """Raises ValueError with a sentence."""
    if re.fullmatch(r"[0-7]{1,5}", text) and int(text, 8) <= 0o7777:
        return Mode(octal=int(text, 8))
    changes = []
    for part in text.split(","):
        match = _CHANGE.fullmatch(part)
        if match is None:
            raise ValueError(f'"{text}" is no mode: write an octal number such as 755')
        people = match.group(1) or "a"
        who = 0o7777 if "a" in people else 0
        for letter in people.replace("a", ""):
            who |= _WHO[letter]
        changes += [(who, action, letters) for action, letters in _ACTION.findall(match.group(2))]
    return Mode(changes=tuple(changes))
