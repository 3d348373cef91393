"""`orchestra build`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError
from orchestra.cli.located import load_project
from orchestra.cli.render.building import open_build_display

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.build.lint.base import Finding
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.project import Project
    from orchestra.ops.build import BuildOptions
    from orchestra.ops.recipe import Extras, Surroundings

OLD_FLAGS = (
    Flag("compress", "Without effect: nothing is sent anywhere", hidden=True),
    Flag("force-rm", "Without effect: nothing stays behind", hidden=True),
    Flag("no-rm", "Without effect: nothing stays behind", hidden=True),
    Flag("parallel", "Without effect", default="true", hidden=True),
    Flag("progress", "As `orchestra --progress MODE build`", kind=TEXT, hidden=True),
)
"""Old flags that `docker compose` still accepts."""

COMMAND = Command(
    usage="build [OPTIONS] [SERVICE...]",
    summary="Build or rebuild services",
    flags=(
        Flag("build-arg", "Set build-time variables for services", kind=LIST),
        Flag("builder", "Set builder to use; there is one here, so any name means it", kind=TEXT),
        Flag("check", "Check build configuration"),
        Flag("memory", "Set memory limit for the build container", short="m", kind=TEXT),
        Flag("no-cache", "Do not use cache when building the image"),
        Flag("print", "Print equivalent bake file"),
        Flag("provenance", "Accepted without effect: no attestations are made", kind=TEXT),
        Flag("pull", "Always attempt to pull a newer version of the image"),
        Flag("push", "Push service images"),
        Flag("quiet", "Suppress the build output", short="q"),
        Flag("sbom", "Accepted without effect: no attestations are made", kind=TEXT),
        Flag("ssh", "Set SSH authentications used when building service images", kind=LIST),
        Flag("with-dependencies", "Also build dependencies (transitively)"),
        *OLD_FLAGS,
    ),
    examples=(
        ("orchestra build", "Build all services that have a `build`"),
        ("orchestra build --no-cache web", "Run every step of `web` again"),
        ("orchestra build --print", "Tell what would be built, as a bake file"),
        ("orchestra build --check", "Look for mistakes in the Dockerfiles, build nothing"),
    ),
)


_PROGRESS = ("", "auto", "tty", "plain", "quiet", "rawjson", "json")


def run(args: Args, context: Context) -> int:
    """Build the images of the project's services."""
    import orchestra.model.structs  # noqa: F401 (first: msgspec at half the price)
    from orchestra.ops.build import BuildOptions, build
    from orchestra.ops.recipe import Surroundings

    if not args.on("print") and not args.on("check"):
        context.refuse_dry_run()
    options = BuildOptions(
        services=args.words,
        include_dependencies=args.on("with-dependencies"),
        extras=extras_of(args, context),
    )
    project = load_project(context, args.words)
    if args.on("print"):
        import json

        from orchestra.ops.build_print import bake_file

        write(json.dumps(bake_file(project, options), indent=2) + "\n")
        return 0
    mode = progress_mode(args, context)
    around = Surroundings(context.cwd, context.environ)
    if args.on("check"):
        return _check(context, project, options, around)
    with open_build_display(context, mode, quietly=args.on("quiet")) as watch:
        built = build(context.host(), project, options, around, watch)
    if not built:
        sys.stderr.write("No services to build\n")
    for each in built:
        if args.on("quiet"):
            write(f"{each.image}\n")
    if args.on("push"):
        push_images(context, tuple(each.reference for each in built), quietly=args.on("quiet"))
    return 0


def progress_mode(args: Args, context: Context) -> str:
    """How the build is shown: --progress of the command, or the global one. Raises UsageError."""
    mode = args.text("progress")
    if mode not in _PROGRESS:
        raise UsageError(
            f'invalid --progress "{mode}"', fix="give auto, tty, plain, json, rawjson or quiet"
        )
    return mode or context.environ.get("BUILDKIT_PROGRESS", "") or context.options.progress


def extras_of(args: Args, context: Context) -> Extras:
    """What the flags of every build command say. Raises UsageError."""
    from orchestra.ops.recipe import Extras
    from orchestra.units import parse_bytes

    try:
        memory = parse_bytes(args.text("memory")) if args.text("memory") else 0
    except ValueError as exc:
        raise UsageError(f"--memory: {exc}") from exc
    return Extras(
        args=build_args(args.texts("build-arg"), context),
        no_cache=args.on("no-cache"),
        pull=args.on("pull"),
        memory_bytes=memory,
        ssh=tuple(text.partition("=")[::2] for text in args.texts("ssh")),
    )


def build_args(texts: tuple[str, ...], context: Context) -> tuple[tuple[str, str], ...]:
    """`NAME=value`; a bare name takes the value from the environment, and is left out without."""
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not name:
            raise UsageError(f'invalid --build-arg "{text}"', fix="write NAME=value")
        if equals:
            found.append((name, value))
        elif name in context.environ:
            found.append((name, context.environ[name]))
    return tuple(found)


def _check(context: Context, project: Project, options: BuildOptions, around: Surroundings) -> int:
    from orchestra.ops.build_lint import checked_services, lint, lint_is_error
    from orchestra.ops.contexts import Contexts

    count = is_error = 0
    with Contexts(context.host().layout) as contexts:
        for request in checked_services(project, options, around, contexts):
            findings = lint(request, context.host())
            write_findings(findings)
            count += len(findings)
            is_error |= bool(findings) and lint_is_error(request, context.host())
    noun = "warning" if count == 1 else "warnings"
    sys.stderr.write(f"check complete, {count or 'no'} {noun} found\n")
    return 1 if count or is_error else 0


def write_findings(findings: Iterable[Finding]) -> None:
    """Each with where its rule is explained."""
    for finding in findings:
        write(f"{finding}\n    see {finding.page}\n")


def push_images(context: Context, names: tuple[str, ...], *, quietly: bool) -> None:
    from orchestra.cli.render.progress import open_display
    from orchestra.ops.image_push import image_push

    with open_display(context, "Pushing", quietly=quietly) as report:
        for name in names:
            image_push(context.host().layout, context.environ, name, report, lambda _: None)
