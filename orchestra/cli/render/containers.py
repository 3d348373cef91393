"""A container's state in the words of `docker compose ps`."""

from __future__ import annotations

from orchestra.cli.render.duration import ago, go_time, human_duration
from orchestra.model.state import ALIVE, Health, Status
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.model.state import ContainerState, PortState

NS = 1_000_000_000

HEADERS = {
    "ID": "CONTAINER ID",
    "Name": "NAME",
    "Names": "NAMES",
    "Project": "PROJECT",
    "Service": "SERVICE",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "Ports": "PORTS",
    "State": "STATE",
    "Status": "STATUS",
    "Size": "SIZE",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "Networks": "NETWORKS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Health": "HEALTH",
    "ExitCode": "EXIT CODE",
}

DEFAULT_COLUMNS = ("Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports")


def status_text(state: ContainerState, now_ns: int) -> str:
    """As "Up 5 seconds (healthy)" or "Exited (0) 3 minutes ago"."""
    up = f"Up {human_duration(max(0, now_ns - state.started_ns) / NS)}"
    match state.status:
        case Status.RUNNING if state.health == Health.STARTING:
            return f"{up} (health: starting)"
        case Status.RUNNING:
            return f"{up} ({state.health})" if state.health else up
        case Status.PAUSED:
            return f"{up} (Paused)"
        case Status.RESTARTING:
            return f"Restarting ({state.exit_code}) {ago(state.finished_ns, now_ns)}"
        case Status.REMOVING:
            return "Removal In Progress"
        case Status.DEAD:
            return "Dead"
        case Status.EXITED:  # when, nobody knows of one that a reboot ended
            when = f" {ago(state.finished_ns, now_ns)}" if state.finished_ns else ""
            return f"Exited ({state.exit_code}){when}"
        case _:
            return "Created"


def command_text(command: Sequence[str], *, truncate: bool) -> str:
    """The command in double quotes, at most 20 characters of it with *truncate*."""
    words = [
        f"'{word}'" if position and " " in word else word for position, word in enumerate(command)
    ]
    text = " ".join(words)
    if truncate and len(text) > 20:
        text = text[:19] + "…"
    return '"' + "".join(_quoted(text)) + '"'


def _quoted(text: str) -> Iterator[str]:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    for char in text:
        yield short.get(char) or (char if char.isprintable() else f"\\x{ord(char):02x}")


class _Span(NamedTuple):
    """Consecutive ports of one address and protocol."""

    host_ip: str
    protocol: str
    first: int
    last: int

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        if not self.host_ip:
            return f"{ports}/{self.protocol}"
        return f"{_host(self.host_ip)}:{ports}->{ports}/{self.protocol}"


def ports_text(ports: Sequence[PortState]) -> str:
    """As "0.0.0.0:8080->80/tcp, 9000-9002/tcp"."""
    ordered = sorted(ports, key=lambda port: (port.container_port, port.host_ip, port.host_port))
    spans: dict[tuple[str, str], list[_Span]] = {}
    mapped: list[str] = []
    for port in ordered:
        number = port.container_port
        published = port.host_port != 0
        if published and port.host_port != number:
            host = _host(port.host_ip or "0.0.0.0")  # noqa: S104 (shown, not bound)
            mapped.append(f"{host}:{port.host_port}->{number}/{port.protocol}")
            continue
        host_ip = (port.host_ip or "0.0.0.0") if published else ""  # noqa: S104 (shown, not bound)
        row = spans.setdefault((host_ip, port.protocol), [])
        if row and row[-1].last + 1 == number:
            row[-1] = row[-1]._replace(last=number)
        else:
            row.append(_Span(host_ip, port.protocol, number, number))
    grouped = sorted((span for row in spans.values() for span in row), key=lambda span: span.first)
    return ", ".join((*map(str, grouped), *mapped))


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def container_fields(state: ContainerState, *, now_ns: int, truncate: bool) -> dict[str, object]:
    """The fields of `--format`, in the order and under the names of `docker compose`."""
    ports = state.ports if state.status in ALIVE else ()  # none is reserved for a stopped one
    published = [
        {
            "URL": port.host_ip,
            "TargetPort": port.container_port,
            "PublishedPort": port.host_port,
            "Protocol": port.protocol,
        }
        for port in ports
    ]
    return {
        "Command": command_text(state.command, truncate=truncate),
        "CreatedAt": go_time(state.created_ns),
        "ExitCode": state.exit_code,
        "Health": state.health,
        "ID": state.id[:12] if truncate else state.id,
        "Image": state.image,
        "Labels": ",".join(f"{key}={value}" for key, value in state.labels),
        "LocalVolumes": str(sum(1 for mount in state.mounts if not mount.startswith("/"))),
        "Mounts": ",".join(_shortened(mount, truncate=truncate) for mount in state.mounts),
        "Name": state.name,
        "Names": state.name,
        "Networks": ",".join(endpoint.network for endpoint in state.endpoints),
        "Ports": ports_text(ports),
        "Project": state.project,
        "Publishers": published or None,
        "RunningFor": ago(state.created_ns, now_ns),
        "Service": state.service,
        "Size": "0B",
        "State": state.status,
        "Status": status_text(state, now_ns),
    }


def _shortened(name: str, *, truncate: bool) -> str:
    return name[:14] + "…" if truncate and len(name) > 15 else name
