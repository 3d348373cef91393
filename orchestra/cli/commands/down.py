"""`orchestra down`."""

from __future__ import annotations

from orchestra.cli.creation import removes_orphans
from orchestra.cli.flags import NUMBER, TEXT, Command, Flag, UsageError
from orchestra.cli.located import load_project, target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.target import Target

COMMAND = Command(
    usage="down [OPTIONS] [SERVICES]",
    summary="Stop and remove containers, networks",
    flags=(
        Flag(
            "remove-orphans",
            "Remove containers for services not defined in the Compose file",
        ),
        Flag(
            "rmi",
            'Remove images used by services. "local" remove only images that don\'t have a custom '
            'tag ("local"|"all")',
            kind=TEXT,
            choices=("local", "all"),
        ),
        Flag("timeout", "Specify a shutdown timeout in seconds", short="t", kind=NUMBER),
        Flag(
            "volumes",
            'Remove named volumes declared in the "volumes" section of the Compose file and '
            "anonymous volumes attached to containers",
            short="v",
        ),
    ),
    examples=(
        ("orchestra down", "Remove containers and networks, keep named volumes"),
        ("orchestra down -v", "Remove the volumes too"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Stop and remove what `up` made."""
    from orchestra.ops.down import DownOptions, down, rehearse_down

    if args.text("rmi") not in ("", "local", "all"):
        raise UsageError(f'invalid value for --rmi: "{args.text("rmi")}"')
    options = DownOptions(
        volumes=args.on("volumes"),
        remove_orphans=removes_orphans(args, context),
        stop_grace_s=args.seconds("timeout"),
    )
    where = target(context, args.words)
    images = _images(args, context, where)
    with open_display(context, "down", rehearses=True) as report:
        take_down = rehearse_down if context.options.dry_run else down
        take_down(context.host(), where, options, report)
        if images:
            from orchestra.ops.down_images import remove_images

            dry_run = context.options.dry_run
            remove_images(context.host().layout, images, report, dry_run=dry_run)
    return 0


def _images(args: Args, context: Context, where: Target) -> tuple[str, ...]:
    """What `--rmi` asks to remove. Raises ConfigError and NotFound."""
    if not args.text("rmi"):
        return ()
    from orchestra.ops.down_images import Images, images_of_containers, images_of_project

    which = Images(args.text("rmi"))
    if where.declared is None:
        return images_of_containers(context.host().layout, where, which)
    return images_of_project(load_project(context, args.words), args.words, which)
