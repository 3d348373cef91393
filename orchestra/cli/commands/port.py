"""`orchestra port`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, TEXT, Command, Flag

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
