"""The NetworkDriver for a host whose network we may change: a bridge for each network.

Only puts together: what is decided lies in `ipam`, `endpoints` and `dns`; what is agreed in
`registry`; what is done in `networks`, `allocate`, `live` and `setup`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.model.container import NetworkMode
from orchestra.network import endpoints as ep
from orchestra.network import etcfiles, hotplug, links, stacked
from orchestra.network.allocate import Allocator
from orchestra.network.ipam import DEFAULT_POOLS
from orchestra.network.live import LiveContainers
from orchestra.network.networks import Networks
from orchestra.network.publish import HostPorts
from orchestra.network.registry import Registry
from orchestra.network.rules import HostRules
from orchestra.network.setup import NamespaceSetup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.layout import Layout
    from orchestra.model.container import ContainerSpec, Endpoint
    from orchestra.model.network import NetworkSpec, NetworkState
    from orchestra.model.state import EndpointState
    from orchestra.network.base import Allocation, EventLoop
    from orchestra.network.ipam import Pool
    from orchestra.network.registry import NetworkRow
    from orchestra.network.setup import Gateway, Link
    from orchestra.runtime.base import NetworkSetup


class BridgeDriver:
    """Implements NetworkDriver for one supervisor; opens everything at first use."""

    def __init__(
        self, layout: Layout, loop: EventLoop, pools: Sequence[Pool] = DEFAULT_POOLS
    ) -> None:
        self._registry = Registry(
            layout.registry_db,
            lambda project, container: os.path.exists(layout.spec_json(project, container)),
        )
        self._rules = HostRules()
        self._ports = HostPorts()
        self._networks = Networks(self._registry, self._rules, pools)
        self._allocator = Allocator(self._registry, self._networks, self._ports)
        self._live = LiveContainers(loop, self._registry, self._rules, self._ports)

    def close(self) -> None:
        """Let go of files and sockets, as a dying process would; containers go on."""
        self._live.close()
        self._ports.close()
        self._rules.close()
        self._registry.close()

    # -- networks -----------------------------------------------------------------------------
    def create_network(self, spec: NetworkSpec) -> NetworkState:
        """See NetworkDriver."""
        return self._networks.create(spec)

    def warnings(self) -> tuple[str, ...]:
        if self._rules.has_ipv4():
            return ()
        return (
            "this kernel has no nf_tables rules for IPv4: published ports are forwarded by"
            " orchestra itself, containers cannot reach other machines, and projects are not kept"
            " apart",
        )

    def remove_network(self, name: str) -> None:
        """See NetworkDriver. Raises Conflict while containers are on it."""
        self._networks.remove(name)

    def networks(self, project: str) -> tuple[NetworkState, ...]:
        """See NetworkDriver."""
        return self._networks.of_project(project)

    # -- containers ---------------------------------------------------------------------------
    def allocate(self, spec: ContainerSpec) -> Allocation:
        """See NetworkDriver. The same container again gets a new allocation."""
        return self._allocator.allocate(spec)

    def release(self, container_id: str) -> None:
        """See NetworkDriver."""
        self.disconnected(container_id)
        with self._registry.transaction():
            self._registry.remove_container(container_id)

    def setup(self, spec: ContainerSpec, allocation: Allocation) -> NetworkSetup | None:
        """See NetworkDriver. Raises Conflict when a host port was taken while it was stopped."""
        if spec.network_mode is not NetworkMode.ENDPOINTS:
            return None
        self._allocator.reserve_again(spec, allocation)
        if spec.endpoints and self._networks.repair():
            self._live.republish()
        ordered = ep.in_interface_order(spec)
        bridged_nat = links.rewrites_inside_bridges()
        rows = [self._networks.find(state.network) for state in allocation.endpoints]
        names = ep.interface_names(ordered, [self._networks.spec(row) for row in rows])
        found = []
        for position, (state, row) in enumerate(zip(allocation.endpoints, rows, strict=True)):
            index = self._networks.bridge_index(row)
            place = ep.LinkPlace(spec.id, position, index, bridged_nat, names[position])
            found.append(self._plan_link(place, ordered[position], state, row))
        gateways = self._gateways(ordered, allocation)
        return NamespaceSetup(spec.id, tuple(found), gateways, name_server=bool(found))

    def connected(
        self, spec: ContainerSpec, allocation: Allocation, pid: int, fds: tuple[int, ...]
    ) -> None:
        """See NetworkDriver."""
        if spec.network_mode is not NetworkMode.ENDPOINTS:
            return
        self._allocator.adopt_ports(spec, allocation)
        with self._registry.transaction():
            self._registry.set_running(spec.id, spec.name, pid)
        self._live.add(spec, allocation, pid, fds, self._networks)

    def attach(
        self, spec: ContainerSpec, allocation: Allocation, network: str, pid: int
    ) -> Allocation:
        """See NetworkDriver."""
        endpoint = next(each for each in spec.endpoints if each.network == network)
        state = self._allocator.attach(spec, endpoint)
        states = {each.network: each for each in (*allocation.endpoints, state)}
        ordered = tuple(states[each.network] for each in ep.in_interface_order(spec))
        changed = allocation._replace(endpoints=ordered)
        try:
            if pid:
                hotplug.plug(pid, self._plan_live_link(spec, endpoint, state))
                self._changed_live(spec, changed, pid)
        except BaseException:
            self.detach(spec, changed, network, pid)
            raise
        return changed

    def detach(
        self, spec: ContainerSpec, allocation: Allocation, network: str, pid: int
    ) -> Allocation:
        """See NetworkDriver."""
        left = tuple(each for each in allocation.endpoints if each.network != network)
        changed = allocation._replace(endpoints=left)
        gone = next((each for each in allocation.endpoints if each.network == network), None)
        if pid and gone is not None:
            hotplug.unplug(pid, (gone.address, gone.address6))
            self._changed_live(spec, changed, pid)
        self._allocator.detach(spec.id, network)
        return changed

    def _plan_live_link(
        self, spec: ContainerSpec, endpoint: Endpoint, state: EndpointState
    ) -> Link:
        row = self._networks.find(endpoint.network)
        (name,) = ep.interface_names((endpoint,), (self._networks.spec(row),))
        place = ep.LinkPlace(
            spec.id,
            links.free_position(spec.id),
            self._networks.bridge_index(row),
            links.rewrites_inside_bridges(),
            name,
        )
        return self._plan_link(place, endpoint, state, row)

    def _plan_link(
        self, place: ep.LinkPlace, endpoint: Endpoint, state: EndpointState, row: NetworkRow
    ) -> Link:
        spec = self._networks.spec(row)
        link = ep.plan_link(place, endpoint, state, spec)
        if not stacked.is_stacked(spec):
            return link
        kind, _, mode, flag, _ = stacked.stacked_of(spec)
        return link._replace(kind=kind, mode=mode, flag=flag, isolated=False, hairpin=False)

    def _gateways(self, ordered: Sequence[Endpoint], allocation: Allocation) -> tuple[Gateway, ...]:
        return ep.plan_gateways(
            ordered, allocation.endpoints, self._networks.is_internal, self._networks.is_on_link
        )

    def _changed_live(self, spec: ContainerSpec, allocation: Allocation, pid: int) -> None:
        """Default routes, names and ports of a running container that has changed networks."""
        present = {each.network for each in allocation.endpoints}
        ordered = tuple(e for e in ep.in_interface_order(spec) if e.network in present)
        gateways = self._gateways(ordered, allocation)
        hotplug.route(pid, [(allocation.endpoints[each.link], each.address) for each in gateways])
        self._live.update(spec, allocation, pid, self._networks)

    def disconnected(self, container_id: str) -> None:
        """See NetworkDriver."""
        places = self._registry.endpoints(container_id)
        if not all(self._networks.is_bridge(place.network) for place in places):
            self._live.delete_stacked(container_id)
        self._live.remove(container_id, self._registry.ports(container_id))
        self._allocator.let_ports_go(container_id)
        with self._registry.transaction():
            self._registry.set_stopped(container_id)

    # -- files --------------------------------------------------------------------------------
    def resolv_conf(self, spec: ContainerSpec) -> str:
        """See NetworkDriver."""
        own = spec.network_mode is NetworkMode.ENDPOINTS and bool(spec.endpoints)
        shared = self._registry.endpoints(spec.network_container)
        return etcfiles.resolv_conf(spec, has_name_server=own or bool(shared))

    def hosts(self, spec: ContainerSpec, allocation: Allocation) -> str:
        """See NetworkDriver."""
        gateway = next((state.gateway for state in allocation.endpoints if state.gateway), "")
        addresses = [
            address
            for state in allocation.endpoints
            for address in (state.address, state.address6)
            if address
        ]
        for row in self._registry.endpoints(spec.network_container):
            addresses += filter(None, (row.address, row.address6))
        return etcfiles.hosts(spec, addresses, gateway)
