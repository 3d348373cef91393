"""What is known of a container that exists: cheap to import, since `ps` reads it.

A ContainerState is one JSON object in `state.json`; the supervisor is its only writer. Tuples, not
msgspec structs, because importing msgspec costs `ps` more than all its other work.
"""

from __future__ import annotations

import json

from orchestra.model import labels
from orchestra.named import NamedTuple


class Status:
    """The states a container can be in, as Docker names them."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


ALIVE = (Status.RUNNING, Status.PAUSED, Status.RESTARTING)
"""A container that has one of these has been started and has not ended for good."""


class Health:
    """The states of a healthcheck, as Docker names them; NONE when there is no check."""

    NONE = ""
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


HOOK_OUTPUT = "hook_output"
"""The action of an event that carries lines of a hook, in its attribute "text"."""


class PortState(NamedTuple):
    """A container port, published when *host_port* is not 0."""

    container_port: int
    protocol: str  # "tcp" | "udp"
    host_ip: str = ""
    host_port: int = 0


class EndpointState(NamedTuple):
    """The container's place on one network."""

    network: str  # full name, "project_default"
    address: str = ""  # IPv4 without prefix length
    prefix_length: int = 0
    gateway: str = ""
    mac: str = ""
    aliases: tuple[str, ...] = ()
    address6: str = ""  # IPv6, when the network has it
    prefix6_length: int = 0
    gateway6: str = ""


class ContainerState(NamedTuple):
    """One container as it is. Times are nanoseconds since the epoch, 0 when not yet."""

    id: str
    name: str
    project: str
    service: str
    number: int
    image: str
    image_id: str
    config_hash: str
    command: tuple[str, ...]
    created_ns: int
    oneoff: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    status: str = Status.CREATED
    pid: int = 0  # in the host's pid namespace; 0 when not running
    start_ticks: int = 0  # /proc/PID/stat field 22: with the pid, the process's identity
    boot_id: str = ""  # of the kernel that it was started under: pids and ticks are that one's
    started_ns: int = 0
    finished_ns: int = 0
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    restart_count: int = 0
    stopped_by_user: bool = False
    health: str = Health.NONE
    failing_streak: int = 0
    hooks_due: bool = False  # its post_start hooks have not ended yet
    ports: tuple[PortState, ...] = ()
    endpoints: tuple[EndpointState, ...] = ()
    mounts: tuple[str, ...] = ()  # names of the volumes and sources of the binds, for `ps`
    tty: bool = False

    @property
    def is_hook(self) -> bool:
        """Was it made for one `pre_start` command of its service?"""
        return any(key == labels.HOOK for key, _ in self.labels)


def dump_state(state: ContainerState) -> bytes:
    """*state* as JSON."""
    fields = state._asdict()
    fields["ports"] = [port._asdict() for port in state.ports]
    fields["endpoints"] = [endpoint._asdict() for endpoint in state.endpoints]
    return json.dumps(fields, separators=(",", ":")).encode()


def load_state(text: bytes) -> ContainerState:
    """The state in *text*. Raises ValueError when it is not one.

    Fields that this version does not know are left out, missing ones take their defaults, so that
    versions can read each other's files.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("a container state is a JSON object")
    try:
        known = {name: fields[name] for name in ContainerState._fields if name in fields}
        known["command"] = tuple(known["command"])
        known["labels"] = tuple((key, value) for key, value in known.get("labels", ()))
        known["ports"] = tuple(PortState(**port) for port in known.get("ports", ()))
        endpoints = known.get("endpoints", ())
        known["endpoints"] = tuple(
            EndpointState(**{**endpoint, "aliases": tuple(endpoint.get("aliases", ()))})
            for endpoint in endpoints
        )
        known["mounts"] = tuple(known.get("mounts", ()))
        return ContainerState(**known)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a container state: {exc}") from exc
