"""`orchestra config`."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError
from orchestra.cli.located import load_request, warn
from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.config.request import Loaded, LoadRequest
    from orchestra.config.tree import Tree
    from orchestra.model.project import Project

COMMAND = Command(
    usage="config [OPTIONS] [SERVICE...]",
    summary="Parse, resolve and render compose file in canonical format",
    flags=(
        Flag("check", "Only check the files; with --format json print all problems for editors"),
        Flag("environment", "Print environment used for interpolation."),
        Flag(
            "format",
            "Format the output. Values: [yaml | json]",
            kind=TEXT,
            choices=("yaml", "json"),
        ),
        Flag("hash", "Print the service config hash, one per line.", kind=TEXT),
        Flag("images", "Print the image names, one per line."),
        Flag("lock-image-digests", "Produces an override file with image digests"),
        Flag("models", "Print the model names, one per line."),
        Flag("networks", "Print the network names, one per line."),
        Flag(
            "no-consistency",
            "Don't check model consistency - warning: may produce invalid Compose output",
        ),
        Flag("no-env-resolution", "Don't resolve service env files"),
        Flag("no-interpolate", "Don't interpolate environment variables"),
        Flag("no-normalize", "Don't normalize compose model"),
        Flag("no-path-resolution", "Don't resolve file paths"),
        Flag("output", "Save to file (default to stdout)", short="o", kind=TEXT),
        Flag("profiles", "Print the profile names, one per line."),
        Flag("quiet", "Only validate the configuration, don't print anything", short="q"),
        Flag("resolve-image-digests", "Pin image tags to digests"),
        Flag("services", "Print the service names, one per line."),
        Flag("variables", "Print model variables and default values."),
        Flag("volumes", "Print the volume names, one per line."),
    ),
    examples=(
        ("orchestra config", "The project, all defaults and variables filled in"),
        ("orchestra config -q", "Check the files, print nothing"),
        ("orchestra config --check --format json", "The same for editors: problems with places"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print the project, or the part of it that a flag asks for."""
    from orchestra.config.pipeline import load

    gc.disable()  # a big tree, and the process ends soon
    try:
        loaded = load(_request(args, context))
    except ConfigError as exc:
        if not _checks_for_editors(args):
            raise
        return _report(exc)
    if _checks_for_editors(args):
        return _report(None)
    warn(context, (*loaded.warnings, *_unheeded(args)))
    if args.on("resolve-image-digests") or args.on("lock-image-digests"):
        _pin_images(loaded.tree, context.environ)
    if args.on("lock-image-digests"):
        loaded = _locked(loaded, context)
    text = _text(args, loaded)
    if args.text("output"):
        _save(args.text("output"), text)
    elif not args.on("quiet") and not args.on("check"):
        write(text)
    return 0


def _unheeded(args: Args) -> Iterable[str]:
    """Service names have no meaning where variables may stand for anything."""
    for name in ("no-interpolate", "variables"):
        if args.words and args.on(name):
            yield f"--{name} is about the whole project: the names of services are not heeded"


def _pin_images(tree: Tree, environ: Mapping[str, str]) -> None:
    """Ask the registries for what the images' names mean. Raises ConfigError, RegistryError."""
    from orchestra.config.digests import pin_images
    from orchestra.image.reference import parse_reference
    from orchestra.registry.configuration import load_configuration
    from orchestra.registry.registries import Registries

    with Registries(load_configuration(environ), environ) as registries:

        def resolve(image: str) -> str:
            reference = parse_reference(image)
            if reference.digest:
                return image
            target = reference.target
            digest = registries.reading(
                reference,
                lambda client: client.digest_of(target) or client.manifest(target).digest,
            )
            return str(reference._replace(digest=digest))

        pin_images(tree, resolve)


def _locked(loaded: Loaded, context: Context) -> Loaded:
    from orchestra.config.digests import images_only, services_with_hook_images

    told = (
        f'service "{name}": the images of its pre_start hooks are left out; '
        "--resolve-image-digests has them"
        for name in services_with_hook_images(loaded.tree)
    )
    warn(context, tuple(told))
    return loaded._replace(tree=images_only(loaded.tree))


def _save(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise UsageError(f"cannot write {path}: {exc.strerror}") from exc


def _request(args: Args, context: Context) -> LoadRequest:
    as_written = args.on("no-interpolate") or args.on("variables")
    return load_request(context)._replace(
        services=() if args.on("services") else args.words,  # all, as Docker Compose
        interpolate=not as_written,
        normalize=not args.on("no-normalize") and not context.options.compatibility,
        resolve_paths=not args.on("no-path-resolution"),
        resolve_environment=not args.on("no-env-resolution") and not args.on("variables"),
        check_consistency=not args.on("no-consistency"),
    )


def _checks_for_editors(args: Args) -> bool:
    return args.on("check") and args.text("format") == "json"


def _report(error: ConfigError | None) -> int:
    """Print the problems as JSON; the exit code is that of *error*, 0 without one."""
    from orchestra.config.report import problems_json

    write(problems_json(error))
    return error.exit_code if error is not None else 0


def _text(args: Args, loaded: Loaded) -> str:
    for name, part in PARTS.items():
        if args.on(name):
            return "".join(f"{line}\n" for line in part(loaded.project))
    if args.text("hash"):
        return "".join(_hashes(loaded.project, args.text("hash")))
    if args.on("environment"):
        return "".join(f"{key}={value}\n" for key, value in sorted(loaded.environment.items()))
    if args.on("variables"):
        return _variables(loaded, args.text("format"))
    return _model(args, loaded)


def _variables(loaded: Loaded, form: str) -> str:
    from orchestra.cli.render.table import table_text
    from orchestra.config import render
    from orchestra.config.variables import variables_of

    found = variables_of(loaded.tree)
    if form == "json":
        return render.model_to_json({needed.name: needed.for_json() for needed in found})
    if form == "yaml":
        return render.model_to_yaml({needed.name: needed.for_yaml() for needed in found})
    rows = [
        (needed.name, str(needed.required).lower(), needed.default, needed.alternate)
        for needed in found
    ]
    header = ("NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE")
    return table_text(header, rows, min_width=20)


def _model(args: Args, loaded: Loaded) -> str:
    """The whole in the form that was asked for."""
    from orchestra.config import render

    form = args.text("format")
    if form not in ("", "yaml", "json"):
        raise UsageError(f'unsupported format "{form}"', fix="use yaml or json")
    if args.on("no-interpolate"):
        as_written = render.model_to_json if form == "json" else render.model_to_yaml
        tree = dict(loaded.tree)
        if args.on("no-normalize") and loaded.sources.key(("name",)) is None:
            tree.pop("name", None)  # nobody wrote it
        return as_written(tree)
    canonical = render.to_json if form == "json" else render.to_yaml
    return canonical(loaded.tree, env_files=args.on("no-env-resolution"))


def _services(project: Project) -> Iterable[str]:
    return project.service_names


def _volumes(project: Project) -> Iterable[str]:
    return sorted(volume.key for volume in project.volumes)


def _networks(project: Project) -> Iterable[str]:
    return sorted(network.key for network in project.networks)


def _models(project: Project) -> Iterable[str]:
    return sorted(model.model for model in project.models)


def _profiles(project: Project) -> Iterable[str]:
    services = (*project.services, *project.disabled_services)
    return sorted({profile for service in services for profile in service.profiles})


def _images(project: Project) -> Iterable[str]:

    return sorted(project.image_of(service) for service in project.services)


def _hashes(project: Project, wanted: str) -> Iterable[str]:
    """As `up` takes it, which looks at the other services' links too."""
    from orchestra.ops.gather import hash_of
    from orchestra.plan.container import linked_names

    names = project.service_names if wanted == "*" else sorted(set(wanted.split(",")))
    linked = linked_names((*project.services, *project.disabled_services))
    for name in names:
        if name not in project.service_names:
            raise UsageError(f"no such service: {name}")
        value = hash_of(project, project.service(name), linked.get(name, ()))
        yield f"{name} {value}\n"


PARTS: dict[str, Callable[[Project], Iterable[str]]] = {
    "services": _services,
    "volumes": _volumes,
    "networks": _networks,
    "models": _models,
    "profiles": _profiles,
    "images": _images,
}
"""What the flag of that name prints, one per line."""
