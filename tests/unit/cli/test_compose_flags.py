"""Every flag of Docker Compose is here, and every command or what to use instead.

`data/compose_flags.txt` holds the facts: names, shorthands and kinds.
"""

from __future__ import annotations

import importlib
import os
from typing import NamedTuple

import pytest

from orchestra.cli.flags import BOOL, NUMBER, Flag
from orchestra.cli.globals import GLOBAL_FLAGS
from orchestra.cli.table import ALIASES, COMMANDS, INSTEAD

FACTS = os.path.join(os.path.dirname(__file__), "data", "compose_flags.txt")

NO_COMMAND = {"bridge", "publish", "alpha"}
"""Not planned; `table.INSTEAD` tells what to do."""


class Theirs(NamedTuple):
    command: str
    flag: str
    short: str
    kind: str


def facts() -> tuple[frozenset[str], tuple[Theirs, ...]]:
    """The commands, and all flags."""
    commands, found, command = set(), [], ""
    with open(FACTS, encoding="utf-8") as file:
        for line in file:
            if line.startswith('"'):
                command = line.strip().strip('"')
                commands.add(command)
            elif line.startswith(" "):
                words = [word for word in line.split() if word != "hidden"]
                short = words[1][1:] if words[1].startswith("-") else ""
                found.append(Theirs(command, words[0][2:], short, words[-1]))
    return frozenset(commands), tuple(found)


THEIR_COMMANDS, THEIR_FLAGS = facts()


def is_instead(command: str) -> bool:
    return command.split(" ")[0] in INSTEAD


def flags_of(command: str) -> dict[str, Flag]:
    """Ours by all their names."""
    flags = GLOBAL_FLAGS
    if command:
        row = COMMANDS[ALIASES.get(command, command)]
        flags = importlib.import_module(f"orchestra.cli.commands.{row.module}").COMMAND.flags
    return {name: flag for flag in flags for name in (flag.name, *flag.aliases)}


def test_every_command_is_here_or_tells_what_to_use_instead() -> None:
    here = {*COMMANDS, *ALIASES, ""}
    assert not [name for name in THEIR_COMMANDS if name not in here and not is_instead(name)]
    assert len(THEIR_COMMANDS) > 40
    assert set(INSTEAD) >= NO_COMMAND


@pytest.mark.parametrize("theirs", THEIR_FLAGS, ids=lambda each: f"{each.command} --{each.flag}")
def test_every_flag_is_here(theirs: Theirs) -> None:
    if is_instead(theirs.command):
        return
    ours = flags_of(theirs.command).get(theirs.flag)
    assert ours is not None
    if theirs.short:
        assert ours.short == theirs.short
    assert (ours.kind == BOOL) == (theirs.kind == "bool")
    if theirs.kind in ("int", "uint64"):
        assert ours.kind == NUMBER
