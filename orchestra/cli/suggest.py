"""What the user probably meant. Imported only when a word was wrong."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from orchestra.cli.flags import FlagError
from orchestra.cli.globals import GLOBAL_FLAGS
from orchestra.cli.table import ALIASES, COMMANDS, FAMILIES, INSTEAD
from orchestra.errors import OrchestraError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.cli.flags import Flag, UnknownFlag

SYNONYMS = {
    "delete": "rm",
    "destroy": "down",
    "enter": "exec",
    "halt": "stop",
    "history": "image history",
    "import": "image import",
    "list": "ls",
    "load": "image load",
    "prune": "system prune",
    "remove": "rm",
    "rmi": "image rm",
    "save": "image save",
    "sh": "exec",
    "shell": "exec",
    "ssh": "exec",
    "status": "ps",
    "tag": "image tag",
}
"""Words of docker and of other tools, and the command here that does the same."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The closest of *known*, or "" when none is close."""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""


def unknown_command(words: Sequence[str]) -> OrchestraError:
    """The error about *words*, the first of which name no command."""
    first = words[0]
    asked = next((name for name in (" ".join(words[:2]), first) if name in INSTEAD), "")
    if asked:
        return Unsupported(f'orchestra has no command "{asked}"', fix=INSTEAD[asked])
    if first in FAMILIES and len(words) > 1:
        name, near = " ".join(words[:2]), _nearest_in(first, words[1])
        all_of_them = f"`orchestra {first} --help`"
    else:
        known = [known for known in COMMANDS if " " not in known]
        name, near = first, SYNONYMS.get(first) or nearest(first, (*known, *FAMILIES))
        all_of_them = "`orchestra --help`"
    fix = f"did you mean `orchestra {near}`?" if near else f"{all_of_them} lists all commands"
    return FlagError(f'unknown orchestra command: "{name}"', fix=fix)


def _nearest_in(family: str, word: str) -> str:
    head = f"{family} "
    names = [name.removeprefix(head) for name in (*COMMANDS, *ALIASES) if name.startswith(head)]
    near = nearest(word, names)
    return head + near if near else ""


def unknown_flag(error: UnknownFlag, flags: Iterable[Flag], *, command: str = "") -> str:
    """How to mend an unknown flag of *command*, or of `orchestra` itself; "" when nobody knows."""
    known = [flag.name for flag in flags if not flag.hidden]
    before = (flag for flag in GLOBAL_FLAGS if not flag.hidden)
    if command and any(error.flag in (flag.name, flag.short) for flag in before):
        return f"it goes before the command: `orchestra {error.shown} … {command}`"
    near = nearest(error.flag, known) if len(error.flag) > 1 else ""
    if near:
        return f"did you mean --{near}?"
    return "" if command else "flags of a command go after its name"
