"""`orchestra graph`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError
from orchestra.cli.located import load_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

FORMS = ("tree", "dot", "mermaid", "svg", "json")

COMMAND = Command(
    usage="graph [OPTIONS]",
    summary="Print the dependency graph of the services",
    flags=(
        Flag(
            "format",
            f"Format the output. Values: [{' | '.join(FORMS)}]",
            kind=TEXT,
            default="tree",
            choices=FORMS,
        ),
    ),
    max_args=0,
    examples=(("orchestra graph --format svg > graph.svg", "A picture"),),
)


def run(args: Args, context: Context) -> int:
    """Print which service waits for which."""
    from orchestra.config.graph import dependency_graph
    from orchestra.config.graphdraw import draw

    form = args.text("format")
    if form not in FORMS:
        raise UsageError(f'unsupported format "{form}"', fix=f"use one of {', '.join(FORMS)}")
    text = draw(dependency_graph(load_project(context)), form)
    write(text if text.endswith("\n") else f"{text}\n")
    return 0
