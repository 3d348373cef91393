"""Build, deploy and limits of a service -> their models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.build import BuildSpec, SecretSource
from orchestra.model.container import (
    BlkioRate,
    Resources,
    RestartMode,
    RestartPolicy,
    Ulimit,
)
from orchestra.model.deploy import (
    Deploy,
    DeployResource,
    DeviceRequest,
    GenericResource,
    Placement,
    UpdatePolicy,
)
from orchestra.units import parse_cpus_nanos, parse_duration_ns

if TYPE_CHECKING:
    from orchestra.config.tree import Tree
    from orchestra.model.container import Pairs


def pairs(mapping: Tree | None) -> Pairs:
    """A map of strings, frozen; None values are empty strings."""
    if not mapping:
        return ()
    return tuple((key, "" if value is None else str(value)) for key, value in mapping.items())


def seconds(tree: Tree, attribute: str) -> float | None:
    """A duration attribute, None when it is not there."""
    text = tree.get(attribute)
    return None if text is None else parse_duration_ns(text) / 1e9


def nanos(value: float | None) -> int:
    """CPUs in billionths."""
    return 0 if not value else parse_cpus_nanos(f"{value:.9f}")


def bind_ulimits(value: Tree) -> tuple[Ulimit, ...]:
    """A single number is both limits."""
    limits = []
    for name, limit in sorted(value.items()):
        both: Tree = limit if isinstance(limit, dict) else {"soft": limit, "hard": limit}
        soft = both.get("soft", both.get("hard"))
        limits.append(
            Ulimit(name=name, soft=int(soft or 0), hard=int(both.get("hard") or soft or 0))
        )
    return tuple(limits)


def bind_build(value: Tree) -> BuildSpec:
    return BuildSpec(
        context=value.get("context", ""),
        dockerfile=value.get("dockerfile") or "",
        dockerfile_inline=value.get("dockerfile_inline") or "",
        args=pairs(value.get("args")),
        target=value.get("target", ""),
        tags=tuple(value.get("tags") or ()),
        labels=pairs(value.get("labels")),
        additional_contexts=pairs(value.get("additional_contexts")),
        cache_from=tuple(value.get("cache_from") or ()),
        cache_to=tuple(value.get("cache_to") or ()),
        no_cache=value.get("no_cache", False),
        no_cache_filter=tuple(value.get("no_cache_filter") or ()),
        pull=value.get("pull", False),
        network=value.get("network", ""),
        platforms=tuple(value.get("platforms") or ()),
        ssh=pairs(value.get("ssh")),
        secrets=tuple(
            SecretSource(
                source=item["source"],
                target=item.get("target", ""),
                uid=item.get("uid", ""),
                gid=item.get("gid", ""),
                mode=int(item["mode"], 8) if "mode" in item else None,
            )
            for item in value.get("secrets") or ()
        ),
        extra_hosts=tuple(_host(item) for item in value.get("extra_hosts") or ()),
        entitlements=tuple(value.get("entitlements") or ()),
        privileged=value.get("privileged", False),
        isolation=value.get("isolation", ""),
        provenance=value.get("provenance") or "",
        sbom=value.get("sbom") or "",
        shm_bytes=int(value.get("shm_size", 0)),
        ulimits=bind_ulimits(value.get("ulimits") or {}),
    )


def _host(text: str) -> tuple[str, str]:
    name, _, address = text.partition("=")
    return name, address


# -- deploy -------------------------------------------------------------------------------------
def bind_deploy(value: Tree) -> Deploy:
    resources = value.get("resources") or {}
    placement = value.get("placement") or {}
    policy = value.get("restart_policy")
    return Deploy(
        mode=value.get("mode", ""),
        endpoint_mode=value.get("endpoint_mode", ""),
        replicas=value.get("replicas"),
        labels=pairs(value.get("labels")),
        update=_update(value.get("update_config")),
        rollback=_update(value.get("rollback_config")),
        limits=_resource(resources.get("limits")),
        reservations=_resource(resources.get("reservations")),
        restart_policy=None if policy is None else _restart_policy(policy),
        placement=Placement(
            constraints=tuple(placement.get("constraints") or ()),
            spread=tuple(item.get("spread", "") for item in placement.get("preferences") or ()),
            max_replicas_per_node=placement.get("max_replicas_per_node", 0),
        ),
    )


def _update(value: Tree | None) -> UpdatePolicy | None:
    if value is None:
        return None
    return UpdatePolicy(
        parallelism=value.get("parallelism"),
        delay_s=seconds(value, "delay") or 0.0,
        failure_action=value.get("failure_action", ""),
        monitor_s=seconds(value, "monitor") or 0.0,
        max_failure_ratio=float(value.get("max_failure_ratio", 0.0)),
        order=value.get("order", ""),
    )


def _resource(value: Tree | None) -> DeployResource:
    if not value:
        return DeployResource()
    generic = [item.get("discrete_resource_spec") for item in value.get("generic_resources") or ()]
    return DeployResource(
        cpu_nanos=nanos(value.get("cpus")),
        memory_bytes=int(value.get("memory", 0)),
        pids=value.get("pids", 0),
        devices=tuple(map(_device_request, value.get("devices") or ())),
        generic_resources=tuple(
            GenericResource(kind=item.get("kind", ""), value=int(item.get("value", 0)))
            for item in generic
            if item
        ),
    )


def _device_request(value: Tree) -> DeviceRequest:
    return DeviceRequest(
        capabilities=tuple(value.get("capabilities") or ()),
        driver=value.get("driver", ""),
        count=value.get("count", 0),
        device_ids=tuple(value.get("device_ids") or ()),
        options=pairs(value.get("options")),
    )


def bind_device_requests(service: Tree) -> tuple[DeviceRequest, ...]:
    """`gpus`, and the devices that `deploy` reserves."""
    reserved = _deploy_resources(service, "reservations").get("devices") or ()
    gpus = [
        {"capabilities": ["gpu"], **item} if not item.get("capabilities") else item
        for item in service.get("gpus") or ()
    ]
    return tuple(map(_device_request, [*gpus, *reserved]))


def _deploy_resources(service: Tree, kind: str) -> Tree:
    resources: Tree = ((service.get("deploy") or {}).get("resources") or {}).get(kind) or {}
    return resources


# -- what an engine of one machine applies ------------------------------------------------------
def bind_resources(service: Tree) -> Resources:
    """The service's own limits, with those of `deploy.resources` over them."""
    limits = _deploy_resources(service, "limits")
    reservations = _deploy_resources(service, "reservations")
    blkio = service.get("blkio_config") or {}

    def number(attribute: str) -> int:
        return int(service.get(attribute) or 0)

    return Resources(
        cpu_nanos=nanos(limits.get("cpus", service.get("cpus"))),
        cpu_shares=number("cpu_shares"),
        cpu_period_us=number("cpu_period"),
        cpu_quota_us=number("cpu_quota"),
        cpu_rt_runtime_us=number("cpu_rt_runtime"),
        cpu_rt_period_us=number("cpu_rt_period"),
        cpuset_cpus=service.get("cpuset") or "",
        memory_bytes=int(limits.get("memory") or number("mem_limit")),
        memory_swap_bytes=number("memswap_limit"),
        memory_reservation_bytes=int(reservations.get("memory") or number("mem_reservation")),
        memory_swappiness=int(service.get("mem_swappiness", -1)),
        oom_kill_disable=service.get("oom_kill_disable") or False,
        pids=int(limits.get("pids") or number("pids_limit")),
        blkio_weight=int(blkio.get("weight", 0)),
        blkio_weight_device=_rates(blkio, "weight_device", "weight"),
        blkio_read_bps=_rates(blkio, "device_read_bps"),
        blkio_write_bps=_rates(blkio, "device_write_bps"),
        blkio_read_iops=_rates(blkio, "device_read_iops"),
        blkio_write_iops=_rates(blkio, "device_write_iops"),
        device_rules=tuple(service.get("device_cgroup_rules") or ()),
        cgroup_parent=service.get("cgroup_parent") or "",
    )


def _rates(blkio: Tree, attribute: str, unit: str = "rate") -> tuple[BlkioRate, ...]:
    return tuple(
        BlkioRate(path=item.get("path", ""), rate=int(item.get(unit, 0)))
        for item in blkio.get(attribute) or ()
    )


_CONDITIONS = {
    "none": RestartMode.NO,
    "no": RestartMode.NO,
    "any": RestartMode.ALWAYS,
    "always": RestartMode.ALWAYS,
    "unless-stopped": RestartMode.UNLESS_STOPPED,
    "on-failure": RestartMode.ON_FAILURE,
}


def _restart_policy(policy: Tree) -> RestartPolicy:
    return RestartPolicy(
        mode=_CONDITIONS.get(policy.get("condition", "any"), RestartMode.ALWAYS),
        max_attempts=policy.get("max_attempts", 0),
        delay_s=seconds(policy, "delay"),
        window_s=seconds(policy, "window"),
    )


def bind_restart(service: Tree) -> RestartPolicy:
    """`deploy.restart_policy`, or else `restart`, as Docker Compose decides."""
    policy = (service.get("deploy") or {}).get("restart_policy")
    if policy is not None:
        return _restart_policy(policy)
    mode, _, attempts = (service.get("restart") or "no").partition(":")
    return RestartPolicy(
        mode=_CONDITIONS[mode], max_attempts=int(attempts) if attempts.isdecimal() else 0
    )
