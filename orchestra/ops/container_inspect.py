"""`container inspect`: everything that is known of one container, of whatever project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.ops.container_find import find_container
from orchestra.ops.container_root import read_spec
from orchestra.ops.container_size import container_sizes
from orchestra.ops.networks import all_networks

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.container import ContainerSpec
    from orchestra.model.network import NetworkState
    from orchestra.model.state import ContainerState


class Inspected(NamedTuple):
    """*sizes*: the bytes it has written, and with its image; None when nobody asked."""

    state: ContainerState
    spec: ContainerSpec
    networks: tuple[NetworkState, ...]
    sizes: tuple[int, int] | None


def container_inspect(layout: Layout, asked: str, *, size: bool = False) -> Inspected:
    """Raises NotFound."""
    state = find_container(layout, asked.removeprefix("/"))
    return Inspected(
        state,
        read_spec(layout, state),
        all_networks(layout) if state.endpoints else (),
        container_sizes(layout, (state,))[state.id] if size else None,
    )
