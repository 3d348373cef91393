"""Operation: one request to an engine, why it is made and what must have happened before it.

Not tied to the request type: plans over msgspec requests and plans over plain frames (`stop`, which
must not import msgspec) are executed by the same code.
"""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

from orchestra.named import NamedTuple

R = TypeVar("R")


class Verb(Enum):
    """What an operation does: its name in a printed plan, and its progress texts."""

    CREATE = ("create", "Creating", "Created")
    START = ("start", "Starting", "Started")
    STOP = ("stop", "Stopping", "Stopped")
    KILL = ("kill", "Killing", "Killed")
    RESTART = ("restart", "Restarting", "Started")
    PAUSE = ("pause", "Pausing", "Paused")
    UNPAUSE = ("unpause", "Unpausing", "Unpaused")
    REMOVE = ("remove", "Removing", "Removed")
    AWAIT_HEALTHY = ("await healthy", "Waiting", "Healthy")
    AWAIT_EXIT = ("await exit", "Waiting", "Exited")

    def __init__(self, label: str, doing: str, done: str) -> None:
        self.label = label
        self.doing = doing
        self.done = done


class Operation(NamedTuple, Generic[R]):
    """*key* is its place in the plan.

    It begins when all of *needs* and *wants* have ended; the failure of one it *needs* makes it be
    skipped, the failure of one it *wants* does not.
    """

    key: int
    verb: Verb
    resource: str  # "Container demo-web-1"
    request: R
    cause: str
    needs: tuple[int, ...] = ()
    wants: tuple[int, ...] = ()
    must_succeed: bool = False  # AWAIT_EXIT: an exit code other than 0 is a failure
    optional: bool = False  # its failure is a warning: only optional dependents wait for it
    silent: bool = False  # not worth a progress line
    shared: bool = False  # REMOVE: others may use it; then it stays, with a warning
