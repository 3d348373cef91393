"""Flags as data, and a parser of command lines with the grammar of `docker compose`.

The grammar is that of Go's pflag, which scripts written for Docker rely on: `--flag=false`, `-fx`,
`-f=x`, clusters such as `-it`, no abbreviations, and commands (`exec`, `run`) whose own flags end
at the first word. argparse has none of these and words its errors otherwise;
docs/design/010-flags.md has the comparison.
"""

from __future__ import annotations

from orchestra.errors import OrchestraError
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BOOL, TEXT, NUMBER, LIST = "bool", "string", "int", "stringArray"
"""The kinds of flag; the names are those that `--help` shows."""

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False"))


class UsageError(OrchestraError):
    """The words of a command line do not fit together."""


class FlagError(UsageError):
    """A command or flag is unknown or malformed; the exit code is that of `docker compose`."""

    exit_code = 16


class InvalidValue(FlagError):
    """A flag is followed by what it cannot mean."""


class UnknownFlag(FlagError):
    """There is no *flag*, as it is called without its dashes; *shown* has them."""

    def __init__(self, what: str, flag: str, shown: str) -> None:
        super().__init__(what)
        self.flag, self.shown = flag, shown


class Flag(NamedTuple):
    """One flag. *default* is what `--help` shows after the text, when it is not the zero value."""

    name: str
    help: str
    short: str = ""
    kind: str = BOOL
    default: str = ""
    hidden: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()  # for completion


class Command(NamedTuple):
    """The face of one command: what `--help` shows and what its parser accepts."""

    usage: str  # "up [OPTIONS] [SERVICE...]"
    summary: str
    flags: tuple[Flag, ...] = ()
    min_args: int = 0
    max_args: int | None = None
    interspersed: bool = True  # False: the first word ends the flags, as for `exec`
    attends: bool = False  # its exit code is that of a command in a container: 126, 127 mean that
    failure_code: int | None = None  # of whatever fails before a command in a container runs
    examples: tuple[tuple[str, str], ...] = ()  # (command line, what it does)

    @property
    def name(self) -> str:
        """The lower-case words that the usage begins with: "up", "image ls"."""
        words = self.usage.split()
        return " ".join(words[: next((i for i, w in enumerate(words) if not w.islower()), None)])


class Args(NamedTuple):
    """A parsed command line. Asking for a flag that the command does not declare is a KeyError."""

    values: Mapping[str, bool | int | str | tuple[str, ...]]
    words: tuple[str, ...]
    given: frozenset[str]  # the flags that the user wrote

    def on(self, name: str) -> bool:
        value = self.values[name]
        return value is True

    def text(self, name: str) -> str:
        value = self.values[name]
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        value = self.values[name]
        return value if isinstance(value, int) else 0

    def seconds(self, name: str) -> float | None:
        """A time-out in seconds, or None when the user did not write the flag."""
        return float(self.number(name)) if name in self.given else None

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values[name]
        return value if isinstance(value, tuple) else ()


def parse(flags: Sequence[Flag], argv: Sequence[str], *, interspersed: bool = True) -> Args:
    """Read *argv*. Raises UsageError with pflag's words."""
    reader = _Reader(flags, argv)
    words: list[str] = []
    while reader.pending:
        word = reader.take()
        if word == "--":
            words.extend(reader.rest())
        elif word.startswith("--"):
            reader.long(word[2:])
        elif word.startswith("-") and len(word) > 1:
            reader.shorts(word[1:], word)
        else:
            words.append(word)
            if not interspersed:
                words.extend(reader.rest())
    return Args(reader.values, tuple(words), frozenset(reader.given))


def check_words(command: Command, args: Args) -> None:
    """Raises UsageError when there are too few or too many positional arguments."""
    count = len(args.words)
    if count < command.min_args:
        noun = "argument" if command.min_args == 1 else "arguments"
        raise UsageError(
            f'"orchestra {command.name}" requires at least {command.min_args} {noun}, got {count}'
        )
    if command.max_args is not None and count > command.max_args:
        accepts = f"at most {command.max_args} arguments" if command.max_args else "no arguments"
        raise UsageError(f'"orchestra {command.name}" accepts {accepts}, got {count}')


class _Reader:
    """The state of one parse: the words that are left and the values found so far."""

    def __init__(self, flags: Sequence[Flag], argv: Sequence[str]) -> None:
        self.pending = list(reversed(argv))
        self.values: dict[str, bool | int | str | tuple[str, ...]] = {}
        self.given: set[str] = set()
        self._long: dict[str, Flag] = {}
        self._short: dict[str, Flag] = {}
        for flag in flags:
            self.values[flag.name] = _initial(flag)
            for name in (flag.name, *flag.aliases):
                self._long[name] = flag
            if flag.short:
                self._short[flag.short] = flag

    def take(self) -> str:
        return self.pending.pop()

    def rest(self) -> Iterator[str]:
        while self.pending:
            yield self.pending.pop()

    def long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        flag = self._long.get(name)
        if flag is None:
            if name == "help":
                raise HelpWanted
            raise UnknownFlag(f"unknown flag: --{name}", name, f"--{name}")
        if equals:
            self._store(flag, value, f"--{name}")
        elif flag.kind == BOOL:
            self._store(flag, "true", f"--{name}")
        elif self.pending:
            self._store(flag, self.take(), f"--{name}")
        else:
            raise FlagError(f"flag needs an argument: --{name}")

    def shorts(self, cluster: str, word: str) -> None:
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            flag = self._short.get(letter)
            if flag is None:
                if letter == "h":
                    raise HelpWanted
                what = f"unknown shorthand flag: {letter!r} in {word}"
                raise UnknownFlag(what, letter, f"-{letter}")
            shown = f"-{letter}, --{flag.name}"
            if cluster.startswith("="):
                self._store(flag, cluster[1:], shown)
                return
            if flag.kind == BOOL:
                self._store(flag, "true", shown)
                continue
            if cluster:
                self._store(flag, cluster, shown)
            elif self.pending:
                self._store(flag, self.take(), shown)
            else:
                raise FlagError(f"flag needs an argument: {letter!r} in {word}")
            return

    def _store(self, flag: Flag, text: str, shown: str) -> None:
        self.given.add(flag.name)
        if flag.kind == LIST:
            before = self.values[flag.name]
            kept = before if isinstance(before, tuple) else ()
            self.values[flag.name] = (*kept, text)
        else:
            self.values[flag.name] = _convert(flag, text, shown)


class HelpWanted(Exception):
    """`-h` or `--help` was met."""


def _initial(flag: Flag) -> bool | int | str | tuple[str, ...]:
    if flag.kind == LIST:
        return ()
    if flag.kind == TEXT:
        return flag.default
    return _convert(flag, flag.default or "0", flag.name)


def _convert(flag: Flag, text: str, shown: str) -> bool | int | str:
    if flag.kind == BOOL:
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise InvalidValue(f'invalid argument "{text}" for "{shown}" flag: use true or false')
    if flag.kind == NUMBER:
        try:
            return int(text, 0)
        except ValueError:
            raise InvalidValue(
                f'invalid argument "{text}" for "{shown}" flag: not a whole number'
            ) from None
    return text
