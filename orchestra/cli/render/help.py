"""The `--help` texts, in the layout of `docker compose`."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from orchestra.cli.flags import BOOL, LIST, NUMBER, TEXT
from orchestra.cli.table import COMMANDS, FAMILIES, GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.cli.flags import Command, Flag

_ZERO = {BOOL: ("", "false"), TEXT: ("",), NUMBER: ("", "0"), LIST: ("",)}


def command_help(command: Command, *, width: int) -> str:
    """The page of one command."""
    lines = ["", f"Usage:  orchestra {command.usage}", "", command.summary]
    flags = option_lines(command.flags, width=width)
    if flags:
        lines += ["", "Options:", *flags]
    if command.examples:
        column = max(len(line) for line, _ in command.examples)
        lines += ["", "Examples:"]
        lines += [f"  {line:<{column}}   {meaning}" for line, meaning in command.examples]
    return "\n".join(lines) + "\n"


def root_help(flags: Sequence[Flag], *, width: int) -> str:
    """The page of `orchestra` itself: global flags, and the commands in their groups."""
    lines = [
        "",
        "Usage:  orchestra [OPTIONS] COMMAND",
        "",
        "Define and run multi-container applications, with no daemon",
        "",
        "Options:",
        *option_lines(flags, width=width),
    ]
    plain = {name: row for name, row in COMMANDS.items() if row.group not in FAMILIES}
    column = max(map(len, (*plain, *FAMILIES)))
    for group in GROUPS:
        lines += ["", f"{group}:"]
        lines += [
            f"  {name:<{column}}   {row.summary}"
            for name, row in plain.items()
            if row.group == group
        ]
    lines += ["", "Images and this machine:"]
    lines += [f"  {name:<{column}}   {summary}" for name, summary in FAMILIES.items()]
    lines += ["", "Run 'orchestra COMMAND --help' for more information on a command."]
    return "\n".join(lines) + "\n"


def family_help(family: str) -> str:
    """The page of `orchestra image` and its like: the commands of the *family*."""
    rows = {name: row.summary for name, row in COMMANDS.items() if row.group == family}
    column = max(map(len, rows)) - len(family) - 1
    lines = ["", f"Usage:  orchestra {family} COMMAND", "", FAMILIES[family], "", "Commands:"]
    lines += [
        f"  {name.removeprefix(family + ' '):<{column}}   {summary}"
        for name, summary in rows.items()
    ]
    lines += ["", f"Run 'orchestra {family} COMMAND --help' for more information on a command."]
    return "\n".join(lines) + "\n"


def option_lines(flags: Sequence[Flag], *, width: int) -> list[str]:
    """One entry for each visible flag, by name, the texts in a column of their own."""
    shown = shown_flags(flags)
    heads = [_head(flag) for flag in shown]
    column = max(map(len, heads), default=0) + 3
    lines: list[str] = []
    for flag, head in zip(shown, heads, strict=True):
        text = wrap(text_of(flag), max(width - column, 30), break_on_hyphens=False)
        lines.append(f"{head:<{column}}{text[0]}")
        lines += [" " * column + line for line in text[1:]]
    return lines


def _head(flag: Flag) -> str:
    short = f"-{flag.short}, " if flag.short else "    "
    kind = "" if flag.kind == BOOL else f" {flag.kind}"
    return f"  {short}--{flag.name}{kind}"


def shown_flags(flags: Iterable[Flag]) -> list[Flag]:
    """Those that are not hidden, by name."""
    return sorted((flag for flag in flags if not flag.hidden), key=lambda flag: flag.name)


def text_of(flag: Flag) -> str:
    """What the *flag* does, and its default."""
    if flag.default in _ZERO[flag.kind]:
        return flag.help
    default = f'"{flag.default}"' if flag.kind == TEXT else flag.default
    return f"{flag.help} (default {default})"
