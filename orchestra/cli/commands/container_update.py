"""`orchestra container update`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.container_flags import CREATE_FLAGS
from orchestra.cli.flags import NUMBER, TEXT, Command, Flag, UsageError
from orchestra.units import parse_bytes, parse_cpus_nanos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.container import RestartPolicy

_AS_CREATED = (
    "blkio-weight",
    "cpu-period",
    "cpu-quota",
    "cpu-shares",
    "cpus",
    "cpuset-cpus",
    "cpuset-mems",
    "memory",
    "memory-reservation",
    "pids-limit",
)
"""Flags with which `container create` says the same."""

COMMAND = Command(
    usage="container update [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Update configuration of one or more containers",
    flags=(
        *(flag for flag in CREATE_FLAGS if flag.name in _AS_CREATED),
        Flag("cpu-rt-period", "Limit the CPU real-time period in microseconds", kind=NUMBER),
        Flag("cpu-rt-runtime", "Limit the CPU real-time runtime in microseconds", kind=NUMBER),
        Flag(
            "memory-swap",
            "Swap limit equal to memory plus swap: -1 to enable unlimited swap",
            kind=TEXT,
        ),
        Flag("restart", "Restart policy to apply when a container exits", kind=TEXT),
    ),
    min_args=1,
    examples=(
        ("orchestra container update --memory 512m --cpus 1.5 web", "At once, while it runs"),
        ("orchestra container update --restart unless-stopped web", "From its next end on"),
    ),
)

_NUMBERS = {
    "blkio-weight": "blkio_weight",
    "cpu-period": "cpu_period_us",
    "cpu-quota": "cpu_quota_us",
    "cpu-rt-period": "cpu_rt_period_us",
    "cpu-rt-runtime": "cpu_rt_runtime_us",
    "cpu-shares": "cpu_shares",
    "pids-limit": "pids",
}
_TEXTS: dict[str, tuple[str, Callable[[str], int | str]]] = {
    "cpus": ("cpu_nanos", parse_cpus_nanos),
    "cpuset-cpus": ("cpuset_cpus", str),
    "cpuset-mems": ("cpuset_mems", str),
    "memory": ("memory_bytes", parse_bytes),
    "memory-reservation": ("memory_reservation_bytes", parse_bytes),
    "memory-swap": ("memory_swap_bytes", parse_bytes),
}


def run(args: Args, context: Context) -> int:
    """Change each container, and print its name as it was written."""
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops.container_ask import ask_each
    from orchestra.ops.container_update import update

    context.refuse_dry_run()
    limits, restart = dict(_limits(args)), _restart(args)
    if not limits and restart is None:
        raise UsageError("you must provide one or more flags when using this command")
    host = context.host()
    return tell_each(ask_each(host, args.words, update(host.layout, limits, restart)))


def _limits(args: Args) -> Iterator[tuple[str, int | str]]:
    for flag, field in _NUMBERS.items():
        if flag in args.given:
            yield field, args.number(flag)
    for flag, (field, convert) in _TEXTS.items():
        if flag in args.given:
            try:
                yield field, convert(args.text(flag))
            except ValueError as exc:
                text = args.text(flag)
                raise UsageError(f'invalid argument "{text}" for --{flag}: {exc}') from exc


def _restart(args: Args) -> RestartPolicy | None:
    """The policy that `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N` names."""
    if "restart" not in args.given:
        return None
    from orchestra.config.bind_deploy import bind_restart
    from orchestra.config.problems import Fault
    from orchestra.config.values import restart

    text = args.text("restart")
    try:
        policy = restart(text)
    except Fault as exc:
        raise UsageError(f'invalid restart policy "{text}"', fix=exc.fix) from exc
    if not policy:
        raise UsageError('invalid restart policy ""', fix="leave --restart out to keep it")
    return bind_restart({"restart": policy})
