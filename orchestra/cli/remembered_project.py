"""The whole project, remembered while nothing that decides it has changed.

`up` of what runs already would otherwise spend most of its time on reading YAML and importing what
reads it. Stricter than what `cli.remembered` keeps for `ps`, since containers are made from it:

- the whole environment must be the same, not only the variables that were asked for;
- a file that was changed less than `SETTLED_NS` before it was read is not trusted: another change
  could leave the same times, as file systems count them in steps of some milliseconds;
- what follows symbolic links (`develop.watch`) or holds a secret's bytes (`secrets` from a
  variable) is not kept.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.cli.remembered import Witness, question, record_path, watched_files, witness
from orchestra.model.container import Pairs
from orchestra.model.project import Project
from orchestra.model.structs import Struct, msgspec
from orchestra.named import NamedTuple
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.config.request import Loaded

SETTLED_NS = 1_000_000_000


class Record(Struct):
    """What is written; *env_files_gave* are the variables that come from `.env` files."""

    asked: list[str]
    release: str
    environ: str  # digest
    files: dict[str, Witness]
    env_files_gave: Pairs
    warnings: tuple[str, ...]
    project: Project


class Remembered(NamedTuple):
    project: Project
    warnings: tuple[str, ...]


def recall_project(context: Context) -> Remembered | None:
    """The project here, if what is remembered of it still holds."""
    asked = _asked(context)
    try:
        with open(_path(context, asked), "rb") as file:
            record = msgspec.msgpack.decode(file.read(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None
    holds = (
        record.asked == asked
        and record.release == __version__
        and record.environ == _digest(context)
        and all(witness(path) == seen for path, seen in record.files.items())
    )
    if not holds:
        return None
    environment = {**context.environ, **dict(record.env_files_gave)}
    project = msgspec.structs.replace(record.project, environment=tuple(environment.items()))
    return Remembered(project, record.warnings)


def remember_project(context: Context, loaded: Loaded) -> None:
    """Keep the project of *loaded*, if it may be kept."""
    project = loaded.project
    files = {path: witness(path) for path in watched_files(context, loaded)}
    if "-" in context.options.files or _must_be_read(project) or not _settled(files):
        return
    from orchestra.runtime.statefile import write_atomically

    asked = _asked(context)
    gave = ((k, v) for k, v in project.environment if context.environ.get(k) != v)
    record = Record(
        asked=asked,
        release=__version__,
        environ=_digest(context),
        files=files,
        env_files_gave=tuple(gave),
        warnings=loaded.warnings,
        project=msgspec.structs.replace(project, environment=()),
    )
    path = _path(context, asked)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomically(path, msgspec.msgpack.encode(record), durable=False)
    except OSError:
        return  # loaded anew each time then


def _asked(context: Context) -> list[str]:
    """All that decides the answer beside files and the environment."""
    return [
        *question(context),
        f"all_resources={context.options.all_resources}",
        f"compatibility={context.options.compatibility}",
    ]


def _path(context: Context, asked: list[str]) -> str:
    return record_path(context, asked, "project")


def _digest(context: Context) -> str:
    lines = sorted(f"{name}={value}\0" for name, value in context.environ.items())
    return sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _must_be_read(project: Project) -> bool:
    services = (*project.services, *project.disabled_services)
    return any(service.watch for service in services) or any(
        declared.environment for declared in (*project.configs, *project.secrets)
    )


def _settled(files: dict[str, Witness]) -> bool:
    latest = time.time_ns() - SETTLED_NS
    return all(seen is None or max(seen[:2]) < latest for seen in files.values())
