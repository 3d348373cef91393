"""All manual pages as files: for `orchestra man`, and for the wheel when it is built.

It loads every command's module, so no other command does. The wheel's build runs it where no
library is installed: commands import those they work with when they run.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.cli.globals import DRY_RUN, GLOBAL_FLAGS
from orchestra.cli.main import load
from orchestra.cli.render.manual import Edition, command_page, family_page, page_name, root_page
from orchestra.cli.table import COMMANDS, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def pages(edition: Edition) -> Iterator[tuple[str, str]]:
    """The name and the text of each page, without the section."""
    yield page_name(""), root_page(GLOBAL_FLAGS, edition)
    for family in FAMILIES:
        yield page_name(family), family_page(family, edition)
    for name in COMMANDS:
        command = load(name).COMMAND
        shown = command._replace(flags=(*command.flags, DRY_RUN))
        yield page_name(name), command_page(shown, edition)


def write_pages(directory: str, environ: Mapping[str, str]) -> list[str]:
    """Write all pages to *directory*, made if need be; the paths. Raises OSError.

    The date is today's, or that of SOURCE_DATE_EPOCH (reproducible-builds.org).
    """
    seconds = float(environ.get("SOURCE_DATE_EPOCH") or time.time())
    edition = Edition(__version__, time.strftime("%Y-%m-%d", time.gmtime(seconds)))
    os.makedirs(directory, exist_ok=True)
    written = []
    for name, text in pages(edition):
        path = os.path.join(directory, f"{name}.1")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        written.append(path)
    return written
