"""Builds an image: stage by stage, step by step, each step from the cache when its key is known.

Decisions are elsewhere: the stages in `graph`, keys in `cachekey`, settings in `settings`. How each
kind of step is done is in `steps`; here is what they have in common.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from orchestra.build.bases import State, base_state, without_triggers
from orchestra.build.dockerfile import parse_dockerfile
from orchestra.build.events import StepEvent, StepPhase
from orchestra.build.export import Result, register
from orchestra.build.graph import Options, plan_stages
from orchestra.build.instructions.cmd import Cmd
from orchestra.build.instructions.entrypoint import Entrypoint
from orchestra.build.instructions.maintainer import Maintainer
from orchestra.build.scope import Scope
from orchestra.build.settings import apply, environment, with_labels
from orchestra.build.source import error_at
from orchestra.build.steps import STEPS, StepContext
from orchestra.errors import BuildError, ConfigError, NotFound
from orchestra.image.config import HistoryEntry
from orchestra.image.making import rfc3339
from orchestra.image.platform import parse_platform

if TYPE_CHECKING:
    from orchestra.build.events import Watch
    from orchestra.build.graph import BuildGraph, PlannedStage
    from orchestra.build.instructions.base import Command
    from orchestra.build.origins import Toolbox
    from orchestra.build.request import BuildRequest
    from orchestra.build.source import Place

_SECONDS_NS = 1_000_000_000


class Solver:
    """One build. *toolbox* has the machine's side, *watch* hears what happens."""

    def __init__(self, request: BuildRequest, toolbox: Toolbox, watch: Watch) -> None:
        self._request = request
        self._toolbox = toolbox
        self._watch = watch
        self._states: dict[int, State] = {}
        self._scopes: dict[int, Scope] = {}
        self._step = 0

    def build(self) -> str:
        """The image's id. Raises BuildError; then there is no image."""
        request = self._request
        graph = plan_stages(
            request.dockerfile,
            Options(
                request.args,
                str(request.platform),
                request.target,
                tuple(name for name, _ in request.contexts),
            ),
        )
        for name in graph.unused:
            self._warn(f"no ARG declares the build argument {name}")
        for planned in graph.stages:
            self._build_stage(graph, planned)
        return self._export(self._states[graph.target])

    def _warn(self, text: str) -> None:
        self._watch(StepEvent(self._step, "", StepPhase.WARNING, text))

    # -- one stage ------------------------------------------------------------------------------
    def _build_stage(self, graph: BuildGraph, planned: PlannedStage) -> None:
        state = self._base(planned)
        scope = self._scope(graph, planned, state)
        state, triggers = without_triggers(state)
        commands = (*self._parsed(triggers, planned), *planned.stage.commands)
        total = 1 + sum(type(command) in STEPS for command in commands)
        number = 1
        self._announce_base(planned, total)
        for written in commands:
            command, _ = scope.apply(written)
            number += type(command) in STEPS
            title = self._title(planned, f"{number}/{total}", command.text)
            state = self._apply(state, scope, command, planned, title)
        self._states[planned.stage.number] = state
        self._scopes[planned.stage.number] = scope

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
        reference = base.image or self._toolbox.image_context(base.context, place)
        try:
            return base_state(self._toolbox.store, reference)
        except NotFound as exc:
            raise error_at(place, f"FROM: {exc.what}", exc.fix) from exc

    def _is_own(self, text: str, place: Place) -> bool:
        own = self._request.platform
        try:
            wanted = parse_platform(text)
        except ConfigError as exc:
            raise error_at(place, f"FROM: --platform: {exc.what}", exc.fix) from exc
        return (wanted.os, wanted.architecture) == (own.os, own.architecture)

    def _scope(self, graph: BuildGraph, planned: PlannedStage, state: State) -> Scope:
        env = environment(state.settings)
        if planned.base.stage is not None:
            return self._scopes[planned.base.stage].for_next_stage(env)
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
        report(StepPhase.CACHED if done.was_cached else StepPhase.DONE)
        entry = HistoryEntry(
            created=self._moment(done.created_ns),
            created_by=f"{done.created_by} # orchestra",
            empty_layer=done.layer is None,
        )
        return state._replace(
            files=state.files.with_layer(done.layer),
            history=(*state.history, entry),
            created_ns=max(state.created_ns, done.created_ns),
        )

    # -- the result -----------------------------------------------------------------------------
    def _moment(self, created_ns: int) -> str:
        epoch = self._request.epoch_s
        return rfc3339(created_ns if epoch is None else epoch * _SECONDS_NS)

    def _export(self, state: State) -> str:
        """The same steps from the cache give the same image: its time is that of the last step."""
        request = self._request
        epoch = request.epoch_s
        created_ns = state.created_ns if epoch is None else epoch * _SECONDS_NS
        created = rfc3339(created_ns)
        history = tuple(
            entry if entry.created else msgspec.structs.replace(entry, created=created)
            for entry in state.history
        )
        settings = with_labels(state.settings, request.labels)
        result = Result(state.files.layers, settings, history, state.author, created_ns)
        self._toolbox.records.flush(self._toolbox.store.unpacked.sync)
        chain = tuple(layer.diff_id for layer in result.layers)
        inline = self._toolbox.exchange.inline(self._toolbox.records, chain)
        image = register(self._toolbox.store, result, request.platform, request.names, inline)
        self._step += 1
        names = " ".join(name.familiar for name in request.names)
        title = f"exporting {names or image}"
        self._watch(StepEvent(self._step, title, StepPhase.STARTED))
        self._watch(StepEvent(self._step, title, StepPhase.DONE, image))
        return image


def _one_line(text: str) -> str:
    return " ".join(text.split())


def source_date_epoch(args: dict[str, str]) -> int | None:
    """SOURCE_DATE_EPOCH of the build arguments or of our environment. Raises BuildError."""
    text = args.get("SOURCE_DATE_EPOCH") or os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise BuildError(
            f'SOURCE_DATE_EPOCH is "{text}"', fix="it is a number of seconds since 1970"
        )
    return int(text)
