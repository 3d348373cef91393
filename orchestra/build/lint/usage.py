"""Rules about instructions that do something else than most people expect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.build.instructions.add import Add
from orchestra.build.instructions.arg import Arg
from orchestra.build.instructions.cmd import Cmd
from orchestra.build.instructions.copy import Copy
from orchestra.build.instructions.entrypoint import Entrypoint
from orchestra.build.instructions.env import Env
from orchestra.build.instructions.expose import Expose
from orchestra.build.instructions.healthcheck import HealthCheck
from orchestra.build.instructions.label import Label
from orchestra.build.instructions.maintainer import Maintainer
from orchestra.build.instructions.shell import Shell
from orchestra.build.instructions.workdir import Workdir
from orchestra.build.lint.base import Remark, Subject
from orchestra.build.lint.casing import all_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.build.dockerfile import Stage
    from orchestra.build.instructions.base import Command

_SECRET_WORDS = re.compile(
    r"(?i)(?:_|^)(?:api_?key|auth|credentials?|key|password|passwd|pword|secret|token)(?:_|$)"
)
_PUBLIC = re.compile(r"(?i)(?:_|^)public(?:_|$)")
_GLOB = re.compile(r"[*?\[$]")


def stage_trail(subject: Subject, stage: Stage) -> Iterator[Stage]:
    """*stage* and the stages it begins with, nearest first."""
    yield stage
    base = stage.start.base.lower()
    for earlier in reversed(subject.dockerfile.stages[: stage.number]):
        if earlier.start.name == base:
            yield from stage_trail(subject, earlier)
            return


def shell_form(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        trail = [command for each in stage_trail(subject, stage) for command in each.commands]
        if any(isinstance(command, Shell) for command in trail):
            continue
        for command in stage.commands:
            if isinstance(command, Cmd | Entrypoint) and command.command.in_shell:
                yield Remark(
                    command.place,
                    f"a shell stands between {command.keyword} and signals; use the JSON form",
                )


def maintainer(subject: Subject) -> Iterator[Remark]:
    for command in all_commands(subject):
        if isinstance(command, Maintainer):
            yield Remark(
                command.place,
                "MAINTAINER is deprecated; use LABEL org.opencontainers.image.authors=…",
            )


def relative_workdir(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        inherited = [
            command
            for each in list(stage_trail(subject, stage))[1:]
            for command in each.commands
            if isinstance(command, Workdir)
        ]
        is_known = any(command.path.startswith("/") for command in inherited)
        for command in stage.commands:
            if not isinstance(command, Workdir):
                continue
            if command.path.startswith(("/", "$")):
                is_known = True
            elif not is_known:
                yield Remark(
                    command.place,
                    f'where "{command.path}" is depends on the base image; give an absolute path',
                )


def repeated(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        for kind in (Cmd, Entrypoint, HealthCheck):
            found = [command for command in stage.commands if isinstance(command, kind)]
            for command in found[:-1]:
                yield Remark(command.place, f"only the last {command.keyword} of a stage counts")


def legacy_pairs(subject: Subject) -> Iterator[Remark]:
    for command in all_commands(subject):
        if isinstance(command, Env | Label) and command.legacy:
            name = command.pairs[0].name
            yield Remark(command.place, f"write {command.keyword} {name}=VALUE, with =")


def secrets(subject: Subject) -> Iterator[Remark]:
    for command in all_commands(subject):
        for name in _named(command):
            if _SECRET_WORDS.search(name) and not _PUBLIC.search(name):
                yield Remark(
                    command.place,
                    f'{command.keyword} "{name}" stays in the image; use RUN --mount=type=secret',
                )


def _named(command: Command) -> tuple[str, ...]:
    if isinstance(command, Arg):
        return tuple(each.name for each in command.declared)
    return tuple(pair.name for pair in command.pairs) if isinstance(command, Env) else ()


def expose_format(subject: Subject) -> Iterator[Remark]:
    for command in all_commands(subject):
        if isinstance(command, Expose):
            for port in command.ports:
                if ":" in port:
                    yield Remark(
                        command.place,
                        f'"{port}" has an address or host port; publish it when you run the image',
                    )


def ignored_sources(subject: Subject) -> Iterator[Remark]:
    for command in all_commands(subject):
        if not isinstance(command, Copy | Add) or (isinstance(command, Copy) and command.from_):
            continue
        for source in command.paths.sources:
            path = source.strip("/").removeprefix("./")
            if _GLOB.search(source) or "://" in source or path in {"", "."}:
                continue
            pattern = subject.ignore.decider(path)
            if pattern is not None and not subject.ignore.may_show_below(path):
                yield Remark(
                    command.place,
                    f'"{source}" is hidden by "{pattern.text}" in '
                    f"{subject.ignore.file}:{pattern.line}",
                )
