"""`deploy`: how many replicas of a service, where, with what and how they are replaced."""

from __future__ import annotations

from orchestra.model.container import Frozen, Pairs, RestartPolicy


class DeviceRequest(Frozen, frozen=True, kw_only=True):
    """A number of devices, or named ones, that a driver hands out (GPUs); count -1 is "all"."""

    capabilities: tuple[str, ...] = ()
    driver: str = ""
    count: int = 0
    device_ids: tuple[str, ...] = ()
    options: Pairs = ()


class GenericResource(Frozen, frozen=True, kw_only=True):
    """A counted resource that the user defined: SSD = 3."""

    kind: str
    value: int


class DeployResource(Frozen, frozen=True, kw_only=True):
    """Limits or reservations as written; 0 is none. `Service.resources` has them applied."""

    cpu_nanos: int = 0
    memory_bytes: int = 0
    pids: int = 0
    devices: tuple[DeviceRequest, ...] = ()
    generic_resources: tuple[GenericResource, ...] = ()


class UpdatePolicy(Frozen, frozen=True, kw_only=True):
    """`update_config` and `rollback_config`."""

    parallelism: int | None = None
    delay_s: float = 0.0
    failure_action: str = ""
    monitor_s: float = 0.0
    max_failure_ratio: float = 0.0
    order: str = ""


class Placement(Frozen, frozen=True, kw_only=True):
    constraints: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()  # preferences
    max_replicas_per_node: int = 0


class Deploy(Frozen, frozen=True, kw_only=True):
    """The deploy specification, complete. Engines of one machine use the effective values that
    `Service.replicas`, `.resources` and `.restart` carry; Swarm and Kubernetes read this.
    """

    mode: str = ""
    endpoint_mode: str = ""
    replicas: int | None = None
    labels: Pairs = ()
    update: UpdatePolicy | None = None
    rollback: UpdatePolicy | None = None
    limits: DeployResource = DeployResource()
    reservations: DeployResource = DeployResource()
    restart_policy: RestartPolicy | None = None
    placement: Placement = Placement()
