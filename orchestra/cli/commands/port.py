"""`orchestra port`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import NUMBER, TEXT, Command, Flag, UsageError
from orchestra.cli.located import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="port [OPTIONS] SERVICE PRIVATE_PORT",
    summary="Print the public port for a port binding",
    flags=(
        Flag("index", "Index of the container if service has multiple replicas", kind=NUMBER),
        Flag("protocol", "tcp or udp", kind=TEXT, default="tcp", choices=("tcp", "udp")),
    ),
    min_args=2,
    examples=(("orchestra port web 80", "As 0.0.0.0:8080"),),
)


def run(args: Args, context: Context) -> int:
    """Print the address and the port on the host."""
    from orchestra.ops.port import port

    service, wanted, *_rest = args.words
    number, _slash, protocol = wanted.partition("/")
    if not number.isdecimal():
        raise UsageError(f'invalid port "{wanted}"', fix="use a container port, for example 80")
    found = port(
        context.host().layout,
        target(context, (service,)),
        int(number),
        protocol=protocol or args.text("protocol"),
        index=args.number("index"),
    )
    address = f"[{found.host_ip}]" if ":" in found.host_ip else found.host_ip or "0.0.0.0"  # noqa: S104 (shown, not bound)
    write(f"{address}:{found.host_port}\n")
    return 0
