"""`container ls`: the containers of every project that pass its filters, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.container_find import all_states, find_container
from orchestra.ops.object_filters import ObjectFilters, name_passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState, PortState

FILTERS = (
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name",
    "network", "publish", "since", "status", "volume",
)  # fmt: skip
PRUNE_FILTERS = ("label", "label!", "until")
STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")


class ListOptions(NamedTuple):
    """*every*: those too that do not run; *last*: only so many, whatever they do; 0: no bound."""

    every: bool = False
    last: int = 0
    filters: ObjectFilters = ObjectFilters()


def list_containers(layout: Layout, options: ListOptions) -> tuple[ContainerState, ...]:
    """The containers that pass. Raises ConfigError for bad values, NotFound for `before=X`."""
    filters = options.filters
    asked_status = "status" in filters.values or "exited" in filters.values
    every = options.every or options.last > 0 or asked_status
    test = _test(layout, filters)
    found = sorted(
        (state for state in all_states(layout) if every or state.status in ALIVE),
        key=lambda state: (-state.created_ns, state.id),
    )
    passed = [state for state in found if test(state)]
    return tuple(passed[: options.last] if options.last > 0 else passed)


def _test(layout: Layout, filters: ObjectFilters) -> Callable[[ContainerState], bool]:
    for status in filters.values.get("status", ()):
        if status not in STATUSES:
            raise ConfigError(
                f"invalid filter 'status={status}'", fix="there are " + ", ".join(STATUSES)
            )
    codes = tuple(_number(text) for text in filters.values.get("exited", ()))
    after = max((_made(layout, text) for text in filters.values.get("since", ())), default=0)
    before = min((_made(layout, text) for text in filters.values.get("before", ())), default=0)
    asked = filters.values.get("ancestor", ())
    images = _image_ids(layout, asked) if asked else frozenset()

    def passes(state: ContainerState) -> bool:
        return (
            filters.any_passes("id", state.id.startswith)
            and filters.any_passes("name", _name_test(state.name))
            and filters.any_passes("status", state.status.__eq__)
            and filters.any_passes("health", (state.health or "none").__eq__)
            and filters.any_passes("is-task", lambda text: text in ("false", "0"))
            and filters.any_passes("volume", lambda text: text in state.mounts)
            and filters.any_passes("network", _network_test(state))
            and filters.any_passes("publish", lambda text: _has_port(state.ports, text, host=True))
            and filters.any_passes("expose", lambda text: _has_port(state.ports, text, host=False))
            and filters.labels_pass(dict(state.labels))
            and (not codes or (state.status not in ALIVE and state.exit_code in codes))
            and (not after or state.created_ns > after)
            and (not before or state.created_ns < before)
            and ("ancestor" not in filters.values or _is_of(state, images))
        )

    return passes


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as exc:
        raise ConfigError(f"invalid filter 'exited={text}'", fix="write an exit code") from exc


def _made(layout: Layout, asked: str) -> int:
    return find_container(layout, asked).created_ns


def _name_test(name: str) -> Callable[[str], bool]:
    """Docker keeps names with a slash before them: "^/web$" and "^web$" both match."""
    plain, slashed = name_passes(name), name_passes(f"/{name}")
    return lambda pattern: plain(pattern) or slashed(pattern)


def _network_test(state: ContainerState) -> Callable[[str], bool]:
    return lambda text: any(endpoint.network == text for endpoint in state.endpoints)


def _has_port(ports: Iterable[PortState], text: str, *, host: bool) -> bool:
    """Is one of "8080", "8000-8080/tcp" published (*host*) or exposed?"""
    span, _, protocol = text.partition("/")
    first, _, last = span.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise ConfigError(f"invalid port {text}", fix="write PORT[-PORT][/tcp|udp]")
    wanted = range(int(first), int(last or first) + 1)
    return any(
        (port.host_port if host else port.container_port) in wanted
        and port.protocol == (protocol or "tcp")
        for port in ports
    )


def _image_ids(layout: Layout, asked: Iterable[str]) -> frozenset[str]:
    """The ids of the images *asked*, and *asked* themselves; an unknown image has no container."""
    from orchestra.image.store import LocalImageStore

    store = LocalImageStore(layout.images)
    found = set()
    for text in asked:
        found.add(text)
        try:
            found.add(store.resolve(text).id)
        except NotFound:
            continue
    return frozenset(found)


def _is_of(state: ContainerState, images: frozenset[str]) -> bool:
    return state.image_id in images or state.image in images
