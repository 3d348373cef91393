"""A tree as YAML, laid out as go-yaml does: two spaces, indented lists, quotes only where needed.

What PyYAML prints is as good, but its lists are not indented and its quotes are others; people
compare what `config` prints with what `docker compose config` printed.
"""

from __future__ import annotations

import re
from typing import Final

from orchestra.config.gonumbers import spell_float

_PLAIN: Final = re.compile(r"[A-Za-z/_][A-Za-z0-9/_.-]*")
"""Texts that are certainly plain, unless they are one of the words."""

_WORDS: Final = (
    frozenset(
        spelling
        for word in ("null", "true", "false", "y", "yes", "on", "n", "no", "off", ".inf", ".nan")
        for spelling in (word, word.upper(), word.capitalize(), word[:2].upper() + word[2:])
    )
    | frozenset(sign + word for sign in "+-" for word in (".inf", ".Inf", ".INF"))
    | frozenset({"~", "<<", "=", ".NaN"})
)
_NUMBER: Final = re.compile(
    r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?0[xX][0-9a-fA-F_]+"
    r"|[-+]?0[oO][0-7_]+|[-+]?0[bB][01_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_INDICATOR: Final = re.compile(r"""[#,\[\]{}&*!|>'"%@`]|[-?:](\s|\Z)|---|\.\.\.""")
_BREAKING: Final = re.compile(r":(\s|\Z)|\s#|^ | \Z")
_UNPRINTABLE: Final = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_SHORT: Final = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r",
    "\x1b": "e", '"': '"', "\\": "\\", "\x85": "N", "\u2028": "L", "\u2029": "P",
}  # fmt: skip
_LONGEST_KEY = 128


def yaml_text(tree: object) -> str:
    """*tree*, of dicts, lists and scalars, as a block-style YAML document.

    Mappings are printed in their own order.
    """
    lines: list[str] = []
    _write(tree, "", lines)
    return "\n".join(lines) + "\n"


_NOT_FINITE: Final = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}


def scalar(value: object, indent: str = "") -> str:
    """*value* as it stands behind a key; a text of several lines continues below *indent*."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return _NOT_FINITE.get(spell_float(value)) or spell_float(value)
        case str():
            return value if _is_certainly_plain(value) else _quoted(value, indent)
        case _:
            return str(value)


def _write(value: object, indent: str, lines: list[str], head: str | None = None) -> None:
    """Append the lines of *value*; the first one stands behind *head* instead of *indent*."""
    first = indent if head is None else head
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _entry(first + _key(str(key), indent) + ":", item, indent, lines)
            first = indent
    elif isinstance(value, list) and value:
        for item in value:
            if isinstance(item, dict | list) and item:
                _write(item, indent + "  ", lines, first + "- ")
            else:
                lines.append(f"{first}- {_flow(item, indent + '  ')}")
            first = indent
    else:
        lines.append(first + _flow(value, indent + "  "))


def _entry(head: str, item: object, indent: str, lines: list[str]) -> None:
    if isinstance(item, dict | list) and item:
        lines.append(head)
        _write(item, indent + "  ", lines)
    else:
        lines.append(f"{head} {_flow(item, indent + '  ')}")


def _flow(value: object, indent: str) -> str:
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else scalar(value, indent)


def _key(key: str, indent: str) -> str:
    text = _double_quoted(key) if "\n" in key else scalar(key)
    return f"? {text}\n{indent}" if len(key) > _LONGEST_KEY else text


def _is_certainly_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text not in _WORDS


def _quoted(text: str, indent: str) -> str:
    if text == "" or text in _WORDS or _NUMBER.fullmatch(text) or _DATE.fullmatch(text):
        return _double_quoted(text)
    if "\n" in text:
        return _block(text, indent) if _fits_a_block(text) else _double_quoted(text)
    if _UNPRINTABLE.search(text):
        return _double_quoted(text)
    if _INDICATOR.match(text) or _BREAKING.search(text):
        return "'" + text.replace("'", "''") + "'"
    return text


def _fits_a_block(text: str) -> bool:
    """Blanks at a line's end would be lost to editors, and controls need escapes."""
    visible = text.replace("\t", " ")
    blank = not text.strip("\n") or " \n" in text or text.endswith(" ")
    return not (blank or _UNPRINTABLE.search(visible))


def _block(text: str, indent: str) -> str:
    """The literal style: as it is, below the key, with a header that says how it ends."""
    hint = "2" if text[0] in " \n" else ""
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    chomp = ("-", "")[ending] if ending < 2 else "+"
    lines = body.split("\n") + [""] * (ending - 1)
    return "\n".join([f"|{hint}{chomp}", *(indent + line if line else "" for line in lines)])


def _double_quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in _SHORT:
        return "\\" + _SHORT[char]
    if not _UNPRINTABLE.match(char):
        return char
    code = ord(char)
    return (
        f"\\x{code:02X}"
        if code < 0x100
        else f"\\u{code:04X}"
        if code < 0x10000
        else f"\\U{code:08X}"
    )
