"""Images, a volume, a network and a container, for tests that only read the names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.image.catalog import ImageRow, NameRow, catalog_below
from orchestra.model.network import VolumeSpec
from orchestra.model.state import ContainerState, Status, dump_state
from orchestra.network.registry import NetworkRow, Registry
from orchestra.runtime.statefile import write_atomically
from orchestra.volume.local import LocalVolumes

if TYPE_CHECKING:
    from orchestra.layout import Layout


def have_names(layout: Layout) -> None:
    """Write redis:7, registry:2, shared, edge and demo-web-1 below *layout*."""
    digest = f"sha256:{7:064x}"
    catalog_below(layout.images).register(
        ImageRow(digest, digest, 1),
        (
            NameRow("docker.io/library/redis", "7", "", digest),
            NameRow("docker.io/library/registry", "2", "", digest),
        ),
    )
    LocalVolumes(layout).create(VolumeSpec(name="shared", project="demo", key="shared"))
    registry = Registry(layout.registry_db, lambda _project, _id: True)
    with registry.transaction():
        registry.add_network(
            NetworkRow("edge", "", "br0", "10.0.0.0/24", "10.0.0.1", "", "", b"{}")
        )
    registry.close()
    state = ContainerState(
        id="c" * 64, name="demo-web-1", project="demo", service="web", number=1,
        image="host", image_id="host", config_hash="", command=(), created_ns=1,
        status=Status.EXITED,
    )  # fmt: skip
    path = layout.state_json("demo", state.id)
    os.makedirs(os.path.dirname(path))
    write_atomically(path, dump_state(state))
