"""Which stages there are for whom: base images, `--from`, the target, and what it needs.

Pure: nothing is read. The result lists the stages in an order in which each can be built.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.instructions.arg import Arg
from orchestra.build.instructions.copy import Copy
from orchestra.build.instructions.run import Run
from orchestra.build.scope import OTHER_ARGS, PROXY_ARGS, Scope, Words, platform_args
from orchestra.build.source import Problems, error_at
from orchestra.config.wording import near_miss, quote
from orchestra.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.build.dockerfile import Dockerfile, Stage
    from orchestra.build.source import Place

SCRATCH = "scratch"


class Options(NamedTuple):
    """*platform* is this machine's; *contexts* names what stands in for images and stages."""

    args: Mapping[str, str]
    platform: str
    target: str = ""
    contexts: tuple[str, ...] = ()


class Origin(NamedTuple):
    """Where files come from: exactly one of a stage's number, a named context or an image."""

    stage: int | None = None
    context: str = ""
    image: str = ""


class PlannedStage(NamedTuple):
    """*sources* maps every `--from` of its commands to where it leads."""

    stage: Stage
    base: Origin
    platform: str
    sources: Mapping[str, Origin]

    @property
    def needs(self) -> tuple[int, ...]:
        """The numbers of the stages it builds on."""
        origins = (self.base, *self.sources.values())
        return tuple(dict.fromkeys(o.stage for o in origins if o.stage is not None))


class BuildGraph(NamedTuple):
    """*stages* are those that *target* needs, each after what it needs; *target* is the last.

    *unused* are given build arguments that no ARG declares.
    """

    stages: tuple[PlannedStage, ...]
    target: int
    global_args: Mapping[str, str]
    given: Mapping[str, str]
    unused: tuple[str, ...]
    skipped: tuple[str, ...]


def plan_stages(dockerfile: Dockerfile, options: Options) -> BuildGraph:
    """Raises BuildError, or BuildErrors with all that does not fit together."""
    predefined = platform_args(options.platform, options.target)
    scope = Scope(options.args, predefined, dockerfile.escape)
    scope.predefine(predefined)
    for arg in dockerfile.global_args:
        scope.declare(arg)
    target = _find_target(dockerfile, options)
    problems = Problems()
    planned = []
    for stage in dockerfile.stages:
        try:
            planned.append(_plan(dockerfile, stage, scope, options))
        except BuildError as exc:
            problems.add(exc)
    problems.raise_any()
    order = _order(planned, target)
    return BuildGraph(
        stages=tuple(planned[number] for number in order),
        target=target,
        global_args=scope.variables(),
        given=options.args,
        unused=_unused(dockerfile, options),
        skipped=tuple(s.title for s in dockerfile.stages if s.number not in order),
    )


def _find_target(dockerfile: Dockerfile, options: Options) -> int:
    wanted, stages = options.target, dockerfile.stages
    if not wanted:
        return len(stages) - 1
    for stage in reversed(stages):
        if stage.start.name == wanted.lower():
            return stage.number
    if wanted.isascii() and wanted.isdecimal() and int(wanted) < len(stages):
        return int(wanted)
    names = [stage.start.name for stage in stages if stage.start.name]
    meant = near_miss(wanted, names)
    known = f"the stages are {', '.join(names)}" if names else "no stage has a name"
    raise error_at(
        stages[-1].start.place,
        f"there is no stage {quote(wanted)} to build",
        f"did you mean {quote(meant)}?" if meant else known,
    )


def _plan(dockerfile: Dockerfile, stage: Stage, scope: Scope, options: Options) -> PlannedStage:
    start = stage.start
    if start.name in options.contexts:  # it stands for the whole stage, as BuildKit has it
        return PlannedStage(stage._replace(commands=()), Origin(context=start.name), "", {})
    words = Words(scope.variables, dockerfile.escape)
    try:
        base, platform = words(start.base), words(start.platform)
    except ValueError as exc:
        raise error_at(start.place, f"FROM: {exc}") from exc
    if not base:
        hint = ", ".join(sorted(words.missing))
        raise error_at(
            start.place,
            f"FROM: {quote(start.base)} is empty",
            f"declare it before FROM: ARG {hint}=…" if hint else "",
        )
    before = dockerfile.stages[: stage.number]
    sources = {}
    for name, place in copied_from(stage):
        sources[name] = _source(name, place, stage, dockerfile, options)
    return PlannedStage(stage, _base(base, before, options), platform, sources)


def _base(name: str, before: tuple[Stage, ...], options: Options) -> Origin:
    """FROM sees earlier stages only; any other name is a context's or an image's."""
    for stage in reversed(before):
        if stage.start.name == name.lower():
            return Origin(stage=stage.number)
    return _elsewhere(name, options)


def _elsewhere(name: str, options: Options) -> Origin:
    """A named context or an image; `:latest` is no part of a context's name."""
    for known in (name, name.removesuffix(":latest")):
        if known in options.contexts:
            return Origin(context=known)
    return Origin(image=name)


def copied_from(stage: Stage) -> Iterator[tuple[str, Place]]:
    """What the commands of *stage* copy and mount from, with their places."""
    for command in stage.commands:
        if isinstance(command, Copy) and command.from_:
            yield command.from_, command.place
        elif isinstance(command, Run):
            for mount in command.mounts:
                if mount.from_:
                    yield mount.from_, command.place


def _source(
    name: str, place: Place, stage: Stage, dockerfile: Dockerfile, options: Options
) -> Origin:
    stages = dockerfile.stages
    found = [each for each in stages if each.start.name == name.lower()]
    earlier = [each for each in found if each.number < stage.number]
    if found:
        number = (earlier or found)[-1].number
    elif name.isascii() and name.isdecimal():
        number = int(name)
        if number >= len(stages):
            raise error_at(
                place,
                f"--from={name}: there is no stage {name}",
                f"the last of the {len(stages)} stages is {len(stages) - 1}",
            )
    else:
        return _elsewhere(name, options)
    if number == stage.number:
        raise error_at(place, f"--from={name}: a stage cannot copy from itself")
    return Origin(stage=number)


def _order(planned: list[PlannedStage], target: int) -> list[int]:
    needed: dict[int, tuple[int, ...]] = {}
    waiting = [target]
    while waiting:
        number = waiting.pop()
        if number not in needed:
            needed[number] = planned[number].needs
            waiting.extend(needed[number])
    try:
        return list(TopologicalSorter({n: needed[n] for n in sorted(needed)}).static_order())
    except CycleError as exc:
        numbers: list[int] = exc.args[1]
        trail = " → ".join(planned[n].stage.title for n in reversed(numbers))
        raise error_at(
            planned[numbers[0]].stage.start.place,
            f"stages need each other: {trail}",
            "let one of them get what it needs from somewhere else",
        ) from exc


def _unused(dockerfile: Dockerfile, options: Options) -> tuple[str, ...]:
    in_stages = (command for stage in dockerfile.stages for command in stage.commands)
    declared = {
        each.name
        for command in (*dockerfile.global_args, *in_stages)
        if isinstance(command, Arg)
        for each in command.declared
    }
    return tuple(name for name in options.args if name not in declared | PROXY_ARGS | OTHER_ARGS)
