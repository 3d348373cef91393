"""`system prune`: stopped containers, networks of nobody, images and volumes that nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine import base as engine
from orchestra.linux.tree_size import tree_size
from orchestra.model.container import ContainerId
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.builder import CachePruned, prune_build_cache
from orchestra.ops.bundle_up import forget_bundles
from orchestra.ops.container_find import all_states
from orchestra.ops.image_prune import image_prune
from orchestra.ops.lock import project_lock
from orchestra.ops.networks import DEFAULT_NETWORK, prune_networks
from orchestra.ops.object_filters import ObjectFilters
from orchestra.ops.projectfile import may_have_resources
from orchestra.ops.volumes import prune_volumes
from orchestra.plan.execute import execute
from orchestra.plan.graph import PlanBuilder
from orchestra.plan.lifecycle import resource_of
from orchestra.plan.operations import Verb
from orchestra.runtime.statefile import projects

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.ops.image_filters import Filters
    from orchestra.ops.image_prune import Pruned
    from orchestra.plan.events import Report

FILTERS = ("label", "until")


class SystemPruned(NamedTuple):
    """What went, by kind, and the bytes that this freed in all."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    images: Pruned
    cache: tuple[str, ...]
    freed_bytes: int


def system_prune(
    host: Host, filters: Filters, report: Report, *, all_images: bool, volumes: bool
) -> SystemPruned:
    """Remove what nobody uses and *filters* (label, until) let through.

    With *all_images* images with names too, and of what builds keep also what images have; with
    *volumes* unnamed volumes of no container as well. Raises the first failure of an engine.
    """
    layout = host.layout
    containers: list[str] = []
    networks: list[str] = []
    freed = 0
    for project in projects(layout):
        if may_have_resources(layout, project):
            gone, unused, size = _prune_project(host, project, filters, report)
            containers += gone
            networks += unused
            freed += size
    if filters.until_ns is None:
        networks += prune_networks(layout, _by_label(filters))  # those of no project
    removed: list[str] = []
    if volumes:
        for name, size in prune_volumes(layout, _by_label(filters)):
            removed.append(name)
            freed += size
    forget_bundles(layout)
    images = image_prune(layout, filters._replace(dangling=not all_images))
    cache = _prune_cache(layout, filters, shared_too=all_images)
    return SystemPruned(
        tuple(containers),
        tuple(networks),
        tuple(removed),
        images,
        cache.removed,
        freed + images.freed_bytes + cache.freed_bytes,
    )


def _prune_cache(layout: Layout, filters: Filters, *, shared_too: bool) -> CachePruned:
    """What builds keep has no labels: a filter for some lets none of it through."""
    if not filters.label_match({}):
        return CachePruned((), 0)
    return prune_build_cache(layout, before_ns=filters.until_ns, shared_too=shared_too)


def _prune_project(
    host: Host, project: str, filters: Filters, report: Report
) -> tuple[list[str], list[str], int]:
    """The containers and networks of *project* that went, and the bytes of the former."""
    layout = host.layout
    with project_lock(layout, project, command="system prune", report=report):
        client = host.open_engine(project)
        try:
            observed = client.observe()
            going = [state for state in observed.containers if _is_over(state, filters)]
            size = sum(tree_size(layout.snapshot(project, state.id)) for state in going)
            builder: PlanBuilder[engine.Request] = PlanBuilder()
            keys = [
                builder.add(
                    Verb.REMOVE,
                    resource_of(state),
                    request=engine.RemoveContainer(id=ContainerId(state.id)),
                )
                for state in going
            ]
            staying = [state for state in all_states(layout) if state not in going]
            used = {endpoint.network for state in staying for endpoint in state.endpoints}
            unused = [
                network.spec.name
                for network in observed.networks
                if network.spec.name not in used
                and network.spec.name != DEFAULT_NETWORK
                and not network.spec.external
                and filters.until_ns is None
                and filters.label_match(dict(network.spec.labels))
            ]
            for name in unused:
                builder.add(
                    Verb.REMOVE,
                    f"Network {name}",
                    request=engine.RemoveNetwork(name=name),
                    needs=keys,
                )
            execute(builder.build(), client, report)
        finally:
            client.close()
    return [state.id for state in going], unused, size


def _is_over(state: ContainerState, filters: Filters) -> bool:
    too_young = filters.until_ns is not None and state.created_ns >= filters.until_ns
    return state.status not in ALIVE and not too_young and filters.label_match(dict(state.labels))


def _by_label(filters: Filters) -> ObjectFilters:
    return ObjectFilters({"label": filters.labels, "label!": filters.without_labels})
