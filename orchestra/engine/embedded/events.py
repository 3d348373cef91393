"""What happens to containers, told to whoever has subscribed: `events`, `up` in the foreground."""

from __future__ import annotations

from orchestra.model.container import Frozen


class ContainerEvent(Frozen, frozen=True, kw_only=True):
    """One event. *action* in Docker's words: create, start, die, oom, kill, stop, restart, pause,
    unpause, rename, destroy, "health_status: healthy"; and `state.HOOK_OUTPUT`.
    """

    time_ns: int
    action: str
    id: str
    name: str
    service: str
    image: str = ""
    oneoff: bool = False
    exit_code: int | None = None  # die
    restarting: bool = False  # die: a restart will follow
    attributes: tuple[tuple[str, str], ...] = ()
