"""`container export`: the files of a container as a tar archive.

Those of its image with what it has changed; not its volumes and other mounts, as with Docker. The
same files give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.image.treetar import tree_archive
from orchestra.ops.container_root import open_layers
from orchestra.runtime.eventlog import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host


def container_export(host: Host, state: ContainerState) -> Iterator[bytes]:
    """The archive in chunks. Raises NotFound for an image that has gone, RuntimeFailure."""
    with open_layers(host, state) as root:
        yield from tree_archive(root.fd.fileno(), "", sparse=False)
    note(host.layout, state, "export")
