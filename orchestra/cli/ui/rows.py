"""What the table shows, as data: rows from what is known of containers, and a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.render.containers import ports_text
from orchestra.cli.render.size import binary_size
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.state import ContainerState, PortState
    from orchestra.ops.container_stats import Stats

COLUMNS = ("NAME", "STATE", "HEALTH", "CPU", "MEMORY", "PORTS")
NOT_CREATED = "not created"


class Row(NamedTuple):
    """One container, or a service that has none (*container* is None then).

    *name* is the container's without the project's, and what identifies the row.
    """

    name: str
    service: str
    state: str
    health: str = ""
    cpu: str = ""
    memory: str = ""
    ports: str = ""
    container: ContainerState | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """By COLUMNS."""
        return (self.name, self.state, self.health, self.cpu, self.memory, self.ports)

    @property
    def is_up(self) -> bool:
        return self.container is not None and self.container.status in ALIVE


def rows_of(stats: Iterable[Stats], declared: Iterable[str]) -> tuple[Row, ...]:
    """A row for each container and for each *declared* service without one, by name."""
    found = [_row(each) for each in stats]
    present = {row.service for row in found}
    found += [Row(name, name, NOT_CREATED) for name in declared if name not in present]
    return tuple(sorted(found, key=_order))


def _order(row: Row) -> tuple[str, int, str]:
    return (row.service, row.container.number if row.container else 0, row.name)


def _row(stats: Stats) -> Row:
    container = stats.state
    row = Row(
        name=container.name.removeprefix(f"{container.project}-"),
        service=container.name if container.oneoff else container.service,
        state=container.status,
        container=container,
    )
    if not row.is_up:
        return row._replace(state=f"{row.state} ({container.exit_code})")
    return row._replace(
        health=container.health,
        cpu=f"{stats.cpu_percent:.1f}%",
        memory=binary_size(stats.memory_bytes),
        ports=ports_text(_published(container.ports)),
    )


def _published(ports: Iterable[PortState]) -> tuple[PortState, ...]:
    """What is published, without the IPv6 twins of IPv4 ports."""
    published = tuple(port for port in ports if port.host_port)
    twins = {port._replace(host_ip="::") for port in published if port.host_ip == "0.0.0.0"}  # noqa: S104 (compared, not bound)
    return tuple(port for port in published if port not in twins)


def matching(rows: Iterable[Row], text: str) -> tuple[Row, ...]:
    """The rows in which each word of *text* occurs, in whatever column and case."""
    words = text.lower().split()
    return tuple(row for row in rows if all(word in " ".join(row.cells).lower() for word in words))


def summary(rows: Iterable[Row]) -> str:
    """As "2 of 3 running", "1 unhealthy" after it where it is so."""
    everything = tuple(rows)
    if not any(row.container for row in everything):
        return "nothing is there: `orchestra up -d` brings the project up"
    text = f"{sum(row.is_up for row in everything)} of {len(everything)} running"
    bad = sum(row.health == "unhealthy" for row in everything)
    return f"{text}, {bad} unhealthy" if bad else text
