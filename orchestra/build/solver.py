"""Builds an image: the stages that its target needs, each when what it needs is there.

Decisions are elsewhere: the stages in `graph`, keys in `cachekey`, settings in `settings`, the
steps of a stage in `stage`. Stages that need nothing of each other are built at the same time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.crew import Hearing, Piece, carry_out
from orchestra.build.events import STEPS_OF_A_STAGE, StepEvent, StepPhase
from orchestra.build.export import Result, moment, register
from orchestra.build.graph import Options, plan_stages
from orchestra.build.records import Findings
from orchestra.build.settings import with_labels
from orchestra.build.stage import BuiltStage, StageBuild
from orchestra.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.build.bases import State
    from orchestra.build.events import Watch
    from orchestra.build.graph import BuildGraph, PlannedStage
    from orchestra.build.origins import Toolbox
    from orchestra.build.request import BuildRequest
    from orchestra.build.seen import Seen

STAGES_AT_ONCE = 4


class _Finished(NamedTuple):
    """A stage, and what the process that has built it leaves to the build's own."""

    built: BuiltStage
    records: Findings = Findings()
    seen: Seen | None = None
    has_network: bool = False


class Solver:
    """One build. *toolbox* has the machine's side, *watch* hears what happens.

    *another* makes a toolbox for a process that was forked from this one.
    """

    def __init__(
        self,
        request: BuildRequest,
        toolbox: Toolbox,
        another: Callable[[Watch], Toolbox],
        watch: Watch,
    ) -> None:
        self._request = request
        self._toolbox = toolbox
        self._another = another
        self._watch = watch
        self._built: dict[int, BuiltStage] = {}

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
            text = f"no ARG declares the build argument {name}"
            self._watch(StepEvent(0, "", StepPhase.WARNING, text))
        carry_out(
            {stage.stage.number: self._piece(graph, stage) for stage in graph.stages},
            Hearing(lambda _, event: self._watch(event), self._finished),
            at_once=STAGES_AT_ONCE,
        )
        return self._export(self._built[graph.target].state)

    def _piece(self, graph: BuildGraph, planned: PlannedStage) -> Piece[int, StepEvent, _Finished]:
        def work(tell: Watch, apart: bool) -> _Finished:  # noqa: FBT001 (as Piece has it)
            toolbox = self._another(tell) if apart else self._toolbox
            stage = StageBuild(graph, self._built, self._request, toolbox, tell).build(planned)
            if not apart:
                return _Finished(stage)
            findings = toolbox.records.findings()
            return _Finished(stage, findings, toolbox.seen, toolbox.runner.has_network)

        return Piece(planned.needs, work)

    def _finished(self, number: int, stage: _Finished) -> None:
        self._built[number] = stage.built
        self._toolbox.records.adopt(stage.records)
        if stage.seen is not None:
            self._toolbox.seen.adopt(stage.seen)
        self._toolbox.runner.has_network |= stage.has_network

    # -- the result -----------------------------------------------------------------------------
    def _export(self, state: State) -> str:
        """The same steps from the cache give the same image: its time is that of the last step."""
        request = self._request
        created = moment(state.created_ns, request.epoch_s)
        history = tuple(
            entry if entry.created else msgspec.structs.replace(entry, created=created)
            for entry in state.history
        )
        settings = with_labels(state.settings, request.labels)
        result = Result(state.files.layers, settings, history, state.author, created)
        self._toolbox.records.flush(self._toolbox.store.unpacked.sync)
        chain = tuple(layer.diff_id for layer in result.layers)
        inline = self._toolbox.exchange.inline(self._toolbox.records, chain)
        image = register(self._toolbox.store, result, request.platform, request.names, inline)
        step = STEPS_OF_A_STAGE * len(request.dockerfile.stages)
        names = " ".join(name.familiar for name in request.names)
        title = f"exporting {names or image}"
        self._watch(StepEvent(step, title, StepPhase.STARTED))
        self._watch(StepEvent(step, title, StepPhase.DONE, image))
        return image


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
