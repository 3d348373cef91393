"""Steps that change files: RUN, COPY, ADD, WORKDIR. Each finds its key and, if it must, works."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.address import is_repository, is_url
from orchestra.build.cachekey import step_key
from orchestra.build.events import StepPhase
from orchestra.build.export import is_empty, store_layer
from orchestra.build.filesystem import (
    NO_FILES,
    BuiltLayer,
    clamp_times,
    harvest,
    remove_mount_points,
)
from orchestra.build.instructions.add import Add
from orchestra.build.instructions.copy import Copy
from orchestra.build.instructions.run import Run
from orchestra.build.instructions.workdir import Workdir
from orchestra.build.records import Record
from orchestra.build.runmounts import SCRIPT, RunMounts
from orchestra.build.running import STANDARD_MOUNT_POINTS
from orchestra.build.running import Command as RunCommand
from orchestra.build.settings import DEFAULT_SHELL, absolute, environment, in_shell
from orchestra.build.source import error_at, step_failed
from orchestra.build.transfer import (
    NOTHING,
    Options,
    Transfer,
    find_content,
    hidden_matches,
    make_working_directory,
    plan_transfer,
    transfer_files,
)
from orchestra.errors import BuildError, OrchestraError
from orchestra.image.host import HOST_IMAGE
from orchestra.image.manifest import OCI_LAYER, Descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.build.bases import State
    from orchestra.build.filesystem import FileSystem
    from orchestra.build.graph import Origin
    from orchestra.build.instructions.base import Command
    from orchestra.build.origins import Toolbox
    from orchestra.build.remote import Remote
    from orchestra.build.request import BuildRequest
    from orchestra.build.transfer import Origin as FileOrigin
    from orchestra.image.config import RunSettings
    from orchestra.model.rootfs import Rootfs

_TAIL_BYTES = 4096


class StepContext(NamedTuple):
    """The step's place in the build; *states* are the finished stages.

    *passing* names variables that a RUN sees and that are in no key: proxies that no ARG declares.
    """

    state: State
    variables: Mapping[str, str]
    passing: frozenset[str]
    sources: Mapping[str, Origin]
    states: Mapping[int, State]
    is_cached: bool
    report: Callable[..., None]

    def key_variables(self, env: Mapping[str, str]) -> dict[str, str]:
        """What of the variables of a RUN counts."""
        counting = {k: v for k, v in self.variables.items() if k not in self.passing}
        return {**env, **counting}


class Done(NamedTuple):
    """*layer* is None when no file has changed."""

    layer: BuiltLayer | None
    created_ns: int
    created_by: str
    was_cached: bool


class _Work(NamedTuple):
    """*key* is "" for what must not be remembered; *write* changes the files of a rootfs.

    *below* is what the step works on: None for the stage's files, and none for COPY --link.
    """

    key: str
    created_by: str
    write: Callable[[Rootfs, str], None]
    below: FileSystem | None = None


def _carry_out(toolbox: Toolbox, request: BuildRequest, context: StepContext, work: _Work) -> Done:
    """From the cache, or by *work* in a fresh upper layer that then becomes a layer."""
    if request.epoch_s is not None:  # a layer with other times is another layer
        work = work._replace(key=step_key("clamped", work.key, [request.epoch_s]))
    if not context.is_cached:
        return _worked(toolbox, request, context, work)
    done = _remembered(toolbox, work)
    if done is not None:
        return done
    with toolbox.records.claimed(work.key):
        return _remembered(toolbox, work) or _worked(toolbox, request, context, work)


def _remembered(toolbox: Toolbox, work: _Work) -> Done | None:
    record = toolbox.records.find(work.key)
    if record is None:
        return None
    layer = _layer_of(record)
    if layer is not None and not _is_here(toolbox, layer):
        return None
    return Done(layer, record.created_ns, work.created_by, was_cached=True)


def _worked(toolbox: Toolbox, request: BuildRequest, context: StepContext, work: _Work) -> Done:
    directory = toolbox.work.directory("step")
    below = context.state.files if work.below is None else work.below
    rootfs = toolbox.mounter.rootfs(below, directory)
    work.write(rootfs, os.path.join(directory, "mnt"))
    changed = harvest(rootfs)
    layer = None
    if not is_empty(changed):
        if request.epoch_s is not None:
            clamp_times(changed, request.epoch_s)
        layer = store_layer(toolbox.store, changed)
    toolbox.discard(directory)
    record = Record(
        diff_id=layer.diff_id if layer else "",
        blob=layer.blob.digest if layer else "",
        base=below.base,
        size_bytes=layer.blob.size if layer else 0,
        created_ns=time.time_ns(),
        detail=work.created_by[:200],
    )
    toolbox.records.put(work.key, record)
    return Done(layer, record.created_ns, work.created_by, was_cached=False)


def _is_here(toolbox: Toolbox, layer: BuiltLayer) -> bool:
    """A record outlives what was pruned."""
    store = toolbox.store
    return store.unpacked.has(layer.diff_id) and store.blobs.has(layer.blob.digest)


def _layer_of(record: Record) -> BuiltLayer | None:
    if not record.diff_id:
        return None
    media_type = record.media_type or OCI_LAYER
    blob = Descriptor(media_type=media_type, digest=record.blob, size=record.size_bytes)
    return BuiltLayer(record.diff_id, blob)


# -- COPY and ADD -------------------------------------------------------------------------------
def _copy(toolbox: Toolbox, request: BuildRequest, context: StepContext, command: Copy) -> Done:
    options = Options(
        command.chown, command.chmod, command.exclude, command.parents, link=command.link
    )
    destination = absolute(context.state.settings, command.paths.destination)
    transfer = plan_transfer(command, command.paths, destination, options)
    origin = toolbox.origin(context.sources.get(command.from_), context.states, command.place)
    return _transfer(toolbox, request, context, transfer, origin)


def _add(toolbox: Toolbox, request: BuildRequest, context: StepContext, command: Add) -> Done:
    remote = [source for source in command.paths.sources if is_url(source) or is_repository(source)]
    if not remote and (command.checksum or command.keep_git_dir):
        flag = "--checksum" if command.checksum else "--keep-git-dir"
        raise error_at(command.place, f"ADD: {flag} is for sources from elsewhere")
    unpacks = command.unpack if command.unpack is not None else not remote
    options = Options(
        command.chown, command.chmod, command.exclude, unpacks=unpacks, link=command.link
    )
    destination = absolute(context.state.settings, command.paths.destination)
    if not remote:
        transfer = plan_transfer(command, command.paths, destination, options)
        origin = toolbox.origin(None, context.states, command.place)
        return _transfer(toolbox, request, context, transfer, origin)
    from orchestra.build.remote import remote_sources

    found = remote_sources(toolbox, request, command, remote)
    transfer = plan_transfer(command, found.paths, destination, options)
    if not found.content:
        return _transfer(toolbox, request, context, transfer, found.origin())
    return _transfer_later(toolbox, request, context, transfer, found)


def _transfer_later(
    toolbox: Toolbox, request: BuildRequest, context: StepContext, transfer: Transfer, found: Remote
) -> Done:
    """Of files that are fetched only when they are written: their content has another name."""
    below = _below(transfer, context)
    key = step_key("add", below.key, transfer.key_parts(found.content))

    def write(rootfs: Rootfs, at: str) -> None:
        transfer_files(transfer, found.origin(), rootfs, at)

    work = _Work(key, transfer.command.text, write, below)
    return _carry_out(toolbox, request, context, work)


def _transfer(
    toolbox: Toolbox,
    request: BuildRequest,
    context: StepContext,
    transfer: Transfer,
    origin: FileOrigin,
) -> Done:
    content = find_content(transfer, origin)
    if content.digest == NOTHING:
        why = hidden_matches(transfer, origin)
        asked = " ".join(transfer.paths.sources)
        what = f"{transfer.command.keyword}: no file matches {asked}"
        context.report(StepPhase.WARNING, f"{what}: {why}" if why else what)
    below = _below(transfer, context)
    key = step_key("copy", below.key, transfer.key_parts(content.digest))

    def write(rootfs: Rootfs, at: str) -> None:
        transfer_files(transfer, origin, rootfs, at, content.matches)

    return _carry_out(toolbox, request, context, _Work(key, transfer.command.text, write, below))


def _below(transfer: Transfer, context: StepContext) -> FileSystem:
    """The files that COPY and ADD write into: none with `--link`, whose layer lies on any base.

    As in BuildKit, `--chmod` takes that back. So do names of users, which are the image's, and the
    host's trees, whose directories must keep their modes.
    """
    files = context.state.files
    is_apart = transfer.link and transfer.mode is None and files.base != HOST_IMAGE
    return NO_FILES if is_apart and not re.search("[^0-9:]", transfer.chown) else files


def _workdir(
    toolbox: Toolbox, request: BuildRequest, context: StepContext, command: Workdir
) -> Done:
    settings = context.state.settings
    path = absolute(settings, command.path).rstrip("/") or "/"
    key = step_key("workdir", context.state.files.key, [path, settings.user])

    def write(rootfs: Rootfs, at: str) -> None:
        make_working_directory(command, path, settings.user, rootfs, at)

    return _carry_out(toolbox, request, context, _Work(key, f"WORKDIR {path}", write))


# -- RUN ----------------------------------------------------------------------------------------
def _run(toolbox: Toolbox, request: BuildRequest, context: StepContext, command: Run) -> Done:
    if command.security != "sandbox":
        raise error_at(
            command.place,
            "RUN: --security=insecure is not to be had",
            "run the container itself with `privileged: true` if it needs that",
        )
    settings = context.state.settings
    env = {**environment(settings), **context.variables}
    argv = _program(command, settings)
    network = command.network if command.network != "default" else request.network
    mounts = RunMounts(toolbox, request, context, command)
    parts: list[object] = [
        argv,
        command.script,
        sorted(context.key_variables(environment(settings)).items()),
        settings.working_dir,
        settings.user,
        network,
        mounts.key_parts(),
    ]

    def write(rootfs: Rootfs, at: str) -> None:  # noqa: ARG001 (the runtime has a place of its own)
        with mounts.prepared() as prepared:
            run = RunCommand(
                argv=argv,
                env=(*env.items(), *prepared.env),
                cwd=settings.working_dir or "/",
                user=settings.user,
                network=network,
                mounts=prepared.mounts,
                files=prepared.files,
            )
            _run_command(toolbox, context, command, run, rootfs)
        remove_mount_points(rootfs, (*STANDARD_MOUNT_POINTS, *prepared.targets))

    key = step_key("run", context.state.files.key, parts)
    shown = " ".join(argv)
    return _carry_out(toolbox, request, context, _Work(key, f"RUN {shown}", write))


def _program(command: Run, settings: RunSettings) -> tuple[str, ...]:
    """The argument vector; a script that names its interpreter is mounted and executed."""
    if command.script is None:
        return in_shell(settings, command.command)
    if command.script.startswith("#!"):
        return (SCRIPT,)
    return (*(settings.shell or DEFAULT_SHELL), command.script)


def _run_command(
    toolbox: Toolbox, context: StepContext, command: Run, run: RunCommand, rootfs: Rootfs
) -> None:
    """Raises BuildError with the end of the output when the command fails."""
    tail = bytearray()

    def output(data: bytes) -> None:
        tail.extend(data)
        del tail[:-_TAIL_BYTES]
        context.report(StepPhase.OUTPUT, data.decode("utf-8", "replace"))

    try:
        code = toolbox.runner.run(run, rootfs, output)
    except BuildError:
        raise
    except OrchestraError as exc:
        raise error_at(command.place, f"RUN: {exc.what}", exc.fix) from exc
    if code:
        shown = " ".join(run.argv)
        what = f'the command "{shown}" has ended with exit code {code}'
        raise step_failed(
            toolbox.request.dockerfile.lines, command.place, what, tail.decode("utf-8", "replace")
        )


STEPS: dict[type[Command], Callable[..., Done]] = {
    Add: _add,
    Copy: _copy,
    Run: _run,
    Workdir: _workdir,
}
