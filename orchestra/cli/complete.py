"""What can follow on a command line: the answers behind the shells' completion.

`orchestra __complete WORD… CURRENT` prints a candidate per line, with a tab and what it means; a
line `:files` or `:directories` asks the shell for names of its own. The scripts that call it are
in `cli.shells`.
"""

from __future__ import annotations

import sys

from orchestra.cli.context import Context
from orchestra.cli.flags import BOOL, Flag, parse
from orchestra.cli.globals import DRY_RUN, GLOBAL_FLAGS, read_globals
from orchestra.cli.places import DIRECTORIES, FILES, kind_of_place, kind_of_value, words_of_value
from orchestra.cli.table import COMMANDS, FAMILIES
from orchestra.errors import OrchestraError
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orchestra.cli.flags import Command

HELP = Flag("help", "Show this text", short="h")


class Candidate(NamedTuple):
    text: str
    about: str = ""


class Wish(NamedTuple):
    """What can stand at the cursor: *candidates*, or names of a *kind*; *prefix* goes before them.

    *named* are services that stand there already.
    """

    candidates: tuple[Candidate, ...] = ()
    kind: str = ""
    prefix: str = ""
    named: tuple[str, ...] = ()


def complete(words: Sequence[str], environ: Mapping[str, str], cwd: str) -> int:
    """Print the candidates for the last of *words*; whatever is wrong, there are just none."""
    line = Line(words[:-1])
    current = words[-1] if words else ""
    try:
        command = line.command()
        wish = wish_at(line, command, current)
        found = _found(wish, line, environ, cwd)
    except OrchestraError:
        return 0
    begun = current[len(wish.prefix) :] if current.startswith(wish.prefix) else current
    shown = (c for c in found if c.text.startswith((begun, ":")) or c.text == begun)
    for text, about in shown:
        whole = text if text.startswith(":") else wish.prefix + text
        sys.stdout.write(f"{whole}\t{about}\n" if about else f"{whole}\n")
    return 0


class Line:
    """The words before the cursor: global ones, the command's name, and what comes after it."""

    def __init__(self, words: Sequence[str]) -> None:
        before = _Words(GLOBAL_FLAGS, words, stop_at_word=True)
        self.open_flag = before.open_flag
        self.globals = tuple(words[: before.used - (self.open_flag is not None)])
        rest = list(words[before.used :])
        count = 2 if rest and rest[0] in FAMILIES else 1
        self.name = " ".join(rest[:count])
        self.is_named = len(rest) >= count
        self.rest = tuple(rest[count:])

    def command(self) -> Command | None:
        """None while the name is not there. Raises FlagError for an unknown one."""
        if not self.is_named or self.name == "help":
            return None
        from orchestra.cli.main import load

        return load(self.name).COMMAND


class _Words:
    """A lenient reading: how many words were read, which are no flags, which flag still waits."""

    def __init__(
        self,
        flags: Iterable[Flag],
        words: Sequence[str],
        *,
        interspersed: bool = True,
        stop_at_word: bool = False,
    ) -> None:
        self.positional: list[str] = []
        self.open_flag: Flag | None = None
        self.used = 0
        self.flags_ended = False
        by_name = {f"--{name}": flag for flag in flags for name in (flag.name, *flag.aliases)}
        by_name.update({f"-{flag.short}": flag for flag in by_name.values() if flag.short})
        for word in words:
            if self.open_flag is not None:
                self.open_flag = None
            elif self.flags_ended or not word.startswith("-") or word == "-":
                if stop_at_word:
                    return
                self.positional.append(word)
                self.flags_ended = self.flags_ended or not interspersed
            elif word == "--":
                self.flags_ended = True
            else:
                self.open_flag = _waiting(word, by_name)
            self.used += 1


def _waiting(word: str, by_name: Mapping[str, Flag]) -> Flag | None:
    """The flag of *word* when its value is the next word."""
    if word.startswith("--"):
        flag = by_name.get(word)
        return flag if flag is not None and flag.kind != BOOL else None
    for position, letter in enumerate(word[1:], 2):
        flag = by_name.get(f"-{letter}")
        if flag is not None and flag.kind != BOOL:
            return flag if position == len(word) else None
    return None


def wish_at(line: Line, command: Command | None, current: str) -> Wish:
    """What can stand at the cursor after *line*, where *current* has been written."""
    if command is None:
        if line.open_flag is not None:
            return _value_wish("", line.open_flag, "")
        if current.startswith("-"):
            return _flag_wish("", GLOBAL_FLAGS, current)
        return Wish(tuple(_names_after(line.name)))
    flags = (*command.flags, DRY_RUN)
    words = _Words(flags, line.rest, interspersed=command.interspersed)
    if words.open_flag is not None:
        return _value_wish(command.name, words.open_flag, "")
    if current.startswith("-") and not words.flags_ended:
        return _flag_wish(command.name, flags, current)
    if command.name == "completion" and not words.positional:
        from orchestra.cli.shells import SCRIPTS

        return Wish(tuple(Candidate(shell) for shell in SCRIPTS))
    kind = _kind_at(command, len(words.positional))
    return Wish(kind=kind, named=tuple(words.positional))


def _flag_wish(command: str, flags: Iterable[Flag], current: str) -> Wish:
    """The flags, or after `--flag=` its values."""
    name, equals, _value = current.partition("=")
    if equals:
        for flag in flags:
            if name[2:] in (flag.name, *flag.aliases):
                return _value_wish(command, flag, f"{name}=")
        return Wish()
    shown = (flag for flag in (*flags, HELP) if not flag.hidden)
    return Wish(tuple(Candidate(f"--{flag.name}", flag.help) for flag in shown))


def _value_wish(command: str, flag: Flag, prefix: str) -> Wish:
    words = flag.choices or words_of_value(command, flag.name)
    if words:
        return Wish(tuple(map(Candidate, words)), prefix=prefix)
    return Wish(kind=kind_of_value(command, flag.name), prefix=prefix)


def _names_after(first: str) -> Iterator[Candidate]:
    """The commands; the second words of a family when *first* names one."""
    if first in FAMILIES:
        for name, row in COMMANDS.items():
            if name.startswith(f"{first} "):
                yield Candidate(name.partition(" ")[2], row.summary)
        return
    for name, row in COMMANDS.items():
        if " " not in name:
            yield Candidate(name, row.summary)
    for name, summary in FAMILIES.items():
        yield Candidate(name, summary)
    if not first:
        yield Candidate("help", "Help about any command")


def places_of(command: Command) -> tuple[str, ...]:
    """The places after the name in the first line of the usage, flags left out."""
    line = command.usage.partition("\n")[0].removeprefix(command.name)
    return tuple(word for word in line.split() if word not in ("[OPTIONS]", "[ps", "OPTIONS]"))


def _kind_at(command: Command, position: int) -> str:
    """What stands at *position* among the words, as the usage line says; "" when unknown."""
    places = places_of(command)
    if position < len(places):
        place = places[position]
    elif places and places[-1].rstrip("]").endswith(("...", "S")):
        place = places[-1]
    else:
        return ""
    return kind_of_place(command.name, place)


def _found(wish: Wish, line: Line, environ: Mapping[str, str], cwd: str) -> tuple[Candidate, ...]:
    """The candidates of *wish*, names looked up. Raises OrchestraError."""
    if wish.kind in ("", FILES, DIRECTORIES):
        return (Candidate(wish.kind),) if wish.kind else wish.candidates
    from orchestra.cli.known_names import known_names

    parsed = parse(GLOBAL_FLAGS, line.globals, interspersed=False)
    context = Context(read_globals(parsed, environ), environ, cwd)
    names = known_names(wish.kind, context)
    return tuple(Candidate(name) for name in names if name not in wish.named)
