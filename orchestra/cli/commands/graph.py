"""`orchestra graph`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

COMMAND = Command(
    usage="graph [OPTIONS] [SERVICE...]",
    summary="Print the dependency graph of the services",
    flags=(
        Flag(
            "format",
            "Format the output. Values: [text | dot]",
            kind=TEXT,
            default="text",
            choices=("text", "dot"),
        ),
    ),
    examples=(("orchestra graph --format dot | dot -Tsvg > graph.svg", "A picture, by Graphviz"),),
)
