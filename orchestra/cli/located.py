"""Which project a command is about: its name, or the whole of it, loaded.

`ps`, `logs`, `exec`, `stop` and `kill` need only the name, and loading YAML to get it would cost
them more than all their work. So the name is remembered together with every file that was read or
looked for; while those are as they were, the memory is used (`cli.remembered`).
"""

from __future__ import annotations

import os

from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.config.request import Loaded, LoadRequest
    from orchestra.model.project import Project
    from orchestra.model.source import SourceMap
    from orchestra.ops.target import Target


class Located(NamedTuple):
    """A project by name; *services* is None when its file was not asked.

    Those of them that say `attach: false` are *unattached*.
    """

    name: str
    services: tuple[str, ...] | None
    unattached: tuple[str, ...] = ()


def locate(context: Context) -> Located:
    """The project of this command, as `docker compose` finds it. Raises ConfigError."""
    options = context.options
    if options.project_name and not options.files:
        return Located(options.project_name, None)
    from orchestra.cli.remembered import recall

    known = recall(context)
    if known is not None:
        return known
    from orchestra.errors import ConfigError

    try:
        return _located(load_here(context).project)
    except ConfigError:
        fallback = context.environ.get("COMPOSE_PROJECT_NAME", "")
        if fallback:
            return Located(fallback, None)
        raise


def _located(project: Project) -> Located:
    return Located(
        project.name,
        tuple(sorted(project.service_names)),
        tuple(service.name for service in project.services if not service.attach),
    )


def expect_supervisor(context: Context) -> None:
    """Have one prepared while the project is loaded, unless the project here seems to have one."""
    from orchestra.cli.remembered import recall

    known = recall(context)
    host = context.host()
    if known is None or not os.path.exists(host.layout.socket(known.name)):
        host.expect_engine()


def target(context: Context, services: tuple[str, ...]) -> Target:
    """*services* of the project here; none of them: all. Raises ConfigError."""
    from orchestra.ops.target import Target

    found = locate(context)
    return Target(found.name, services, found.services)


def log_target(context: Context, services: tuple[str, ...]) -> Target:
    """As `target`, but services that say `attach: false` must be named. Raises ConfigError."""
    from orchestra.ops.target import Target

    found = locate(context)
    if not services and found.unattached and found.services is not None:
        services = tuple(name for name in found.services if name not in found.unattached)
    return Target(found.name, services, found.services)


def load_project(context: Context, services: tuple[str, ...] = ()) -> Project:
    """The whole project; what the loader has to warn of goes to stderr. Raises ConfigError.

    Of *services*, those that only a profile enables are enabled with what they depend on.
    """
    whole = _recalled_or_loaded(context)
    if set(services).isdisjoint(service.name for service in whole.disabled_services):
        return whole
    return load_here(context, services).project


def _recalled_or_loaded(context: Context) -> Project:
    from orchestra.cli.remembered_project import recall_project, remember_project

    known = recall_project(context)
    if known is not None:
        context.find_sources = _sources
        warn(context, known.warnings)
        return known.project
    loaded = load_here(context)
    remember_project(context, loaded)
    return loaded.project


def _sources(context: Context) -> SourceMap:
    from orchestra.config.pipeline import load

    return load(load_request(context)).sources


def load_here(context: Context, services: tuple[str, ...] = ()) -> Loaded:
    """The same, with where everything was written; *context* keeps that for later errors.

    The next command that needs no more than the name has it from memory.
    """
    from orchestra.cli.remembered import remember
    from orchestra.config.pipeline import load

    loaded = load(load_request(context)._replace(services=services))
    context.sources = loaded.sources
    if not services:
        remember(context, loaded, _located(loaded.project))
    warn(context, loaded.warnings)
    return loaded


def warn(context: Context, warnings: tuple[str, ...]) -> None:
    """Print the loader's *warnings* on stderr."""
    import sys

    from orchestra.cli.render.text import YELLOW, harmless, paint

    for warning in warnings:
        head = paint("warning:", YELLOW, when=context.colour_stderr)
        sys.stderr.write(f"{head} {harmless(warning)}\n")


def load_request(context: Context) -> LoadRequest:
    """What the loader is asked, by the global options and the environment."""
    from orchestra.config.request import LoadRequest

    options = context.options
    return LoadRequest(
        cwd=context.cwd,
        environ=context.environ,
        files=options.files,
        project_directory=options.project_directory,
        env_files=options.env_files,
        profiles=options.profiles,
        project_name=options.project_name,
        stdin=_stdin() if "-" in options.files else "",
        all_resources=options.all_resources,
        compatibility=options.compatibility,
    )


def _stdin() -> str:
    import sys

    return sys.stdin.read()
