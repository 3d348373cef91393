"""`orchestra container update`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import NUMBER, TEXT, Command, Flag, UsageError
from orchestra.units import parse_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.container import RestartPolicy

COMMAND = Command(
    usage="container update [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Update configuration of one or more containers",
    flags=(
        Flag("blkio-weight", "Block IO (relative weight), between 10 and 1000", kind=NUMBER),
        Flag("cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period", kind=NUMBER),
        Flag("cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota", kind=NUMBER),
        Flag("cpu-rt-period", "Limit the CPU real-time period in microseconds", kind=NUMBER),
        Flag("cpu-rt-runtime", "Limit the CPU real-time runtime in microseconds", kind=NUMBER),
        Flag("cpu-shares", "CPU shares (relative weight)", short="c", kind=NUMBER),
        Flag("cpus", "Number of CPUs", kind=TEXT),
        Flag("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)", kind=TEXT),
        Flag("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)", kind=TEXT),
        Flag("memory", "Memory limit", short="m", kind=TEXT),
        Flag("memory-reservation", "Memory soft limit", kind=TEXT),
        Flag(
            "memory-swap",
            "Swap limit equal to memory plus swap: -1 to enable unlimited swap",
            kind=TEXT,
        ),
        Flag("pids-limit", "Tune container pids limit (set -1 for unlimited)", kind=NUMBER),
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
    "cpus": ("cpu_nanos", lambda text: round(float(text) * 1e9)),
    "cpuset-cpus": ("cpuset_cpus", str),
    "cpuset-mems": ("cpuset_mems", str),
    "memory": ("memory_bytes", parse_bytes),
    "memory-reservation": ("memory_reservation_bytes", parse_bytes),
    "memory-swap": ("memory_swap_bytes", lambda text: -1 if text == "-1" else parse_bytes(text)),
}


def run(args: Args, context: Context) -> int:
    """Change each container, and print its name as it was written."""
    from orchestra.errors import OrchestraError
    from orchestra.ops.container_update import update

    context.refuse_dry_run()
    limits, restart = dict(_limits(args)), _restart(args)
    if not limits and restart is None:
        raise UsageError("you must provide one or more flags when using this command")
    failures: list[OrchestraError] = []
    for asked in args.words:
        try:
            warnings = update(context.host(), asked, limits, restart)
        except OrchestraError as exc:
            failures.append(exc)
            continue
        for warning in warnings:
            sys.stderr.write(f"warning: {warning}\n")
        write(f"{asked}\n")
    for failure in failures[:-1]:
        sys.stderr.write(f"{failure.what}\n")
    if failures:
        raise failures[-1]
    return 0


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
    from orchestra.model.container import RestartMode, RestartPolicy

    mode, colon, attempts = args.text("restart").partition(":")
    if mode not in {one.value for one in RestartMode} or (
        colon and (mode != "on-failure" or not attempts.isdecimal())
    ):
        raise UsageError(
            f'invalid restart policy "{args.text("restart")}"',
            fix="use no, always, unless-stopped, on-failure or on-failure:N",
        )
    return RestartPolicy(mode=RestartMode(mode), max_attempts=int(attempts or 0))
