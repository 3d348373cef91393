"""`develop.watch`: what happens when files of a service change on the host."""

from __future__ import annotations

from enum import Enum

from orchestra.model.container import Frozen, Hook


class WatchAction(Enum):
    REBUILD = "rebuild"
    RESTART = "restart"
    SYNC = "sync"
    SYNC_RESTART = "sync+restart"
    SYNC_EXEC = "sync+exec"


class WatchRule(Frozen, frozen=True, kw_only=True):
    """*path* is absolute; *ignore* and *include* are patterns as in .dockerignore."""

    path: str
    action: WatchAction
    target: str = ""
    ignore: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    initial_sync: bool = False
    exec: Hook | None = None
