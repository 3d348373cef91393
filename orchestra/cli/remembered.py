"""Which project lies where: remembered while all files that decide it are as they were.

A record holds the name and the services of a project; for each file that was read or looked for
its times, size and inode, or that it was not there; and the value of each variable
that the files ask for. One `stat` per file is all that `ps` then pays.
"""

from __future__ import annotations

import json
import os
from zlib import crc32

from orchestra.cli.located import Located
from orchestra.model.filenames import NAMES, OVERRIDES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.cli.context import Context
    from orchestra.config.request import Loaded
    from orchestra.model.project import Project

Witness = list[int] | None
"""[mtime_ns, ctime_ns, size, inode] of a file; None when it is not there."""


def recall(context: Context) -> Located | None:
    """What is remembered of the project here, if it still holds."""
    asked = question(context)
    try:
        with open(record_path(context, asked), "rb") as file:
            record = json.load(file)
        if record["asked"] != asked:
            return None
        if any(witness(path) != seen for path, seen in record["files"].items()):
            return None
        if any(context.environ.get(name) != seen for name, seen in record["variables"].items()):
            return None
        return Located(
            str(record["name"]),
            tuple(map(str, record["services"])),
            tuple(map(str, record["unattached"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(context: Context, loaded: Loaded, found: Located) -> None:
    """Keep *found* for the next command."""
    from orchestra.runtime.statefile import write_atomically

    asked = question(context)
    record = {
        "asked": asked,
        "name": found.name,
        "services": list(found.services or ()),
        "unattached": list(found.unattached),
        "files": {path: witness(path) for path in watched_files(context, loaded)},
        "variables": {name: context.environ.get(name) for name in loaded.variables},
    }
    path = record_path(context, asked)
    try:
        os.makedirs(context.host().layout.data_root, mode=0o700, exist_ok=True)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomically(path, json.dumps(record).encode(), durable=False)
    except OSError:
        return  # a user who may not write there finds the project the long way each time


def question(context: Context) -> list[str]:
    """All that decides the answer beside files, as one list of strings."""
    options = context.options
    variables = sorted(
        f"{name}={value}" for name, value in context.environ.items() if name.startswith("COMPOSE_")
    )
    return [
        context.cwd,
        options.project_name,
        options.project_directory,
        *(f"-f {name}" for name in options.files),
        *(f"--env-file {name}" for name in options.env_files),
        *(f"--profile {name}" for name in options.profiles),
        *variables,
    ]


def record_path(context: Context, asked: list[str], kind: str = "json") -> str:
    """Where the record of *kind* is kept that answers *asked*."""
    return os.path.join(context.host().layout.located, f"{crc32(repr(asked).encode()):08x}.{kind}")


def watched_files(context: Context, loaded: Loaded) -> tuple[str, ...]:
    """Every file that was read or looked for, each once."""
    return tuple(dict.fromkeys((*loaded.files_read, *_looked_for(context, loaded.project))))


def _looked_for(context: Context, project: Project) -> Iterator[str]:
    """What was read before the first compose file was, or would be if it appeared."""
    yield from project.env_files
    yield os.path.join(context.cwd, ".env")
    yield os.path.join(project.working_dir, ".env")
    if context.options.files:
        return
    directory = context.cwd
    found_in = os.path.dirname(project.compose_files[0]) if project.compose_files else directory
    while True:
        for name in (*NAMES, *OVERRIDES):
            yield os.path.join(directory, name)
        parent = os.path.dirname(directory)
        if directory in (found_in, parent):
            return
        directory = parent


def witness(path: str) -> Witness:
    """What *path* is now; a link counts as what it leads to."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]
