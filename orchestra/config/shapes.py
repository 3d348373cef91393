"""In which order `config` prints the attributes of each kind of mapping, and which it leaves out.

The order is Docker Compose's (the fields of compose-go's types); what newer versions added stands
beside its neighbours there. A name is followed by "?" when it is printed as soon as it was written,
zero or not; by "=" when it is a size or a duration, which may be zero in more than one spelling;
by "%" when it is a number that is written in octal; by "!" when JSON has it in any case.
"""

from __future__ import annotations

from typing import Final

from orchestra.named import NamedTuple


class Rule(NamedTuple):
    """How one attribute is printed. *inner* is the shape of its value, or of each of its items."""

    keep_zero: bool = False
    zeros: frozenset[object] = frozenset()  # spellings of zero beside the empty ones
    octal: bool = False
    always_in_json: bool = False
    inner: Shape | None = None
    each: bool = False  # *inner* is the shape of the values of a mapping or the items of a list


Shape = dict[str, Rule]
"""Attributes in the order in which they are printed; extensions follow."""

_ZEROS = frozenset({"0", "0s"})


def _shape(names: str, /, **inner: Shape | list[Shape]) -> Shape:
    """The shape with these *names*; *inner* says what is below one, in a list for each item."""
    rules: Shape = {}
    for word in names.split():
        name = word.rstrip("?=%!")
        below = inner.pop(name, None)
        rules[name] = Rule(
            keep_zero="?" in word,
            zeros=_ZEROS if "=" in word else frozenset(),
            octal="%" in word,
            always_in_json="!" in word,
            inner=below[0] if isinstance(below, list) else below,
            each=isinstance(below, list),
        )
    if inner:
        raise ValueError(f"no attributes: {sorted(inner)}")
    return rules


_ULIMIT = _shape("soft? hard?")
_GRANT = _shape("source target uid gid mode?%")
_HOOK = _shape("command? image user privileged working_dir environment per_replica")

_BUILD = _shape(
    """context dockerfile dockerfile_inline entitlements args provenance sbom ssh labels cache_from
    cache_to no_cache no_cache_filter additional_contexts pull extra_hosts isolation network target
    secrets shm_size= tags ulimits platforms privileged""",
    secrets=[_GRANT],
    ulimits=[_ULIMIT],
)
_WATCH = _shape(
    "path? action? target exec include ignore initial_sync",
    exec=_HOOK,
)
_WEIGHT = _shape("path weight")
_RATE = _shape("path rate=")
_BLKIO = _shape(
    "weight weight_device device_read_bps device_read_iops device_write_bps device_write_iops",
    weight_device=[_WEIGHT],
    device_read_bps=[_RATE],
    device_read_iops=[_RATE],
    device_write_bps=[_RATE],
    device_write_iops=[_RATE],
)
_DEVICE_REQUEST = _shape("capabilities driver count device_ids options")
_RESOURCES = _shape(
    "limits? reservations?",
    limits=_shape("cpus memory= pids"),
    reservations=_shape(
        "cpus memory= pids devices generic_resources",
        devices=[_DEVICE_REQUEST],
        generic_resources=[
            _shape("discrete_resource_spec?", discrete_resource_spec=_shape("kind? value?"))
        ],
    ),
)
_ROLLOUT = _shape("parallelism? delay= failure_action monitor= max_failure_ratio order")
_DEPLOY = _shape(
    """mode replicas? labels update_config? rollback_config? resources! restart_policy? placement!
    endpoint_mode""",
    update_config=_ROLLOUT,
    rollback_config=_ROLLOUT,
    resources=_RESOURCES,
    restart_policy=_shape("condition delay? max_attempts? window?"),
    placement=_shape(
        "constraints preferences max_replicas_per_node",
        preferences=[_shape("spread")],
    ),
)
_MEMBERSHIP = _shape(
    """priority aliases driver_opts gw_priority interface_name ipv4_address ipv6_address
    link_local_ips mac_address"""
)
_MOUNT = _shape(
    "type source target read_only consistency bind? volume? tmpfs? image?",
    bind=_shape("selinux propagation create_host_path? recursive"),
    volume=_shape("labels nocopy subpath"),
    tmpfs=_shape("size= mode"),
    image=_shape("subpath"),
)
_SERVICE = _shape(
    """profiles annotations attach? build? develop? blkio_config? cap_add cap_drop cgroup_parent
    cgroup cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpus cpuset
    cpu_shares command?! configs container_name credential_spec? depends_on deploy?
    device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint?! provider?
    environment env_file expose extends? external_links extra_hosts group_add gpus hostname
    healthcheck? image init? ipc isolation labels label_file links logging? mem_limit=
    mem_reservation= memswap_limit= mem_swappiness= mac_address models network_mode networks
    oom_kill_disable oom_score_adj pid pids_limit platform ports privileged pull_policy
    pull_refresh_after read_only restart runtime scale? secrets security_opt shm_size= stdin_open
    stop_grace_period? stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user
    userns_mode uts volumes volumes_from working_dir pre_start post_start pre_stop""",
    build=_BUILD,
    develop=_shape("watch", watch=[_WATCH]),
    blkio_config=_BLKIO,
    configs=[_GRANT],
    credential_spec=_shape("config file registry"),
    depends_on=[_shape("condition restart required?")],
    deploy=_DEPLOY,
    devices=[_shape("source target permissions")],
    provider=_shape("type options"),
    env_file=[_shape("path required? format")],
    gpus=[_DEVICE_REQUEST],
    healthcheck=_shape("test timeout? interval? retries? start_period? start_interval? disable"),
    logging=_shape("driver options"),
    models=[_shape("endpoint_var model_var")],
    networks=[_MEMBERSHIP],
    ports=[_shape("name mode host_ip target published protocol app_protocol")],
    secrets=[_GRANT],
    ulimits=[_ULIMIT],
    volumes=[_MOUNT],
    pre_start=[_HOOK],
    post_start=[_HOOK],
    pre_stop=[_HOOK],
)
_FILE = _shape("name file environment content external labels driver driver_opts template_driver")

PROJECT: Final = _shape(
    "name services? networks volumes secrets configs models",
    services=[_SERVICE],
    networks=[
        _shape(
            """name driver driver_opts ipam! external internal attachable labels enable_ipv4?
            enable_ipv6?""",
            ipam=_shape(
                "driver config options",
                config=[_shape("subnet gateway ip_range aux_addresses")],
            ),
        )
    ],
    volumes=[_shape("name driver driver_opts external labels")],
    secrets=[_FILE],
    configs=[_FILE],
    models=[_shape("name model context_size runtime_flags")],
)
