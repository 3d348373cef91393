"""`orchestra bundle save`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="bundle save [OPTIONS] [SERVICE...]",
    summary="Save a project with its images in one file",
    flags=(
        Flag("output", "Write to this file", short="o", kind=TEXT),
        Flag("volumes", "Save the content of all named volumes too"),
        Flag("with-volume", "Save the content of this volume too", kind=LIST),
    ),
    examples=(
        ("orchestra bundle save -o project.tar", "For `orchestra bundle up` elsewhere"),
        ("orchestra bundle save -o project.tar --with-volume data", "With a volume's content"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Write the bundle of the project here."""
    from orchestra.cli.located import load_here
    from orchestra.cli.render.progress import open_display
    from orchestra.ops.bundle_save import SaveOptions, bundle_save

    context.refuse_dry_run()
    path = args.text("output")
    if not path:
        raise UsageError(
            "there is no name for the file", fix="orchestra bundle save -o project.tar"
        )
    loaded = load_here(context, args.words)
    options = SaveOptions(path, args.on("volumes"), args.texts("with-volume"))
    with open_display(context, "bundle save") as report:
        bundle_save(context.host().layout, loaded, options, report)
    return 0
