"""What containers use, in the columns and units of `docker stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.render.listing import Item, listing_text
from orchestra.cli.render.size import binary_size, human_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.ops.container_stats import Stats

HEADERS = {
    "BlockIO": "BLOCK I/O",
    "CPUPerc": "CPU %",
    "Container": "CONTAINER",
    "ID": "CONTAINER ID",
    "MemPerc": "MEM %",
    "MemUsage": "MEM USAGE / LIMIT",
    "Name": "NAME",
    "NetIO": "NET I/O",
    "PIDs": "PIDS",
}
COLUMNS = ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")
_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_SHORT_ID = 12


def stats_text(found: Iterable[Stats], template: str, *, full: bool) -> str:
    """*found* as *template* (`--format`) says; *full* ids are not shortened."""
    items = [_item(each, full=full) for each in found]
    return listing_text(items, template, headers=HEADERS, columns=COLUMNS)


def frame(text: str) -> str:
    """*text* over what the terminal shows, without a flicker."""
    lines = "".join(f"{line}{_CLEAR_LINE}\n" for line in text.splitlines())
    return f"{_HOME}{lines}{_CLEAR_BELOW}"


def _item(each: Stats, *, full: bool) -> Item:
    state = each.state
    blocks = f"{human_size(each.block_read_bytes)} / {human_size(each.block_write_bytes)}"
    memory = f"{binary_size(each.memory_bytes)} / {binary_size(each.memory_limit_bytes)}"
    traffic = each.traffic
    return Item(
        {
            "BlockIO": blocks,
            "CPUPerc": f"{each.cpu_percent:.2f}%",
            "Container": state.id,
            "ID": state.id if full else state.id[:_SHORT_ID],
            "MemPerc": f"{each.memory_percent:.2f}%",
            "MemUsage": memory,
            "Name": state.name,
            "NetIO": f"{human_size(traffic.received_bytes)} / {human_size(traffic.sent_bytes)}",
            "PIDs": str(each.pids),
        },
        dict(state.labels),
    )
