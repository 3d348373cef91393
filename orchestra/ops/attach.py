"""`attach`: the caller in front of a service's container that runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import Conflict
from orchestra.model.container import ContainerId
from orchestra.model.state import ALIVE, Status
from orchestra.named import NamedTuple
from orchestra.ops.attend import Outcome, Subject, attend
from orchestra.ops.container_find import spec_fields
from orchestra.ops.target import one_container
from orchestra.runtime.detachkeys import key_bytes
from orchestra.runtime.signalpipe import SignalPipe

if TYPE_CHECKING:
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target


class AttachOptions(NamedTuple):
    """*number* 0 is the first container; *detach_keys* "" are the usual ones."""

    number: int = 0
    stdin: bool = True
    sig_proxy: bool = True
    detach_keys: str = ""
    starts: bool = False


def attach(host: Host, target: Target, options: AttachOptions) -> Outcome:
    """Show what the one service of *target* writes from now on, until it ends or is left.

    What is typed goes into it if it has `tty: true` or `stdin_open: true`. Raises NotFound when it
    does not run, Conflict when it is paused, ConfigError for impossible keys.
    """
    return attach_to(host, one_container(host.layout, target, index=options.number), options)


def attach_to(host: Host, container: ContainerState, options: AttachOptions) -> Outcome:
    """The same, for a container that has been found; with *starts* it is started for it.

    Raises Conflict when it does not run.
    """
    keys = key_bytes(options.detach_keys)
    if not options.starts and container.status not in ALIVE:
        raise Conflict(
            "You cannot attach to a stopped container, start it first",
            fix=f"`orchestra container start -a {container.name}`",
        )
    if container.status == Status.PAUSED:
        raise Conflict(
            f"container {container.name} is paused",
            fix=f"`orchestra container unpause {container.name}` before you attach to it",
        )
    process = spec_fields(host.layout, container).get("process", {})
    has_terminal = bool(process.get("tty"))
    subject = Subject(
        container.project,
        ContainerId(container.id),
        tty=has_terminal,
        stdin=options.stdin and bool(process.get("stdin_open")),
        signals=options.sig_proxy,
        detach_keys=keys,
        starts=options.starts,
    )
    engine = host.open_engine(container.project)
    try:
        with SignalPipe() as signals:
            return attend(host.layout, engine, subject, signals)
    finally:
        engine.close()
