"""WWW-Authenticate headers: what a registry wants from who it does not know. RFC 9110 §11.6.1."""

from __future__ import annotations

import re

from orchestra.named import NamedTuple

_PART = re.compile(
    r"[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)" r'(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?'
)
_ESCAPED = re.compile(r"\\(.)")


class Challenge(NamedTuple):
    """*scheme* in lower case; *parameters* by lower-case names."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a header, or of several joined by commas; what is no challenge ends it."""
    found: list[Challenge] = []
    position = 0
    while match := _PART.match(header, position):
        position = match.end()
        name, value = match[1].lower(), match[2]
        if value is None:
            found.append(Challenge(name, {}))
        elif found:
            found[-1].parameters[name] = _unquoted(value)
    return tuple(found)


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
