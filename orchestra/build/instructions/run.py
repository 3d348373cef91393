"""RUN: a command whose changes become a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.heredoc import Heredoc, parse_heredoc
from orchestra.build.instructions.arguments import (
    CommandLine,
    FlagKind,
    command_line,
    parse_flags,
    some,
    wrong,
)
from orchestra.build.instructions.base import Command, Expander
from orchestra.build.instructions.mount import RunMount, expand_mount, parse_mount
from orchestra.config.wording import near_miss, quote

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement

_FLAGS = {"mount": FlagKind.TEXTS, "network": FlagKind.TEXT, "security": FlagKind.TEXT}
_NETWORKS = ("default", "none", "host")
_SECURITY = ("sandbox", "insecure")


class Run(Command, frozen=True, kw_only=True, tag="RUN"):
    """The variables of the command are the shell's; those of its mounts are replaced here.

    *script* is the text of the one heredoc that is the whole command.
    """

    command: CommandLine
    script: str | None = None
    mounts: tuple[RunMount, ...] = ()
    network: str = "default"
    security: str = "sandbox"

    def expanded(self, expand: Expander) -> Self:
        mounts = tuple(expand_mount(mount, expand) for mount in self.mounts)
        return msgspec.structs.replace(self, mounts=mounts)


def parse(statement: Statement) -> Run:
    flags = parse_flags(statement, _FLAGS)
    mounts = tuple(_mount(statement, text) for text in flags.all("mount"))
    command, script = _command(statement)
    return Run(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        command=command,
        script=script,
        mounts=mounts,
        network=_one_of(statement, "network", flags.text("network"), _NETWORKS),
        security=_one_of(statement, "security", flags.text("security"), _SECURITY),
    )


def _command(statement: Statement) -> tuple[CommandLine, str | None]:
    line = command_line(statement, some(statement))
    if not line.argv:
        raise wrong(statement, "needs a command")
    heredocs = statement.heredocs
    if not (line.in_shell and heredocs):
        return line, None
    if len(heredocs) == 1 and parse_heredoc(line.argv[0]) is not None:
        return line, heredocs[0].content
    return CommandLine(argv=(_with_heredocs(line.argv[0], heredocs),), in_shell=True), None


def _with_heredocs(line: str, heredocs: tuple[Heredoc, ...]) -> str:
    """The shell reads the heredocs itself."""
    return line + "".join(f"\n{heredoc.text}{heredoc.name}" for heredoc in heredocs)


def _mount(statement: Statement, text: str) -> RunMount:
    try:
        return parse_mount(text)
    except ValueError as exc:
        raise wrong(statement, f"--mount={text}: {exc}") from exc


def _one_of(statement: Statement, flag: str, value: str, known: tuple[str, ...]) -> str:
    if not value:
        return known[0]
    if value not in known:
        meant = near_miss(value, known)
        fix = f"did you mean {quote(meant)}?" if meant else f"it is one of {', '.join(known)}"
        raise wrong(statement, f"--{flag} cannot be {quote(value)}", fix)
    return value
