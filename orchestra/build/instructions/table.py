"""The instructions: a new one is a module beside this one and a row here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions import (
    add,
    arg,
    cmd,
    copy,
    entrypoint,
    env,
    expose,
    from_,
    healthcheck,
    label,
    maintainer,
    onbuild,
    run,
    shell,
    stopsignal,
    user,
    volume,
    workdir,
)
from orchestra.build.source import error_at
from orchestra.config.wording import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.build.instructions.base import Command
    from orchestra.build.lexer import Statement

PARSERS: Mapping[str, Callable[[Statement], Command]] = {
    "ADD": add.parse,
    "ARG": arg.parse,
    "CMD": cmd.parse,
    "COPY": copy.parse,
    "ENTRYPOINT": entrypoint.parse,
    "ENV": env.parse,
    "EXPOSE": expose.parse,
    "FROM": from_.parse,
    "HEALTHCHECK": healthcheck.parse,
    "LABEL": label.parse,
    "MAINTAINER": maintainer.parse,
    "ONBUILD": onbuild.parse,
    "RUN": run.parse,
    "SHELL": shell.parse,
    "STOPSIGNAL": stopsignal.parse,
    "USER": user.parse,
    "VOLUME": volume.parse,
    "WORKDIR": workdir.parse,
}


def parse_statement(statement: Statement) -> Command:
    """What *statement* asks for. Raises BuildError with its place."""
    parser = PARSERS.get(statement.keyword)
    if parser is None:
        meant = _nearest(statement.keyword)
        what = f"unknown instruction {quote(statement.word)}"
        raise error_at(statement.place, what, f"did you mean {meant}?" if meant else "")
    return parser(statement)


def _nearest(word: str) -> str:
    """Instructions are short: one wrong letter of three must still be forgiven."""
    from difflib import get_close_matches  # only errors pay for it

    close = get_close_matches(word, list(PARSERS), n=1, cutoff=0.6)
    return close[0] if close else ""
