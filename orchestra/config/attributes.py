"""THE TABLE: one row per attribute that needs more than being copied.

A row says what the loader must know: how interpolated text becomes a value (`cast`), how two files
are combined (`merge`; without a rule mappings are merged, lists joined, and else the later wins),
when two list items are the same (`unique`), what its long syntax is (`canonical`) and how the
model spells it (`value`). "*" is any key or list index; an attribute with no row is plain data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config import casts, identity, shortforms, values
from orchestra.config import merge_rules as merge
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Attribute(NamedTuple):
    path: str
    cast: Callable[[str], Any] | None = None
    merge: merge.MergeRule | None = None
    unique: Callable[[Any], object] | None = None
    canonical: Callable[[Any], Any] | None = None
    value: Callable[[Any], Any] | None = None


def _hook(path: str) -> tuple[Attribute, ...]:
    return (
        Attribute(f"{path}.command", merge=merge.replace, value=values.command),
        Attribute(f"{path}.privileged", cast=casts.to_bool, value=values.boolean),
        Attribute(
            f"{path}.environment",
            merge=merge.keyed,
            canonical=shortforms.mapping,
            value=values.text_map,
        ),
    )


def _policy(path: str) -> tuple[Attribute, ...]:
    return (
        Attribute(f"{path}.parallelism", cast=casts.to_int, value=values.integer),
        Attribute(f"{path}.delay", value=values.duration),
        Attribute(f"{path}.monitor", value=values.duration),
        Attribute(f"{path}.max_failure_ratio", cast=casts.to_float, value=values.number),
    )


def _device_requests(path: str) -> tuple[Attribute, ...]:
    return (
        Attribute(
            f"{path}.*.options",
            merge=merge.keyed,
            canonical=shortforms.labels,
            value=values.label_map,
        ),
        Attribute(f"{path}.*.count", value=values.device_count),
    )


def _ulimits(path: str) -> tuple[Attribute, ...]:
    return (
        Attribute(f"{path}.*", cast=casts.to_int, merge=merge.replace, value=values.ulimit),
        Attribute(f"{path}.*.soft", cast=casts.to_int, value=values.integer),
        Attribute(f"{path}.*.hard", cast=casts.to_int, value=values.integer),
    )


def _integers(*paths: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(path, cast=casts.to_int, value=values.integer) for path in paths)


def _counts(*paths: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(path, cast=casts.to_int, value=values.count) for path in paths)


def _booleans(*paths: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(path, cast=casts.to_bool, value=values.boolean) for path in paths)


def _sizes(*paths: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(path, value=values.size) for path in paths)


def _durations(*paths: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(path, value=values.duration) for path in paths)


def _labels(*paths: str) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(path, merge=merge.keyed, canonical=shortforms.labels, value=values.label_map)
        for path in paths
    )


def _options(*paths: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(path, value=values.label_map) for path in paths)


S = "services.*"

TABLE: tuple[Attribute, ...] = (
    # -- what runs ------------------------------------------------------------------------------
    Attribute(f"{S}.command", merge=merge.replace, value=values.command),
    Attribute(f"{S}.entrypoint", merge=merge.replace, value=values.command),
    Attribute(
        f"{S}.environment",
        merge=merge.keyed,
        canonical=shortforms.mapping,
        value=values.text_map,
    ),
    Attribute(
        f"{S}.env_file",
        merge=merge.append,
        unique=identity.env_file,
        canonical=shortforms.env_files,
    ),
    *_booleans(f"{S}.env_file.*.required"),
    Attribute(f"{S}.label_file", merge=merge.append, canonical=shortforms.string_list),
    Attribute(f"{S}.group_add", value=values.text_list),
    Attribute(f"{S}.profiles", unique=identity.key),
    *_labels(f"{S}.labels", f"{S}.annotations"),
    *_booleans(f"{S}.init", f"{S}.tty", f"{S}.stdin_open", f"{S}.attach"),
    Attribute(f"{S}.provider.options.*", value=values.text_items),
    # -- build ----------------------------------------------------------------------------------
    Attribute(f"{S}.build", merge=merge.build, canonical=shortforms.build),
    Attribute(
        f"{S}.build.args", merge=merge.keyed, canonical=shortforms.mapping, value=values.text_map
    ),
    Attribute(
        f"{S}.build.additional_contexts", merge=merge.keyed, canonical=shortforms.named_contexts
    ),
    Attribute(f"{S}.build.ssh", canonical=shortforms.ssh),
    Attribute(f"{S}.build.secrets", unique=identity.secret),
    Attribute(f"{S}.build.secrets.*", canonical=shortforms.file_use),
    Attribute(f"{S}.build.secrets.*.mode", value=values.mode),
    Attribute(f"{S}.build.tags", unique=identity.key),
    Attribute(f"{S}.build.extra_hosts", merge=merge.append_new, value=values.hosts),
    Attribute(f"{S}.build.provenance", canonical=shortforms.text),
    Attribute(f"{S}.build.sbom", canonical=shortforms.text),
    Attribute(f"{S}.build.no_cache_filter", canonical=shortforms.string_list),
    *_labels(f"{S}.build.labels"),
    *_booleans(f"{S}.build.no_cache", f"{S}.build.pull", f"{S}.build.privileged"),
    *_sizes(f"{S}.build.shm_size"),
    *_ulimits(f"{S}.build.ulimits"),
    # -- relations ------------------------------------------------------------------------------
    Attribute(f"{S}.depends_on", merge=merge.dependencies, canonical=shortforms.depends_on),
    *_booleans(f"{S}.depends_on.*.required", f"{S}.depends_on.*.restart"),
    Attribute(f"{S}.extends", merge=merge.replace, canonical=shortforms.extends),
    Attribute(f"{S}.links", unique=identity.key),
    Attribute(f"{S}.models", merge=merge.names, canonical=shortforms.name_map),
    # -- network --------------------------------------------------------------------------------
    Attribute(f"{S}.networks", merge=merge.names, canonical=shortforms.name_map),
    Attribute(f"{S}.networks.*.aliases", unique=identity.key),
    Attribute(f"{S}.networks.*.link_local_ips", unique=identity.key),
    *_options(f"{S}.networks.*.driver_opts"),
    *_integers(f"{S}.networks.*.priority", f"{S}.networks.*.gw_priority"),
    Attribute(f"{S}.ports", unique=identity.port, canonical=shortforms.ports),
    Attribute(f"{S}.ports.*", value=values.port),
    *_integers(f"{S}.ports.*.target"),
    Attribute(f"{S}.ports.*.published", value=values.text),
    Attribute(f"{S}.expose", unique=identity.key),
    Attribute(f"{S}.expose.*", value=values.exposed),
    Attribute(f"{S}.dns", merge=merge.append, unique=identity.key, canonical=shortforms.servers),
    Attribute(f"{S}.dns_opt", merge=merge.append, unique=identity.key),
    Attribute(
        f"{S}.dns_search",
        merge=merge.append,
        unique=identity.key,
        canonical=shortforms.string_list,
    ),
    Attribute(f"{S}.extra_hosts", merge=merge.append_new, value=values.hosts),
    # -- files ----------------------------------------------------------------------------------
    Attribute(f"{S}.volumes", unique=identity.mount),
    Attribute(f"{S}.volumes.*", canonical=shortforms.volume),
    Attribute(f"{S}.volumes.*.tmpfs.mode", cast=casts.to_int, value=values.integer),
    *_booleans(
        f"{S}.volumes.*.read_only",
        f"{S}.volumes.*.volume.nocopy",
        f"{S}.volumes.*.bind.create_host_path",
    ),
    *_labels(f"{S}.volumes.*.volume.labels"),
    *_sizes(f"{S}.volumes.*.tmpfs.size"),
    Attribute(
        f"{S}.tmpfs", merge=merge.append, unique=identity.key, canonical=shortforms.string_list
    ),
    Attribute(f"{S}.configs", unique=identity.config),
    Attribute(f"{S}.configs.*", canonical=shortforms.file_use),
    Attribute(f"{S}.configs.*.mode", value=values.mode),
    Attribute(f"{S}.secrets", unique=identity.secret),
    Attribute(f"{S}.secrets.*", canonical=shortforms.file_use),
    Attribute(f"{S}.secrets.*.mode", value=values.mode),
    Attribute(f"{S}.devices", unique=identity.device),
    Attribute(f"{S}.devices.*", canonical=shortforms.device),
    *_options(f"{S}.storage_opt"),
    # -- limits and rights ----------------------------------------------------------------------
    *_integers(
        f"{S}.cpu_count",
        f"{S}.cpu_period",
        f"{S}.cpu_quota",
        f"{S}.cpu_shares",
        f"{S}.oom_score_adj",
        f"{S}.pids_limit",
        f"{S}.blkio_config.weight",
        f"{S}.blkio_config.weight_device.*.weight",
    ),
    # In microseconds, or as a duration.
    Attribute(f"{S}.cpu_rt_period", value=values.microseconds),
    Attribute(f"{S}.cpu_rt_runtime", value=values.microseconds),
    Attribute(f"{S}.cpu_percent", cast=casts.to_float, value=values.number),
    Attribute(f"{S}.cpus", cast=casts.to_float, value=values.cpus),
    *_sizes(
        f"{S}.mem_limit",
        f"{S}.mem_reservation",
        f"{S}.memswap_limit",
        f"{S}.mem_swappiness",
        f"{S}.shm_size",
        f"{S}.blkio_config.device_read_bps.*.rate",
        f"{S}.blkio_config.device_write_bps.*.rate",
        f"{S}.blkio_config.device_read_iops.*.rate",
        f"{S}.blkio_config.device_write_iops.*.rate",
    ),
    *_booleans(f"{S}.privileged", f"{S}.read_only", f"{S}.oom_kill_disable"),
    *_ulimits(f"{S}.ulimits"),
    Attribute(f"{S}.cap_add", unique=identity.key),
    Attribute(f"{S}.cap_drop", unique=identity.key),
    *_labels(f"{S}.sysctls"),
    Attribute(f"{S}.gpus", canonical=shortforms.gpus),
    *_device_requests(f"{S}.gpus"),
    # -- life cycle -----------------------------------------------------------------------------
    Attribute(f"{S}.healthcheck.test", merge=merge.replace, value=values.health_test),
    *_durations(
        f"{S}.healthcheck.interval",
        f"{S}.healthcheck.timeout",
        f"{S}.healthcheck.start_period",
        f"{S}.healthcheck.start_interval",
        f"{S}.stop_grace_period",
        f"{S}.pull_refresh_after",
    ),
    Attribute(f"{S}.restart", value=values.restart),
    Attribute(f"{S}.pull_policy", value=values.pull_policy),
    *_counts(f"{S}.healthcheck.retries", f"{S}.scale"),
    *_booleans(f"{S}.healthcheck.disable"),
    Attribute(f"{S}.logging", merge=merge.logging),
    *_options(f"{S}.logging.options"),
    *_hook(f"{S}.pre_start.*"),
    *_hook(f"{S}.post_start.*"),
    *_hook(f"{S}.pre_stop.*"),
    *_booleans(f"{S}.pre_start.*.per_replica"),
    # -- deploy ---------------------------------------------------------------------------------
    *_counts(
        f"{S}.deploy.replicas",
        f"{S}.deploy.restart_policy.max_attempts",
        f"{S}.deploy.placement.max_replicas_per_node",
        f"{S}.deploy.resources.limits.pids",
    ),
    *_labels(f"{S}.deploy.labels"),
    *_policy(f"{S}.deploy.update_config"),
    *_policy(f"{S}.deploy.rollback_config"),
    *_durations(f"{S}.deploy.restart_policy.delay", f"{S}.deploy.restart_policy.window"),
    Attribute(f"{S}.deploy.resources.limits.cpus", value=values.cpus),
    Attribute(f"{S}.deploy.resources.reservations.cpus", value=values.cpus),
    Attribute(
        f"{S}.deploy.resources.reservations.generic_resources.*.discrete_resource_spec.value",
        value=values.integer,
    ),
    Attribute(f"{S}.deploy.restart_policy.condition", value=values.restart_condition),
    *_sizes(
        f"{S}.deploy.resources.limits.memory",
        f"{S}.deploy.resources.reservations.memory",
    ),
    *_device_requests(f"{S}.deploy.resources.reservations.devices"),
    # -- develop --------------------------------------------------------------------------------
    Attribute(f"{S}.develop.watch.*.ignore", canonical=shortforms.string_list),
    Attribute(f"{S}.develop.watch.*.include", canonical=shortforms.string_list),
    *_hook(f"{S}.develop.watch.*.exec"),
    *_booleans(f"{S}.develop.watch.*.initial_sync"),
    # -- beside the services --------------------------------------------------------------------
    Attribute("networks.*", canonical=shortforms.external),
    *_labels("networks.*.labels", "volumes.*.labels", "configs.*.labels", "secrets.*.labels"),
    *_booleans(
        "networks.*.external",
        "networks.*.internal",
        "networks.*.attachable",
        "networks.*.enable_ipv4",
        "networks.*.enable_ipv6",
        "volumes.*.external",
        "configs.*.external",
        "secrets.*.external",
    ),
    *_options(
        "networks.*.driver_opts",
        "volumes.*.driver_opts",
        "secrets.*.driver_opts",
        "networks.*.ipam.options",
    ),
    Attribute("networks.*.ipam.config", merge=merge.pools),
    Attribute("models.*", canonical=shortforms.resource),
    Attribute("volumes.*", canonical=shortforms.external),
    Attribute("configs.*", canonical=shortforms.external),
    Attribute("secrets.*", canonical=shortforms.external),
)
