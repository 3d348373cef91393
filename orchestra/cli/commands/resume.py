"""`orchestra resume`."""

from __future__ import annotations

import os
import sys

from orchestra.cli.context import write
from orchestra.cli.flags import Command, Flag, UsageError
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="resume [OPTIONS] [PROJECT...]",
    summary="Start again what should run after a reboot",
    flags=(
        Flag("shutdown", "Stop what runs, without forgetting that it is to run again"),
        Flag("systemd", "Print a systemd unit that does both, and do nothing"),
    ),
    examples=(
        ("orchestra resume", "Start what the restart policies of all projects ask for"),
        (
            "orchestra resume --systemd > /etc/systemd/system/orchestra.service",
            "Do so at every boot",
        ),
    ),
)

_UNIT = """\
# Made by `orchestra resume --systemd`. Install it with:
#   systemctl daemon-reload && systemctl enable --now orchestra.service
[Unit]
Description=Compose projects run by orchestra
Wants=network-online.target
After=network-online.target local-fs.target remote-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
{environment}ExecStart={command} resume
ExecStop={command} resume --shutdown
# containers and their supervisors are ended by ExecStop, not by a signal to all
KillMode=process
Delegate=yes
TimeoutStartSec=15min
TimeoutStopSec=5min

[Install]
WantedBy=multi-user.target
"""


def run(args: Args, context: Context) -> int:
    """Resume, or shut down, all projects or those that are named."""
    if args.on("systemd"):
        if args.words or args.on("shutdown"):
            raise UsageError("--systemd prints a unit for all projects, and takes nothing else")
        write(_unit(context))
        return 0
    from orchestra.ops.resume import resume, shut_down

    names = args.words or ((context.options.project_name,) if context.options.project_name else ())
    act = shut_down if args.on("shutdown") else resume
    with open_display(context, "resume", rehearses=True) as report:
        act(context.host(), names, report, dry_run=context.options.dry_run)
    return 0


def _unit(context: Context) -> str:
    moved = ("ORCHESTRA_DATA_ROOT", "ORCHESTRA_RUN_ROOT")
    environment = "".join(
        f"Environment={_quoted(f'{name}={context.environ[name]}')}\n"
        for name in moved
        if context.environ.get(name)
    )
    return _UNIT.format(environment=environment, command=_command())


def _command() -> str:
    """How systemd runs this program: it knows no PATH of ours."""
    program = os.path.abspath(sys.argv[0])
    if os.access(program, os.X_OK) and not os.path.isdir(program):
        return _quoted(program)
    return f"{_quoted(sys.executable)} -m orchestra"


def _quoted(text: str) -> str:
    """*text* as one word of a unit file: systemd.syntax(7), systemd.service(5)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if " " in escaped or escaped != text else text
