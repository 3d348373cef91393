"""Rules about capital and small letters, and other looks of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.expose import Expose
from orchestra.build.lint.base import Remark, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.build.instructions.base import Command


def all_commands(subject: Subject) -> Iterator[Command]:
    yield from subject.dockerfile.global_args
    for stage in subject.dockerfile.stages:
        yield stage.start
        yield from stage.commands


def instructions(subject: Subject) -> Iterator[Remark]:
    commands = list(all_commands(subject))
    lower = sum(command.word.islower() for command in commands)
    upper = sum(command.word.isupper() for command in commands)
    wanted = str.lower if lower > upper else str.upper
    name = "lowercase" if lower > upper else "uppercase"
    for command in commands:
        if command.word != wanted(command.word):
            yield Remark(
                command.place, f"{command.word} should be in {name} as most instructions are"
            )


def stage_names(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        if stage.start.as_written != stage.start.name:
            message = f'the stage name "{stage.start.as_written}" should be in lowercase'
            yield Remark(stage.start.place, message)


def from_as(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        word, connective = stage.start.word, stage.start.connective
        if not connective or not (word.islower() or word.isupper()):
            continue
        if connective.isupper() != word.isupper() or connective.islower() != word.islower():
            yield Remark(stage.start.place, f"{word} and {connective} differ in their case")


def expose_protocols(subject: Subject) -> Iterator[Remark]:
    for command in all_commands(subject):
        if isinstance(command, Expose):
            for port in command.ports:
                protocol = port.partition("/")[2]
                if protocol.lower() in {"tcp", "udp", "sctp"} and protocol != protocol.lower():
                    yield Remark(command.place, f'the protocol of "{port}" should be in lowercase')


def empty_continuations(subject: Subject) -> Iterator[Remark]:
    for place in subject.dockerfile.empty_continuations:
        yield Remark(place, "an empty line inside an instruction")
