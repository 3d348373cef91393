"""What instructions do to the settings of the image. Pure; their variables are replaced already."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import msgspec

from orchestra.build.instructions.cmd import Cmd
from orchestra.build.instructions.entrypoint import Entrypoint
from orchestra.build.instructions.env import Env
from orchestra.build.instructions.expose import Expose
from orchestra.build.instructions.healthcheck import HealthCheck
from orchestra.build.instructions.label import Label
from orchestra.build.instructions.onbuild import OnBuild
from orchestra.build.instructions.shell import Shell
from orchestra.build.instructions.stopsignal import StopSignal, is_signal
from orchestra.build.instructions.user import User
from orchestra.build.instructions.volume import Volume
from orchestra.build.instructions.workdir import Workdir
from orchestra.build.source import error_at
from orchestra.config.wording import quote
from orchestra.image.config import HealthSettings, RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.build.instructions.arguments import CommandLine
    from orchestra.build.instructions.base import Command

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)


def environment(settings: RunSettings) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in settings.env or ())


def in_shell(settings: RunSettings, line: CommandLine) -> tuple[str, ...]:
    """The argument vector of *line*; the shell's when it is in shell form."""
    if not line.in_shell:
        return line.argv
    return (*(settings.shell or DEFAULT_SHELL), *line.argv)


def absolute(settings: RunSettings, path: str) -> str:
    """*path* from the working directory; a slash at its end stays."""
    joined = posixpath.normpath(posixpath.join("/", settings.working_dir, path or "."))
    wants_directory = path.endswith(("/", "/.")) or path in {".", ""}
    return joined.rstrip("/") + "/" if wants_directory else joined


def with_labels(settings: RunSettings, labels: Iterable[tuple[str, str]]) -> RunSettings:
    merged = {**(settings.labels or {}), **dict(labels)}
    return msgspec.structs.replace(settings, labels=merged or None)


def apply(settings: RunSettings, command: Command) -> RunSettings:
    """*settings* after *command*; the same for one that changes none. Raises BuildError."""
    change = _CHANGES.get(type(command))
    return settings if change is None else change(settings, command)


def _env(settings: RunSettings, command: Env) -> RunSettings:
    merged = {**environment(settings), **dict(command.pairs)}
    return msgspec.structs.replace(settings, env=tuple(f"{k}={v}" for k, v in merged.items()))


def _label(settings: RunSettings, command: Label) -> RunSettings:
    return with_labels(settings, command.pairs)


def _expose(settings: RunSettings, command: Expose) -> RunSettings:
    ports = dict(settings.exposed_ports or {})
    for text in command.ports:
        match = _PORT.fullmatch(text.rpartition(":")[2])
        if match is None:
            raise error_at(
                command.place, f'EXPOSE: "{text}" is no port', "for example 80 or 53/udp"
            )
        first, last, protocol = match.groups()
        for number in range(int(first), int(last or first) + 1):
            if not 0 < number < 1 << 16:
                raise error_at(command.place, f'EXPOSE: "{text}" is not from 1 to 65535')
            ports[f"{number}/{(protocol or 'tcp').lower()}"] = {}
    return msgspec.structs.replace(settings, exposed_ports=ports)


def _volume(settings: RunSettings, command: Volume) -> RunSettings:
    volumes = {**(settings.volumes or {}), **{path: {} for path in command.paths}}
    return msgspec.structs.replace(settings, volumes=volumes)


def _workdir(settings: RunSettings, command: Workdir) -> RunSettings:
    path = absolute(settings, command.path)
    return msgspec.structs.replace(settings, working_dir=path.rstrip("/") or "/")


def _user(settings: RunSettings, command: User) -> RunSettings:
    return msgspec.structs.replace(settings, user=command.user)


def _stop_signal(settings: RunSettings, command: StopSignal) -> RunSettings:
    """Raises BuildError for what is no signal: a container that has it could not be stopped."""
    if not is_signal(command.signal):
        what = f"STOPSIGNAL: {quote(command.signal)} is no signal"
        raise error_at(command.place, what, "for example SIGTERM, QUIT or 15")
    return msgspec.structs.replace(settings, stop_signal=command.signal)


def _shell(settings: RunSettings, command: Shell) -> RunSettings:
    return msgspec.structs.replace(settings, shell=command.argv)


def _cmd(settings: RunSettings, command: Cmd) -> RunSettings:
    return msgspec.structs.replace(settings, cmd=in_shell(settings, command.command) or None)


def _entrypoint(settings: RunSettings, command: Entrypoint) -> RunSettings:
    argv = in_shell(settings, command.command) or None
    return msgspec.structs.replace(settings, entrypoint=argv)


def _healthcheck(settings: RunSettings, command: HealthCheck) -> RunSettings:
    check = HealthSettings(
        test=command.test,
        interval=command.interval_ns,
        timeout=command.timeout_ns,
        start_period=command.start_period_ns,
        start_interval=command.start_interval_ns,
        retries=command.retries,
    )
    return msgspec.structs.replace(settings, healthcheck=check)


def _on_build(settings: RunSettings, command: OnBuild) -> RunSettings:
    triggers = (*(settings.on_build or ()), command.trigger)
    return msgspec.structs.replace(settings, on_build=triggers)


_CHANGES: dict[type[Command], Callable[..., RunSettings]] = {
    Cmd: _cmd,
    Entrypoint: _entrypoint,
    Env: _env,
    Expose: _expose,
    HealthCheck: _healthcheck,
    Label: _label,
    OnBuild: _on_build,
    Shell: _shell,
    StopSignal: _stop_signal,
    User: _user,
    Volume: _volume,
    Workdir: _workdir,
}
