"""`orchestra explain`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command
from orchestra.cli.located import load_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="explain [SERVICE...]",
    summary="Tell what `up` would do, and why",
    flags=(),
    examples=(("orchestra explain", "The plan, each step with its cause"),),
)


def run(args: Args, context: Context) -> int:
    """Print the plan of `up`, each step with its cause."""
    from orchestra.ops.explain import explain
    from orchestra.ops.up import UpOptions

    options = UpOptions(services=args.words)
    text = explain(context.host(), load_project(context, args.words), options)
    write(text if text.endswith("\n") else f"{text}\n")
    return 0
