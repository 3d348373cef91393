"""Containers in the columns of `docker ps`."""

from __future__ import annotations

from orchestra.cli.render.containers import HEADERS, container_fields
from orchestra.cli.render.listing import Item, listing_text
from orchestra.cli.render.size import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.model.state import ContainerState

_COLUMNS = ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names")
_FIELDS = (
    "Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names",
    "Networks", "Ports", "RunningFor", "Size", "State", "Status",
)  # fmt: skip


def containers_text(
    states: Iterable[ContainerState],
    template: str,
    *,
    now_ns: int,
    truncate: bool,
    sizes: Mapping[str, tuple[int, int]] | None,
) -> str:
    """The list as *template* says.

    *sizes* are by id the bytes that a container has written, and those with its image; None leaves
    the column out.
    """
    items = []
    for state in states:
        fields = container_fields(state, now_ns=now_ns, truncate=truncate)
        if sizes is not None:
            written, virtual = sizes[state.id]
            fields["Size"] = f"{human_size(written)} (virtual {human_size(virtual)})"
        items.append(Item({name: fields[name] for name in _FIELDS}, dict(state.labels)))
    columns = _COLUMNS if sizes is None else (*_COLUMNS, "Size")
    return listing_text(items, template, headers=HEADERS, columns=columns)
