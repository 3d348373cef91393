"""`orchestra ui`."""

from __future__ import annotations

import os

from orchestra.cli.context import is_terminal
from orchestra.cli.flags import Command
from orchestra.cli.located import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="ui [SERVICE...]",
    summary="Watch and steer a project in the terminal",
    examples=(
        ("orchestra ui", "All services, with their logs"),
        ("orchestra -p demo ui", "A project from anywhere"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Show the live view until it is left. Raises Unsupported without textual or a terminal."""
    from orchestra.errors import Unsupported

    context.refuse_dry_run()
    try:
        import textual  # noqa: F401
    except ImportError as exc:
        raise Unsupported(
            "`orchestra ui` is drawn by the library textual, which is not installed",
            fix="pip install 'orchestra[ui]'",
        ) from exc
    if not (is_terminal(0) and is_terminal(1)):
        raise Unsupported(
            "`orchestra ui` needs a terminal",
            fix="`orchestra ps`, `orchestra stats` and `orchestra logs` print to pipes and files",
        )
    from orchestra.cli.ui.app import View
    from orchestra.cli.ui.observe import Observer
    from orchestra.cli.ui.steer import Steering

    where = target(context, args.words)
    observer = Observer(context.host(), where)
    observer.look()  # what is wrong is said before the screen is taken
    steering = Steering(where, {**os.environ, **context.environ})
    view = View(observer, steering)
    view.run()
    return view.return_code or 0
