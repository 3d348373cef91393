"""The manual pages, section 1, in the man(7) language: made of the same tables as `--help`."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from orchestra.cli.environment import VARIABLES
from orchestra.cli.flags import BOOL
from orchestra.cli.render.help import shown_flags, text_of
from orchestra.cli.table import COMMANDS, FAMILIES, GROUPS
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orchestra.cli.flags import Command, Flag

EXIT_STATUS = (
    ("0", "Success."),
    ("1", "Something went wrong; the message says what, and how to mend it."),
    ("14", "A compose file was not found."),
    ("15", "A compose file is wrong."),
    ("16", "An unknown command or flag."),
    ("17", "A build failed."),
    ("18", "A pull failed."),
    ("125-127", "The command of run or exec could not be started; else its own code."),
    ("130", "Ctrl-C."),
)
FILES = (
    ("compose.yaml", "The project, in this directory or one above; compose.yml, "
     "docker-compose.yaml and docker-compose.yml as well."),
    (".env", "Variables for the compose file."),
    ("/var/lib/orchestra", "Projects, images, volumes, networks."),
    ("/run/orchestra", "Sockets and locks; gone after a reboot."),
)  # fmt: skip
DESCRIPTION = (
    "orchestra runs the projects that compose files describe, with no daemon: each project has a "
    "supervisor process that ends with its last container. The command lines are those of docker "
    "compose; container, image, volume, network, system and builder are those of docker.",
    "Without a command, or with --help, it lists the commands. The manual page of a command is "
    "called orchestra-COMMAND, such as orchestra-up or orchestra-image-ls.",
)


class Edition(NamedTuple):
    """What stands at the foot of every page; *date* as YYYY-MM-DD."""

    version: str
    date: str


def page_name(command: str) -> str:
    """The name of the page of *command*: "image ls" is in orchestra-image-ls."""
    return "-".join(("orchestra", *command.split()))


def command_page(command: Command, edition: Edition) -> str:
    """The page of one command."""
    lines = [*_head(command.name, command.summary, edition), ".SH SYNOPSIS"]
    for number, usage in enumerate(command.usage.split("\n")):
        lines += [".br"] * bool(number)
        text = usage.strip().removeprefix("orchestra ")
        name = f"orchestra {command.name}"
        lines += [f".B {_text(name)}", _text(text.removeprefix(command.name).strip())]
    lines += [".SH DESCRIPTION", *_sentence(command.summary), *_options(command.flags)]
    lines += [".SH EXAMPLES"]
    for number, (line, meaning) in enumerate(command.examples):
        lines += [".PP"] * bool(number)
        lines += [*_filled(f"{meaning}:"), ".PP", ".RS 4", ".EX", _text(line), ".EE", ".RE"]
    return _page(lines, ("orchestra", *_relatives(command.name)))


def family_page(family: str, edition: Edition) -> str:
    """The page of `orchestra image` and its like."""
    rows = {name: row.summary for name, row in COMMANDS.items() if row.group == family}
    lines = [*_head(family, FAMILIES[family], edition), ".SH SYNOPSIS"]
    lines += [f".B orchestra {family}", "COMMAND", ".SH DESCRIPTION", *_sentence(FAMILIES[family])]
    lines += [".SH COMMANDS", *_entries((_reference(name), about) for name, about in rows.items())]
    return _page(lines, ("orchestra",))


def root_page(flags: Sequence[Flag], edition: Edition) -> str:
    """The page of `orchestra` itself."""
    lines = [*_head("", "Run compose projects with no daemon", edition), ".SH SYNOPSIS"]
    lines += [".B orchestra", _text("[OPTIONS] COMMAND"), ".SH DESCRIPTION"]
    lines += [line for text in DESCRIPTION for line in (".PP", *_filled(text))][1:]
    lines += _options(flags)
    lines += [".SH COMMANDS"]
    for group in GROUPS:
        rows = {name: row.summary for name, row in COMMANDS.items() if row.group == group}
        lines += [f".SS {_text(group)}"]
        lines += _entries((_reference(name), about) for name, about in rows.items())
    lines += [".SS Images and this machine"]
    lines += _entries((_reference(name), about) for name, about in FAMILIES.items())
    lines += [".SH ENVIRONMENT", *_entries((_bold(name), text) for name, text in VARIABLES.items())]
    lines += [".SH FILES", *_entries((_bold(name), text) for name, text in FILES)]
    lines += [".SH EXIT STATUS", *_entries((_bold(code), text) for code, text in EXIT_STATUS)]
    return _page(lines, ("orchestra-up", "orchestra-ps", "orchestra-completion"))


def _head(name: str, summary: str, edition: Edition) -> list[str]:
    title = page_name(name)
    return [
        f'.TH {_text(title.upper())} 1 {edition.date} "orchestra {edition.version}" "orchestra"',
        ".SH NAME",
        f"{_text(title)} \\- {_text(summary.rstrip('.'))}",
    ]


def _page(lines: Sequence[str], see_also: Sequence[str]) -> str:
    others = [f".BR {_text(name)} (1){',' * (name != see_also[-1])}" for name in see_also]
    return "\n".join((*lines, ".SH SEE ALSO", *others)) + "\n"


def _relatives(name: str) -> tuple[str, ...]:
    """The pages beside that of command *name*: its family, or nothing."""
    first, blank, _rest = name.partition(" ")
    return (page_name(first),) if blank else ()


def _options(flags: Iterable[Flag]) -> Iterator[str]:
    shown = shown_flags(flags)
    if shown:
        yield ".SH OPTIONS"
        yield from _entries((_flag(flag), text_of(flag)) for flag in shown)


def _flag(flag: Flag) -> str:
    names = [f"-{flag.short}"] * bool(flag.short) + [f"--{flag.name}"]
    kind = "" if flag.kind == BOOL else rf" \fI{flag.kind}\fR"
    return ", ".join(map(_bold, names)) + kind


def _entries(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A hanging paragraph each: a head that is roff already, and its text."""
    for head, text in entries:
        yield from (".TP", head, *_sentence(text))


def _reference(command: str) -> str:
    return rf"{_bold(page_name(command))}(1)"


def _bold(text: str) -> str:
    return rf"\fB{_text(text)}\fR"


def _sentence(text: str) -> list[str]:
    return _filled(text if text.endswith((".", "!", ")")) else f"{text}.")


def _filled(text: str) -> list[str]:
    """*text* in lines that fit; roff fills them anew."""
    lines = wrap(_text(text), 78, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line.startswith(".") else line for line in lines]


_SPECIAL = {"\\": r"\e", "-": r"\-", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq"}


def _text(text: str) -> str:
    """*text* as roff that prints it letter by letter: no escapes, and no requests."""
    escaped = re.sub(r"[\\\-^~`']", lambda match: _SPECIAL[match.group()], text)
    return rf"\&{escaped}" if escaped.startswith(".") else escaped
