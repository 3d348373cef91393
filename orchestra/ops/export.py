"""`export`: the files of a service's container, into a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.ops.container_export import container_export
from orchestra.ops.target import any_container
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


def export(
    host: Host,
    target: Target,
    output: str,
    report: Report,
    *,
    index: int = 0,
    dry_run: bool = False,
) -> None:
    """Write the archive to the file *output*, or to stdout when that is "". Raises NotFound."""
    state = any_container(host.layout, target, index=index)
    report(Progress(state.name, Phase.WORKING, "Exporting"))
    if not dry_run:
        chunks = container_export(host, state)
        if output:
            write_whole(output, chunks)
        else:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    report(Progress(state.name, Phase.DONE, "Exported"))


def write_whole(path: str, chunks: Iterable[bytes]) -> None:
    """Make the file *path* of *chunks*, by rename. Raises NotFound for a missing directory."""
    directory, name = os.path.split(os.path.abspath(path))
    try:
        fd, draft = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise NotFound(
            f'invalid output path: directory "{directory}" does not exist', fix="make it first"
        ) from exc
    try:
        with open(fd, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.rename(draft, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        raise
