"""Rules about FROM: names of stages, platforms, arguments in image names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.graph import SCRATCH
from orchestra.build.lint.base import Remark, Subject
from orchestra.build.scope import Scope, Words, platform_args
from orchestra.build.words import variables
from orchestra.config.wording import near_miss
from orchestra.errors import BuildError, ConfigError
from orchestra.image.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESERVED = (SCRATCH, "context", "host")


def duplicates(subject: Subject) -> Iterator[Remark]:
    seen: set[str] = set()
    for stage in subject.dockerfile.stages:
        name = stage.start.name
        if name and name in seen:
            yield Remark(stage.start.place, f'another stage is called "{name}" already')
        seen.add(name)


def reserved(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        if stage.start.name in _RESERVED:
            yield Remark(
                stage.start.place, f'"{stage.start.name}" means something else in FROM or --from'
            )


def undefined_args(subject: Subject) -> Iterator[Remark]:
    known = {each.name for arg in subject.dockerfile.global_args for each in arg.declared}
    known |= set(platform_args(subject.platform, ""))
    for stage in subject.dockerfile.stages:
        for word in stage.start.expandable():
            for name in sorted(_variables(word, subject) - known):
                meant = near_miss(name, sorted(known))
                hint = f"; did you mean {meant}?" if meant else ""
                yield Remark(stage.start.place, f'no ARG before FROM declares "{name}"{hint}')


def _variables(word: str, subject: Subject) -> frozenset[str]:
    try:
        return variables(word, subject.dockerfile.escape)
    except ValueError:
        return frozenset()


def invalid_defaults(subject: Subject) -> Iterator[Remark]:
    dockerfile = subject.dockerfile
    scope = Scope({}, {}, dockerfile.escape)
    scope.predefine(platform_args(subject.platform, ""))
    try:
        for arg in dockerfile.global_args:
            scope.declare(arg)
    except BuildError:
        return  # ${NAME:?…} wants a build argument
    declared = {each.name for arg in dockerfile.global_args for each in arg.declared}
    words = Words(scope.variables, dockerfile.escape)
    for stage in dockerfile.stages:
        used = _variables(stage.start.base, subject)
        if used and used <= declared and not _is_image(words, stage.start.base):
            yield Remark(
                stage.start.place,
                f"without build arguments {stage.start.base} names no image; give ARG a default",
            )


def _is_image(words: Words, base: str) -> bool:
    try:
        name = words(base)
        if name != SCRATCH:
            parse_reference(name)
    except (ValueError, ConfigError):
        return False
    return True


def redundant_platforms(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        if stage.start.platform in {"$TARGETPLATFORM", "${TARGETPLATFORM}"}:
            yield Remark(
                stage.start.place, f"--platform={stage.start.platform} is what holds without it"
            )


def constant_platforms(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        platform = stage.start.platform
        if platform and "$" not in platform:
            yield Remark(
                stage.start.place,
                f"--platform={platform} builds for one platform only, whatever is asked for",
            )
