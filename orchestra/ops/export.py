"""`export`: the files of a service's container, into a file that appears whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.ops.container_export import container_export
from orchestra.ops.image_save import write_file, write_stdout
from orchestra.ops.target import any_container
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
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
    """Write the archive to the file *output*, or to stdout when that is "".

    Raises NotFound, and what `write_file` raises.
    """
    state = any_container(host.layout, target, index=index)
    report(Progress(state.name, Phase.WORKING, "Exporting"))
    if not dry_run:
        chunks = container_export(host, state)
        if output:
            write_file(output, chunks, mode=0o600)
        else:
            write_stdout(chunks)
    report(Progress(state.name, Phase.DONE, "Exported"))
