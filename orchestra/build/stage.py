"""One stage of a Dockerfile: step by step, each from the cache when its key is known.

How each kind of step is done is in `steps`; here is what they have in common.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.bases import State, base_state, without_triggers
from orchestra.build.dockerfile import parse_dockerfile
from orchestra.build.events import STEPS_OF_A_STAGE, StepEvent, StepPhase
from orchestra.build.export import moment
from orchestra.build.graph import SCRATCH
from orchestra.build.instructions.cmd import Cmd
from orchestra.build.instructions.copy import Copy
from orchestra.build.instructions.entrypoint import Entrypoint
from orchestra.build.instructions.maintainer import Maintainer
from orchestra.build.instructions.paths import Paths
from orchestra.build.scope import Scope
from orchestra.build.settings import apply, environment
from orchestra.build.source import error_at
from orchestra.build.steps import STEPS, StepContext
from orchestra.errors import BuildError, ConfigError, NotFound
from orchestra.image.config import HistoryEntry
from orchestra.image.platform import parse_platform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.build.events import Watch
    from orchestra.build.graph import BuildGraph, PlannedStage
    from orchestra.build.instructions.base import Command
    from orchestra.build.origins import Toolbox
    from orchestra.build.request import BuildRequest
    from orchestra.build.source import Place


class BuiltStage(NamedTuple):
    """What a stage gives those that build on it."""

    state: State
    scope: Scope


class StageBuild:
    """Builds one stage of *graph*; *built* are the stages it needs."""

    def __init__(
        self,
        graph: BuildGraph,
        built: Mapping[int, BuiltStage],
        request: BuildRequest,
        toolbox: Toolbox,
        watch: Watch,
    ) -> None:
        self._graph = graph
        self._states = {number: stage.state for number, stage in built.items()}
        self._scopes = {number: stage.scope for number, stage in built.items()}
        self._request = request
        self._toolbox = toolbox
        self._watch = watch
        self._step = 0

    def build(self, planned: PlannedStage) -> BuiltStage:
        """Raises BuildError."""
        self._step = planned.stage.number * STEPS_OF_A_STAGE
        copied = self._copied_base(planned)
        state = self._base(planned)
        scope = self._scope(planned, state)
        state, triggers = without_triggers(state)
        commands = (*copied, *self._parsed(triggers, planned), *planned.stage.commands)
        if copied:
            name = planned.base.context
            planned = planned._replace(sources={**planned.sources, name: planned.base})
        total = 1 + sum(type(command) in STEPS for command in commands)
        number = 1
        self._announce_base(planned, total)
        for written in commands:
            command, _ = scope.apply(written)
            number += type(command) in STEPS
            title = self._title(planned, f"{number}/{total}", command.text)
            state = self._apply(state, scope, command, planned, title)
        return BuiltStage(state, scope)

    def _base(self, planned: PlannedStage) -> State:
        base, place = planned.base, planned.stage.start.place
        if planned.platform and not self._is_own(planned.platform, place):
            raise error_at(
                place,
                f"FROM: {planned.platform} is not this machine's {self._request.platform}",
                "images of other platforms cannot be built here",
            )
        if base.stage is not None:
            return self._states[base.stage]._replace(has_cmd=False)
        if base.context and self._toolbox.is_directory(base.context):
            return base_state(self._toolbox.store, SCRATCH)
        reference = base.image or self._toolbox.image_context(base.context, place)
        try:
            return self._toolbox.image(reference)
        except NotFound as exc:
            raise error_at(place, f"FROM: {exc.what}", exc.fix) from exc

    def _copied_base(self, planned: PlannedStage) -> tuple[Command, ...]:
        """FROM a context that is a directory: its files upon nothing, as BuildKit has it."""
        name, start = planned.base.context, planned.stage.start
        if not name or not self._toolbox.is_directory(name):
            return ()
        text, paths = f"COPY --from={name} . /", Paths((".",), (), "/")
        return (Copy(word="COPY", text=text, place=start.place, paths=paths, from_=name),)

    def _is_own(self, text: str, place: Place) -> bool:
        own = self._request.platform
        try:
            wanted = parse_platform(text)
        except ConfigError as exc:
            raise error_at(place, f"FROM: --platform: {exc.what}", exc.fix) from exc
        return (wanted.os, wanted.architecture) == (own.os, own.architecture)

    def _scope(self, planned: PlannedStage, state: State) -> Scope:
        env = environment(state.settings)
        if planned.base.stage is not None:
            return self._scopes[planned.base.stage].for_next_stage(env)
        graph = self._graph
        return Scope(graph.given, graph.global_args, self._request.dockerfile.escape, env)

    def _parsed(self, triggers: tuple[str, ...], planned: PlannedStage) -> tuple[Command, ...]:
        if not triggers:
            return ()
        text = "FROM scratch\n" + "\n".join(triggers)
        try:
            (stage,) = parse_dockerfile(text.encode(), "ONBUILD").stages
        except (BuildError, ValueError) as exc:
            place = planned.stage.start.place
            raise error_at(
                place, f"the base image's ONBUILD instructions are wrong: {exc}"
            ) from exc
        return stage.commands

    def _announce_base(self, planned: PlannedStage, total: int) -> None:
        self._step += 1
        title = self._title(planned, f"1/{total}", planned.stage.start.text)
        self._watch(StepEvent(self._step, title, StepPhase.STARTED))
        self._watch(StepEvent(self._step, title, StepPhase.DONE))

    def _title(self, planned: PlannedStage, count: str, text: str) -> str:
        """As BuildKit's: "[build 2/4] RUN make", "[stage-1 2/4] …", "[2/4] …" in a single stage."""
        name = planned.stage.start.name
        if not name and len(self._request.dockerfile.stages) > 1:
            name = f"stage-{planned.stage.number}"
        return f"[{name} {count}] {_one_line(text)}" if name else f"[{count}] {_one_line(text)}"

    # -- one instruction ------------------------------------------------------------------------
    def _apply(
        self, state: State, scope: Scope, command: Command, planned: PlannedStage, title: str
    ) -> State:
        if type(command) in STEPS:
            state = self._layer_step(state, scope, command, planned, title)
        else:
            entry = HistoryEntry(created_by=command.text, empty_layer=True)
            state = state._replace(history=(*state.history, entry))
        if isinstance(command, Maintainer):
            return state._replace(author=command.author)
        settings = apply(state.settings, command)
        if isinstance(command, Entrypoint) and not state.has_cmd:
            settings = msgspec.structs.replace(settings, cmd=None)
        has_cmd = state.has_cmd or isinstance(command, Cmd)
        return state._replace(settings=settings, has_cmd=has_cmd)

    def _layer_step(
        self, state: State, scope: Scope, command: Command, planned: PlannedStage, title: str
    ) -> State:
        self._step += 1
        step, begun = self._step, time.monotonic()

        def report(phase: StepPhase, text: str = "") -> None:
            self._watch(StepEvent(step, title, phase, text, time.monotonic() - begun))

        context = StepContext(
            state=state,
            variables=scope.run_variables(),
            passing=scope.passing(),
            sources=planned.sources,
            states=self._states,
            is_cached=not self._request.no_cache & {"*", planned.stage.title},
            report=report,
        )
        report(StepPhase.STARTED)
        try:
            done = STEPS[type(command)](self._toolbox, self._request, context, command)
        except BuildError:
            report(StepPhase.FAILED)
            raise
        except KeyboardInterrupt:
            report(StepPhase.CANCELLED)
            raise
        report(StepPhase.CACHED if done.was_cached else StepPhase.DONE)
        entry = HistoryEntry(
            created=moment(done.created_ns, self._request.epoch_s),
            created_by=f"{done.created_by} # orchestra",
            empty_layer=done.layer is None,
        )
        return state._replace(
            files=state.files.with_layer(done.layer),
            history=(*state.history, entry),
            created_ns=max(state.created_ns, done.created_ns),
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
