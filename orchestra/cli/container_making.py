"""What `container create` and `container run` share: from their words to what is wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from orchestra.cli.flags import UsageError
from orchestra.cli.render.progress import open_display, quiet

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.image.reference import Reference
    from orchestra.ops.container_create import Pulling, Wanted
    from orchestra.plan.events import Report

STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


def wanted_of(args: Args, context: Context, *, attaches: bool = False) -> Wanted:
    """The container that *args* describe. Raises UsageError."""
    from orchestra.cli.container_service import service_of
    from orchestra.model.service import PullPolicy
    from orchestra.ops.container_create import Wanted

    _check_together(args)
    name = args.text("name").removeprefix("/")
    try:
        pull = PullPolicy(args.text("pull") or "missing")
    except ValueError as exc:
        raise UsageError(
            f'invalid pull option: "{args.text("pull")}"', fix="use always, missing or never"
        ) from exc
    return Wanted(
        service=service_of(name or "container", args, context),
        name=name,
        pull=pull,
        platform=args.text("platform") or context.environ.get("DOCKER_DEFAULT_PLATFORM", ""),
        publish_all=args.on("publish-all"),
        volumes_from=args.texts("volumes-from"),
        attaches=attaches,
        remove_after_s=0.0 if args.on("rm") else None,
    )


def _check_together(args: Args) -> None:
    if args.on("rm") and args.text("restart") not in ("", "no"):
        raise UsageError("conflicting options: cannot specify both --restart and --rm")
    for text in args.texts("attach"):
        if text.lower() not in STREAMS:
            raise UsageError(
                f'invalid argument "{text}" for "-a, --attach" flag: valid streams are STDIN, '
                "STDOUT and STDERR"
            )
    path = args.text("cidfile")
    if path and os.path.exists(path):
        raise UsageError(
            f"container ID file found, make sure the other container isn't running or delete {path}"
        )


class PullDisplay:
    """A pull is told on stderr, and only when there is one: stdout is the container's."""

    def __init__(self, args: Args, context: Context) -> None:
        self._name = args.words[0]
        self._quiet = args.on("quiet")
        self._context = context
        self._opened: AbstractContextManager[Report] | None = None
        self._report: Report = quiet

    def pulling(self) -> Pulling:
        from orchestra.ops.container_create import Pulling

        return Pulling(self._begin, lambda progress: self._report(progress))

    def close(self) -> None:
        """The container is there: what comes now is its own."""
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = None

    def _begin(self, reference: Reference) -> None:
        if self._quiet:
            return
        sys.stderr.write(
            f"Unable to find image '{reference.familiar}' locally\n"
            f"{reference.target}: Pulling from {reference.path}\n"
        )
        self._opened = open_display(self._context, "Pulling")
        self._report = self._opened.__enter__()


def write_cidfile(args: Args, container_id: str) -> None:
    """Raises UsageError when the file of --cidfile cannot be made."""
    path = args.text("cidfile")
    if not path:
        return
    try:
        with open(path, "x", encoding="ascii") as file:
            file.write(container_id)
    except OSError as exc:
        raise UsageError(f"failed to create the container ID file {path}: {exc.strerror}") from exc
