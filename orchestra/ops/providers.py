"""Services with a `provider`: an external program makes them, and tells how to reach them.

compose-spec 05-services.md#provider, docker/compose docs/extension.md. The program is run with
`compose --project-name NAME up|down|stop --OPTION=VALUE SERVICE` and writes a JSON object on each
line of its stdout. What it was asked and what it told is kept: `ops.provided`.

Imported only for projects that have such services: it brings subprocess and shutil with it.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from orchestra.errors import ConfigError, NotFound, OrchestraError, RuntimeFailure
from orchestra.linux.tool import run_tool, tool_lines
from orchestra.model.structs import msgspec
from orchestra.ops.provided import Provided, read, write
from orchestra.plan.events import Phase, Progress
from orchestra.plan.order import dependency_order

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.plan.events import Report

_PLUGINS = (
    "~/.docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_METADATA_TIMEOUT_S = 30.0


def bring_up(layout: Layout, project: Project, report: Report) -> None:
    """Make the provided services of *project*; `ops.provided` has what they told then.

    Raises NotFound for a missing program, and RuntimeFailure with what it told of its failure.
    """
    services = [each for each in dependency_order(project.services) if each.provider is not None]
    environ = dict(project.environment) or dict(os.environ)
    known = read(layout, project.name)
    for service in services:
        known[service.name] = _bring_up(project.name, service, environ, report)
        write(layout, project.name, known)
    for service in project.services:
        _tell_overridden(service, known, report)


def take_down(layout: Layout, project: str, services: Collection[str], report: Report) -> bool:
    """Let go of what was provided to *services*, none: to all; was there any?

    Raises the first failure after all the rest is done.
    """
    return _undo(layout, project, "down", services, report)


def stop(layout: Layout, project: str, services: Collection[str], report: Report) -> None:
    """Stop what was provided, where its program says that it can."""
    _undo(layout, project, "stop", services, report)


def _bring_up(
    project: str, service: Service, environ: Mapping[str, str], report: Report
) -> Provided:
    assert service.provider is not None  # noqa: S101 (the caller has looked)
    asked = Provided(type=service.provider.type, options=service.provider.options)
    report(Progress(service.name, Phase.WORKING, "Creating"))
    try:
        told = _ask(project, service.name, asked, "up", environ, report)
    except OrchestraError as exc:
        report(Progress(service.name, Phase.FAILED, "Error", exc.what))
        exc.at("services", service.name, "provider")
        raise
    report(Progress(service.name, Phase.DONE, "Created"))
    return told


def _undo(
    layout: Layout, project: str, command: str, services: Collection[str], report: Report
) -> bool:
    known = read(layout, project)
    chosen = [name for name in reversed(known) if not services or name in services]
    doing, done = ("Removing", "Removed") if command == "down" else ("Stopping", "Stopped")
    failures: list[OrchestraError] = []
    for name in chosen:
        report(Progress(name, Phase.WORKING, doing))
        try:
            _ask(project, name, known[name], command, os.environ, report)
        except OrchestraError as exc:
            report(Progress(name, Phase.FAILED, "Error", exc.what))
            failures.append(exc)
            continue
        report(Progress(name, Phase.DONE, done))
        if command == "down":
            del known[name]
            write(layout, project, known)
    if failures:
        raise failures[0]
    return bool(chosen)


def _ask(
    project: str,
    service: str,
    asked: Provided,
    command: str,
    environ: Mapping[str, str],
    report: Report,
) -> Provided:
    program = _find(asked.type, environ)
    about = _metadata(program, environ)
    if command == "stop" and "stop" not in about:
        return asked
    flags = _flags(service, asked, about.get(command) or {}, is_described=bool(about))
    argv = [program, "compose", f"--project-name={project}", command, *flags, service]
    prefixed: dict[str, str] = {}
    raw: dict[str, str] = {}
    try:
        with tool_lines(argv, environ=environ) as lines:
            for line in filter(None, (each.strip() for each in lines)):
                kind, text = _message(asked.type, line)
                match kind:
                    case "info":
                        report(Progress(service, Phase.WORKING, text.partition("\n")[0]))
                    case "error":
                        raise RuntimeFailure(f'service "{service}": {asked.type}: {text}')
                    case "setenv" | "rawsetenv":
                        name, equals, value = text.partition("=")
                        if not equals:
                            raise _invalid(asked.type, line)
                        (prefixed if kind == "setenv" else raw)[name] = value
                    case "debug":
                        pass
                    case _:
                        raise _invalid(asked.type, line)
    except RuntimeFailure:
        raise
    except OrchestraError as exc:
        raise RuntimeFailure(f'service "{service}": {exc.what}', fix=exc.fix) from exc
    return msgspec.structs.replace(asked, prefixed=tuple(prefixed.items()), raw=tuple(raw.items()))


def _message(provider: str, line: bytes) -> tuple[str, str]:
    try:
        fields = json.loads(line)
        return str(fields["type"]), str(fields["message"])
    except (ValueError, KeyError, TypeError) as exc:
        raise _invalid(provider, line) from exc


def _invalid(provider: str, line: bytes) -> RuntimeFailure:
    text = line.decode(errors="replace")[:200]
    return RuntimeFailure(
        f"invalid response from provider {provider}: {text}",
        fix='it must write JSON objects with "type" and "message", one on each line',
    )


def _find(provider: str, environ: Mapping[str, str]) -> str:
    """The program: a plugin of Docker's command line, or one on the PATH. Raises NotFound."""
    plugin = f"docker-{provider}"
    search = os.pathsep.join(os.path.expanduser(each) for each in _PLUGINS)
    path = environ.get("PATH", os.defpath)
    if provider != "compose" and "/" not in provider:
        for name, places in ((plugin, search), (plugin, path), (provider, path)):
            found = shutil.which(name, path=places)
            if found:
                return found
    raise NotFound(
        f'no provider "{provider}"',
        fix=f"install {plugin} as a plugin of docker, or {provider} on the PATH",
    )


def _metadata(program: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What it says of its parameters; nothing when it says nothing."""
    try:
        done = run_tool(
            [program, "compose", "metadata"], timeout_s=_METADATA_TIMEOUT_S, environ=environ
        )
        about = json.loads(done.stdout) if done.exit_code == 0 else {}
    except (OrchestraError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _flags(
    service: str, asked: Provided, about: Mapping[str, Any], *, is_described: bool
) -> list[str]:
    """The options that the command takes. Raises ConfigError for a required one that is missing."""
    parameters = {str(each.get("name")): each for each in about.get("parameters") or ()}
    given = dict(asked.options)
    for name, parameter in parameters.items():
        if parameter.get("required") and name not in given:
            raise ConfigError(
                f'service "{service}": provider {asked.type} requires the option {name}',
                fix=f"add {name}: under provider.options",
            ).at("services", service, "provider")
    return [
        f"--{name}={value}"
        for name, values in asked.options
        for value in values
        if not is_described or name in parameters
    ]


def _tell_overridden(service: Service, known: Mapping[str, Provided], report: Report) -> None:
    """Say which variables of *service* are not what its file says, as Docker Compose does."""
    env = dict(service.environment)
    for edge in service.depends_on:
        provided = known.get(edge.service, Provided(type=""))
        for name, value in provided.raw:
            if env.get(name, value) != value:
                text = f"{edge.service} overrides {name} in the environment of {service.name}"
                report(Progress("", Phase.WARNING, text))
