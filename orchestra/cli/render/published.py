"""A container's published ports as `docker port` prints them."""

from __future__ import annotations

from orchestra.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.model.state import ContainerState, PortState


def published_text(state: ContainerState, wanted: str) -> str:
    """All as "80/tcp -> 0.0.0.0:8080", or the addresses of the port *wanted* ("80", "53/udp").

    Raises NotFound when *wanted* is not published.
    """
    published = [port for port in state.ports if port.host_port]
    if not wanted:
        lines = [
            f"{port.container_port}/{port.protocol} -> {_address(port)}\n"
            for port in sorted(published)
        ]
        return "".join(lines)
    number, _, protocol = wanted.partition("/")
    asked = (int(number), protocol or "tcp")
    found = [port for port in published if (port.container_port, port.protocol) == asked]
    if not found:
        raise NotFound(
            f"no public port '{wanted}' published for {state.name}",
            fix=f"`orchestra container port {state.name}` lists those that are",
        )
    return "".join(f"{_address(port)}\n" for port in found)


def _address(port: PortState) -> str:
    host = port.host_ip or "0.0.0.0"  # noqa: S104 (shown, not bound)
    return f"[{host}]:{port.host_port}" if ":" in host else f"{host}:{port.host_port}"
