"""The flags of `docker run` as a Service: each in the canonical form of a compose attribute.

So there is one way from words to a container's specification, whoever wrote them. The flags
themselves are in `container_flags`; `--mount` and `--network` have grammars of their own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orchestra.cli.flags import UsageError
from orchestra.cli.mount_flag import mount_of
from orchestra.cli.network_flag import networks_of
from orchestra.cli.variables import labels, variables
from orchestra.config import shortforms, values
from orchestra.config.bind_service import bind_service
from orchestra.config.problems import Fault
from orchestra.errors import ConfigError
from orchestra.units import parse_bytes, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.service import Service


def service_of(name: str, args: Args, context: Context) -> Service:
    """What *args*, IMAGE and its words, ask for. Raises UsageError naming the flag."""
    image, *command = args.words
    tree: dict[str, Any] = {"image": image}
    if command:
        tree["command"] = command
    for flag, (attribute, convert) in _PLAIN.items():
        if flag in args.given:
            tree[attribute] = _converted(flag, args, convert)
    tree["environment"] = dict(
        variables(args.texts("env-file"), args.texts("env"), context.environ)
    )
    tree["labels"] = dict(labels(args.texts("label-file"), args.texts("label")))
    tree["volumes"] = [*_volumes(args), *map(mount_of, args.texts("mount"))]
    _bind_sources(tree["volumes"], context)
    tree |= networks_of(args)
    _with_ports(tree, args)
    _with_limits(tree, args)
    healthcheck = _healthcheck(args)
    if healthcheck:
        tree["healthcheck"] = healthcheck
    if args.text("log-driver") or args.texts("log-opt"):
        tree["logging"] = {
            "driver": args.text("log-driver") or None,
            "options": _pairs("log-opt", args),
        }
    try:
        return bind_service(name, tree, context.cwd)
    except (Fault, ValueError, KeyError) as exc:
        raise UsageError(str(exc)) from exc


def _converted(flag: str, args: Args, convert: Callable[[Any], Any]) -> Any:
    try:
        return convert(args.values[flag])
    except (Fault, ValueError, ConfigError) as exc:
        raise UsageError(f"--{flag}: {exc}", fix=getattr(exc, "fix", "")) from exc


def _pairs(flag: str, args: Args) -> dict[str, str]:
    return dict(_converted(flag, args, _mapping))


def _mapping(texts: Iterable[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise ValueError(f'"{text}" is not KEY=VALUE')
        found[key] = value
    return found


def _words(text: str) -> list[str]:
    return [text] if text else [""]


def _hosts(texts: Iterable[str]) -> list[str]:
    """As NAME=ADDRESS; an address in brackets loses them."""
    found = []
    for text in texts:
        separator = "=" if "=" in text else ":"
        name, colon, address = text.partition(separator)
        if not name or not colon or not address:
            raise ValueError(f'bad format for add-host: "{text}"')
        found.append(f"{name}={address.removeprefix('[').removesuffix(']')}")
    return found


def _ulimits(texts: Iterable[str]) -> dict[str, dict[str, int]]:
    found = {}
    for text, value in _mapping(texts).items():
        soft, _, hard = value.partition(":")
        try:
            found[text] = {"soft": int(soft), "hard": int(hard or soft)}
        except ValueError as exc:
            raise ValueError(f'invalid ulimit argument: "{text}={value}"') from exc
    return found


def _cpus(text: str) -> float:
    try:
        return float(text)
    except ValueError as exc:
        raise ValueError(f'"{text}" is not a number of CPUs such as "0.5"') from exc


def _exposed(texts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for text in texts:
        span, _, protocol = text.partition("/")
        first, _, last = span.partition("-")
        values.exposed(text)
        ports = range(int(first), int(last or first) + 1)
        found += [f"{port}/{protocol or 'tcp'}" for port in ports]
    return found


def _gpus(text: str) -> list[dict[str, Any]]:
    if text == "all" or text.lstrip("-").isdecimal():
        return [{"count": -1 if text == "all" else int(text)}]
    fields = _mapping(text.replace('"', "").split(","))
    ids = fields.get("device", "")
    count = fields.get("count", "all" if not ids else "0")
    found: dict[str, Any] = {"count": -1 if count == "all" else int(count)}
    if ids:
        found["device_ids"] = ids.split(",")
    return [found]


def _same(value: Any) -> Any:
    return value


_PLAIN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "add-host": ("extra_hosts", _hosts),
    "annotation": ("annotations", _mapping),
    "cap-add": ("cap_add", _same),
    "cap-drop": ("cap_drop", _same),
    "cgroup-parent": ("cgroup_parent", _same),
    "cgroupns": ("cgroup", _same),
    "cpu-period": ("cpu_period", _same),
    "cpu-quota": ("cpu_quota", _same),
    "cpu-rt-period": ("cpu_rt_period", _same),
    "cpu-rt-runtime": ("cpu_rt_runtime", _same),
    "cpu-shares": ("cpu_shares", _same),
    "cpus": ("cpus", _cpus),
    "cpuset-cpus": ("cpuset", _same),
    "device": ("devices", lambda texts: [shortforms.device(text) for text in texts]),
    "device-cgroup-rule": ("device_cgroup_rules", _same),
    "dns": ("dns", _same),
    "dns-option": ("dns_opt", _same),
    "dns-search": ("dns_search", _same),
    "domainname": ("domainname", _same),
    "entrypoint": ("entrypoint", _words),
    "expose": ("expose", _exposed),
    "gpus": ("gpus", _gpus),
    "group-add": ("group_add", _same),
    "hostname": ("hostname", _same),
    "init": ("init", _same),
    "interactive": ("stdin_open", _same),
    "ipc": ("ipc", _same),
    "isolation": ("isolation", _same),
    "mac-address": ("mac_address", _same),
    "memory": ("mem_limit", parse_bytes),
    "memory-reservation": ("mem_reservation", parse_bytes),
    "memory-swap": ("memswap_limit", parse_bytes),
    "memory-swappiness": ("mem_swappiness", _same),
    "oom-kill-disable": ("oom_kill_disable", _same),
    "oom-score-adj": ("oom_score_adj", _same),
    "pid": ("pid", _same),
    "pids-limit": ("pids_limit", _same),
    "platform": ("platform", _same),
    "privileged": ("privileged", _same),
    "read-only": ("read_only", _same),
    "restart": ("restart", lambda text: values.restart(text) or "no"),
    "runtime": ("runtime", _same),
    "security-opt": ("security_opt", _same),
    "shm-size": ("shm_size", parse_bytes),
    "stop-signal": ("stop_signal", _same),
    "stop-timeout": ("stop_grace_period", lambda seconds: f"{seconds}s"),
    "storage-opt": ("storage_opt", _mapping),
    "sysctl": ("sysctls", _mapping),
    "tmpfs": ("tmpfs", _same),
    "tty": ("tty", _same),
    "ulimit": ("ulimits", _ulimits),
    "user": ("user", _same),
    "userns": ("userns_mode", _same),
    "uts": ("uts", _same),
    "volume-driver": ("volume_driver", _same),
    "workdir": ("working_dir", _same),
}
"""Flag -> attribute, and from the flag's value to the attribute's."""


def _volumes(args: Args) -> Iterator[dict[str, Any]]:
    for text in args.texts("volume"):
        try:
            yield shortforms.volume(text)
        except (Fault, ConfigError) as exc:
            raise UsageError(f"--volume: {exc}", fix=exc.fix) from exc


def _bind_sources(volumes: list[dict[str, Any]], context: Context) -> None:
    """Make the sources of binds absolute."""
    for volume in volumes:
        if volume.get("type") == "bind":
            source = os.path.expanduser(volume["source"])
            volume["source"] = os.path.normpath(os.path.join(context.cwd, source))


def _with_ports(tree: dict[str, Any], args: Args) -> None:
    try:
        tree["ports"] = shortforms.ports(list(args.texts("publish")))
    except (Fault, ConfigError) as exc:
        raise UsageError(f"--publish: {exc}", fix=exc.fix) from exc


_RATES = {
    "device-read-bps": "device_read_bps",
    "device-read-iops": "device_read_iops",
    "device-write-bps": "device_write_bps",
    "device-write-iops": "device_write_iops",
    "blkio-weight-device": "weight_device",
}


def _with_limits(tree: dict[str, Any], args: Args) -> None:
    blkio: dict[str, Any] = {}
    if args.number("blkio-weight"):
        blkio["weight"] = args.number("blkio-weight")
    for flag, attribute in _RATES.items():
        unit = "weight" if attribute == "weight_device" else "rate"
        for text in args.texts(flag):
            path, colon, value = text.rpartition(":")
            if not colon or not path.startswith("/dev/"):
                raise UsageError(f'--{flag}: bad format for path: "{text}"', fix="write /dev/X:N")
            rate = _converted_text(flag, value)
            blkio.setdefault(attribute, []).append({"path": path, unit: rate})
    if blkio:
        tree["blkio_config"] = blkio
    if args.text("cpuset-mems"):
        raise UsageError("--cpuset-mems: memory nodes cannot be chosen", fix="leave it out")


def _converted_text(flag: str, text: str) -> int:
    try:
        return parse_bytes(text)
    except ValueError as exc:
        raise UsageError(f"--{flag}: {exc}") from exc


_HEALTH_TIMES = {
    "health-interval": "interval",
    "health-start-interval": "start_interval",
    "health-start-period": "start_period",
    "health-timeout": "timeout",
}


def _healthcheck(args: Args) -> dict[str, Any]:
    asked = [
        flag for flag in (*_HEALTH_TIMES, "health-cmd", "health-retries") if flag in args.given
    ]
    if args.on("no-healthcheck"):
        if asked:
            raise UsageError("--no-healthcheck conflicts with --health-* options")
        return {"disable": True}
    found: dict[str, Any] = {}
    if args.text("health-cmd"):
        found["test"] = ["CMD-SHELL", args.text("health-cmd")]
    if args.number("health-retries"):
        found["retries"] = args.number("health-retries")
    for flag, attribute in _HEALTH_TIMES.items():
        if args.text(flag):
            _converted(flag, args, parse_duration_ns)
            found[attribute] = args.text(flag)
    return found
