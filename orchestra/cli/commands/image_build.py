"""`orchestra image build`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from orchestra.cli.commands.build import (
    extras_of,
    progress_mode,
    push_images,
    write_findings,
)
from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError
from orchestra.cli.render.building import open_build_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.build import BuildSpec, Secret
    from orchestra.model.container import Ulimit
    from orchestra.ops.build_output import Output
    from orchestra.ops.recipe import Recipe

COMMAND = Command(
    usage="image build [OPTIONS] PATH | URL | -",
    summary="Build an image from a Dockerfile",
    flags=(
        Flag("add-host", "Add a custom host-to-IP mapping (host:ip)", kind=LIST),
        Flag("allow", "Allow extra privileged entitlement (network.host)", kind=LIST),
        Flag("attest", "Attestation parameters; none are made", kind=LIST),
        Flag("build-arg", "Set build-time variables", kind=LIST),
        Flag("build-context", "Additional build contexts (name=path)", kind=LIST),
        Flag("cache-from", "External cache sources (type=registry|local,…)", kind=LIST),
        Flag("cache-to", "Cache export destinations (type=registry|local|inline,…)", kind=LIST),
        Flag("check", "Check the Dockerfile, build nothing"),
        Flag("file", "Name of the Dockerfile (default: PATH/Dockerfile)", short="f", kind=TEXT),
        Flag("iidfile", "Write the image ID to a file", kind=TEXT),
        Flag("label", "Set metadata for an image", kind=LIST),
        Flag("load", "No effect: the image is always here"),
        Flag("memory", "Memory limit of each step", short="m", kind=TEXT),
        Flag("network", 'Network of RUN instructions ("default"|"none"|"host")', kind=TEXT),
        Flag("no-cache", "Do not use cache when building the image"),
        Flag("no-cache-filter", "Do not cache specified stages", kind=LIST),
        Flag(
            "output",
            "Output destination (DIR or type=local|tar|oci|docker,dest=PATH)",
            short="o",
            kind=LIST,
        ),
        Flag("platform", "Platform of the result; this machine's only", kind=TEXT),
        Flag("progress", "How to show the build (auto|tty|plain|quiet|rawjson)", kind=TEXT),
        Flag("provenance", "No provenance is made", kind=TEXT),
        Flag("pull", "Always attempt to pull all referenced images"),
        Flag("push", "Push the image to its names"),
        Flag("quiet", "Suppress the build output and print image ID on success", short="q"),
        Flag("rm", "No effect: nothing is left behind"),
        Flag("sbom", "No SBOM is made", kind=TEXT),
        Flag("secret", "Secret to expose to the build (id=NAME[,src=FILE|,env=VAR])", kind=LIST),
        Flag("shm-size", "Size of /dev/shm in each step", kind=TEXT),
        Flag("ssh", "SSH agent socket to expose to the build (default|ID[=SOCKET])", kind=LIST),
        Flag("tag", "Name of the image (NAME[:TAG])", short="t", kind=LIST),
        Flag("target", "Set the target build stage to build", kind=TEXT),
        Flag("ulimit", "Limit of each step (NAME=SOFT[:HARD])", kind=LIST),
    ),
    min_args=1,
    max_args=1,
    examples=(
        ("orchestra image build -t app .", "Build the Dockerfile of this directory"),
        ("orchestra image build --target test .", "Build one of its stages"),
        ("orchestra image build --check .", "Look for mistakes, build nothing"),
    ),
)

_LAYOUT = "oci-layout://"


def run(args: Args, context: Context) -> int:
    """Build the image; with --quiet its id is printed."""
    import orchestra.model.structs  # noqa: F401 (first: msgspec at half the price)
    from orchestra.ops.build import build_image

    context.refuse_dry_run()
    mode = progress_mode(args, context)
    outputs = _outputs(args, context)
    recipe = _recipe(args, context, outputs)
    if args.on("check"):
        return _check(context, recipe)
    with open_build_display(context, mode, quietly=args.on("quiet")) as watch:
        image = build_image(context.host(), recipe, watch)
    for output in outputs:
        from orchestra.image.reference import parse_reference
        from orchestra.ops.build_output import write_output

        names = tuple(map(parse_reference, recipe.names))
        write_output(context.host().layout, image, names, output)
    if args.on("push") or any(output.push for output in outputs):
        push_images(context, _tags(args, outputs), quietly=args.on("quiet"))
    if args.text("iidfile"):
        with open(os.path.join(context.cwd, args.text("iidfile")), "w", encoding="ascii") as file:
            file.write(image)
    if args.on("quiet"):
        write(f"{image}\n")
    return 0


def _check(context: Context, recipe: Recipe) -> int:
    from orchestra.ops.build_lint import lint
    from orchestra.ops.buildrequest import request_for
    from orchestra.ops.contexts import Contexts

    with Contexts(context.host().layout) as contexts:
        findings = lint(request_for(recipe, contexts), context.host())
    write_findings(findings)
    noun = "warning" if len(findings) == 1 else "warnings"
    sys.stderr.write(f"check complete, {len(findings) or 'no'} {noun} found\n")
    return 1 if findings else 0


def _outputs(args: Args, context: Context) -> tuple[Output, ...]:
    if not args.texts("output"):
        return ()
    from orchestra.ops.build_output import check_output, parse_output

    outputs = tuple(parse_output(text, context.cwd) for text in args.texts("output"))
    for output in outputs:
        check_output(output)
    return outputs


def _tags(args: Args, outputs: tuple[Output, ...]) -> tuple[str, ...]:
    return (*args.texts("tag"), *(output.name for output in outputs if output.name))


def _recipe(args: Args, context: Context, outputs: tuple[Output, ...]) -> Recipe:
    from orchestra.ops.recipe import Recipe, Surroundings

    secrets = dict(_secret(text, context) for text in args.texts("secret"))
    extras = extras_of(args, context)
    around = Surroundings(context.cwd, context.environ)
    return Recipe(_spec(args, context), _tags(args, outputs), secrets, extras, around)


def _spec(args: Args, context: Context) -> BuildSpec:
    from orchestra.build.address import STDIN, is_remote
    from orchestra.model.build import BuildSpec
    from orchestra.units import parse_bytes

    file = args.text("file")
    inline = sys.stdin.read() if file == "-" else ""
    path = args.words[0]
    if path == file == STDIN:
        raise UsageError("stdin cannot be both the context and the Dockerfile")
    try:
        shm = parse_bytes(args.text("shm-size")) if args.text("shm-size") else 0
    except ValueError as exc:
        raise UsageError(f"--shm-size: {exc}") from exc
    return BuildSpec(
        context=path if is_remote(path) else os.path.normpath(os.path.join(context.cwd, path)),
        dockerfile="" if inline else _dockerfile(file, path, context),
        dockerfile_inline=inline,
        target=args.text("target"),
        labels=_pairs(args, "label", "="),
        additional_contexts=tuple(
            (name, _absolute(value, context.cwd))
            for name, value in _pairs(args, "build-context", "=")
        ),
        entitlements=args.texts("allow"),
        provenance=args.text("provenance") or ("true" if args.texts("attest") else ""),
        sbom=args.text("sbom"),
        cache_from=args.texts("cache-from"),
        cache_to=args.texts("cache-to"),
        no_cache_filter=args.texts("no-cache-filter"),
        network=args.text("network"),
        platforms=(args.text("platform"),) if args.text("platform") else (),
        extra_hosts=_pairs(args, "add-host", ":"),
        shm_bytes=shm,
        ulimits=tuple(_ulimit(text) for text in args.texts("ulimit")),
    )


def _dockerfile(file: str, path: str, context: Context) -> str:
    """Where *file* is; that of a remote context lies inside of it."""
    from orchestra.build.address import is_remote

    return os.path.join(context.cwd, file) if file and not is_remote(path) else file


def _absolute(value: str, base: str) -> str:
    """An additional context with its path made absolute, where it is one."""
    from orchestra.build.address import is_remote

    if value.startswith(_LAYOUT):
        return _LAYOUT + os.path.join(base, value.removeprefix(_LAYOUT))
    return value if "://" in value or is_remote(value) else os.path.join(base, value)


def _ulimit(text: str) -> Ulimit:
    """`NAME=SOFT[:HARD]`; -1 is no limit. Raises UsageError."""
    from orchestra.model.container import Ulimit

    name, _, numbers = text.partition("=")
    soft, _, hard = numbers.partition(":")
    try:
        return Ulimit(name=name, soft=int(soft), hard=int(hard or soft))
    except ValueError as exc:
        raise UsageError(f'invalid --ulimit "{text}"', fix="write NAME=SOFT:HARD") from exc


def _pairs(args: Args, flag: str, separator: str) -> tuple[tuple[str, str], ...]:
    found = []
    for text in args.texts(flag):
        name, found_separator, value = text.partition(separator)
        if not name or not (found_separator or flag == "label"):
            raise UsageError(f'invalid --{flag} "{text}"', fix=f"write NAME{separator}VALUE")
        found.append((name, value))
    return tuple(found)


def _secret(text: str, context: Context) -> tuple[str, Secret]:
    """`id=NAME[,src=FILE]` or `id=NAME,env=VAR`. Raises UsageError."""
    from orchestra.model.build import Secret

    fields = dict(part.partition("=")[::2] for part in text.split(","))
    name = fields.get("id", "")
    if not name or set(fields) - {"id", "src", "source", "env", "type"}:
        raise UsageError(f'invalid --secret "{text}"', fix="write id=NAME,src=FILE")
    variable = fields.get("env", "")
    path = fields.get("src") or fields.get("source") or ""
    if variable or (not path and name in context.environ):
        return name, Secret(content=context.environ.get(variable or name, ""))
    path = os.path.join(context.cwd, os.path.expanduser(path or name))
    if not os.path.isfile(path):
        raise UsageError(f"--secret: {path} is no file", fix="write id=NAME,src=FILE")
    return name, Secret(path=path)
