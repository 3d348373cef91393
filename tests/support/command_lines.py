"""Command lines of `orchestra` in shell lines, read as the program reads them, and not run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from orchestra.cli.flags import HelpWanted, check_words, parse
from orchestra.cli.globals import DRY_RUN, GLOBAL_FLAGS
from orchestra.cli.main import load
from orchestra.cli.table import ALIASES, COMMANDS, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Sequence

PIPED = re.compile(r" (?:\||>|<|&&|2>) ?")
SUBSTITUTED = re.compile(rf"{PIPED.pattern}|\)\"?(?:\s|$)")
"""Where the words of a command end in a line that a shell reads, and inside of `$(…)` or `<(…)`."""


def calls_in(line: str) -> list[list[str]]:
    """The arguments of each `orchestra` in the shell's *line*."""
    ends = SUBSTITUTED if re.search(r"[$<]\(orchestra", line) else PIPED
    _before, *after = re.split(r"(?:^|(?<=[\s(;&|]))orchestra(?=\s|$)", line)
    return [shlex.split(ends.split(text)[0], comments=True) for text in after]


def parsed_call(argv: Sequence[str]) -> str:
    """The command that *argv* calls. Raises UsageError when it does not fit."""
    before = parse(GLOBAL_FLAGS, argv, interspersed=False)
    if not before.words or before.words[0] == "help":
        return "help"
    count = 2 if before.words[0] in FAMILIES else 1
    written = " ".join(before.words[:count])
    if before.words[0] == "docker" and written not in COMMANDS:
        return "docker"  # in the forms of `docker`, which tests of their own run
    command = load(written).COMMAND
    try:
        rest = before.words[count:]
        args = parse((*command.flags, DRY_RUN), rest, interspersed=command.interspersed)
    except HelpWanted:
        return "help"
    if args.words:  # a name alone, as in running text, is no whole line
        check_words(command, args)
    return ALIASES.get(written, written)
