"""Several images pulled at once, told as one stream of events in the caller's thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING

from orchestra.errors import OrchestraError
from orchestra.registry.base import PullEnded
from orchestra.registry.pull import pull
from orchestra.registry.together import Stop, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orchestra.image.base import ImageReceiver
    from orchestra.registry.base import LayerProgress, PullRequest
    from orchestra.registry.registries import Registries

IMAGES_AT_ONCE = 4


def pull_many(
    requests: Sequence[PullRequest],
    registries: Registries,
    new_receiver: Callable[[], ImageReceiver],
    *,
    at_once: int = IMAGES_AT_ONCE,
) -> Iterator[LayerProgress | PullEnded]:
    """Pull *requests*; every one ends with a PullEnded, whatever becomes of the others.

    All threads have ended when the iterator is exhausted; see `joined` for leaving it before. An
    error that is none of ours, such as a full disk's OSError, is raised after the rest has ended.
    """
    if not requests:
        return
    stop = Stop()
    events: SimpleQueue[LayerProgress | PullEnded | BaseException] = SimpleQueue()
    with joined(ThreadPoolExecutor(max(1, at_once), "registry"), stop) as pool:
        for request in requests:
            pool.submit(_pull_one, request, registries, new_receiver, events.put, stop)
        pending = len(requests)
        while pending:
            event = events.get()
            if isinstance(event, BaseException):
                raise event
            pending -= isinstance(event, PullEnded)
            yield event


def _pull_one(
    request: PullRequest,
    registries: Registries,
    new_receiver: Callable[[], ImageReceiver],
    tell: Callable[[LayerProgress | PullEnded | BaseException], None],
    stop: Stop,
) -> None:
    try:
        with new_receiver() as receiver:
            pulled = pull(request, registries, receiver, tell, stop)
    except OrchestraError as exc:
        tell(PullEnded(request, error=exc))
    except BaseException as exc:  # noqa: BLE001 (a thread's root: it is raised in the caller's)
        tell(exc)
    else:
        tell(PullEnded(request, pulled))
