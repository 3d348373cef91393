"""Desired and observed state -> Plan: which requests, in which order. Pure.

`decide` says what happens to each container, `container` what a new one looks like; this module
orders the requests. A replacement is made after its predecessor has been removed, because both
would want the same host ports and addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine import base as engine
from orchestra.model.container import ContainerId, MountKind
from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.plan import prestart
from orchestra.plan.container import Identity, container_name, container_spec
from orchestra.plan.decide import Action, Decision, Policy, decide
from orchestra.plan.graph import Plan, PlanBuilder
from orchestra.plan.mounts import Volumes, api_socket
from orchestra.plan.networking import Peers
from orchestra.plan.operations import Verb
from orchestra.plan.order import dependency_order, namespace_parents
from orchestra.plan.resources import anonymous_volume, missing_resources
from orchestra.plan.unsupported import ignored_attributes
from orchestra.plan.waits import Awaited, Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.model.container import ContainerSpec, Mount
    from orchestra.model.service import Service
    from orchestra.model.state import ContainerState
    from orchestra.plan.desired import Desired
    from orchestra.plan.observed import Observed


class Options(NamedTuple):
    """How a project is brought to what it should be."""

    policy: Policy
    start: bool = True  # False: only create (`create`, `up --no-start`)
    renew_anonymous_volumes: bool = False  # -V
    remove_orphans: bool = False
    ignore_orphans: bool = False  # say nothing of them
    stop_grace_s: float | None = None  # -t; None: as each container says


class Environment(NamedTuple):
    """What is neither desired nor observed: where new names come from, and our version."""

    new_id: Callable[[], str]  # 64 hexadecimal digits, never the same twice
    version: str


def reconcile(
    desired: Desired, observed: Observed, options: Options, environment: Environment
) -> Plan[engine.Request]:
    """The plan that makes *observed* into *desired*; empty when nothing differs.

    Raises ConfigError, Unsupported and NotFound for services that cannot be made into containers.
    """
    return _Reconciler(desired, observed, options, environment).plan()


def container_resource(name: str) -> str:
    return f"Container {name}"


class _Reconciler:
    """One planning: the builder, and which operations others must wait for."""

    def __init__(
        self, desired: Desired, observed: Observed, options: Options, environment: Environment
    ) -> None:
        self._desired = desired
        self._observed = observed
        self._options = options
        self._new_id = environment.new_id
        self._builder: PlanBuilder[engine.Request] = PlanBuilder()
        self._services = {service.name: service for service in desired.project.services}
        self._order = dependency_order(desired.project.services)
        self._missing = missing_resources(desired, observed, environment.version)
        self._peers = Peers({}, {})
        self._decisions: list[Decision] = []
        self._by_service: dict[str, list[Decision]] = {}
        self._ids: dict[tuple[str, int], str] = {}  # of the containers that will be there
        self._specs: dict[str, ContainerSpec] = {}  # container id -> what is made
        self._mounts: dict[str, tuple[Mount, ...]] = {}  # of each service's first container
        self._made: dict[str, int] = {}  # network or volume -> its CreateX
        self._stopped: dict[str, int] = {}  # container id -> its StopContainer
        self._removed: dict[str, int] = {}  # container id -> its RemoveContainer
        self._created: dict[str, int] = {}  # service -> the CreateContainer of its first
        self._started: dict[str, int] = {}  # container id -> its StartContainer
        self._waits = Waits(self._builder)

    def plan(self) -> Plan[engine.Request]:
        self._decisions = decide(
            self._desired,
            self._observed,
            self._options.policy,
            order=self._order,
            changed_networks=self._missing.changed,
        )
        for decision in self._decisions:
            self._by_service.setdefault(decision.service.name, []).append(decision)
            existing = decision.existing
            renewed = existing is None or decision.action is Action.RECREATE
            self._ids[decision.service.name, decision.number] = (
                self._new_id() if renewed or existing is None else existing.id
            )
        self._peers = self._all_peers()
        dependents = _restarting_dependents(self._order)
        for decision in reversed(self._decisions):
            self._plan_going(decision, dependents.get(decision.service.name, []))
        self._builder.warnings += ignored_attributes(
            self._services_to_make(), has_api_socket=bool(api_socket(self._desired.project))
        )
        self._plan_networks()
        self._plan_volumes()
        for decisions in self._by_service.values():
            self._plan_coming(decisions)
        self._plan_orphans()
        return self._builder.build()

    def _services_to_make(self) -> list[Service]:
        making = {
            decision.service.name
            for decision in self._decisions
            if decision.action in (Action.CREATE, Action.RECREATE)
        }
        return [service for service in self._order if service.name in making]

    # -- what goes, dependents first ----------------------------------------------------------
    def _plan_going(self, decision: Decision, dependents: list[str]) -> None:
        existing = decision.existing
        if existing is None or decision.action not in _GOING:
            return
        needs = self._stops_of(dependents)
        if decision.action is Action.RESTART:
            self._stop(existing, decision.cause, needs)
        else:
            self._remove(existing, decision.cause, needs)

    def _stops_of(self, services: list[str]) -> list[int]:
        return [
            self._stopped[decision.existing.id]
            for name in services
            for decision in self._by_service.get(name, ())
            if decision.existing is not None and decision.existing.id in self._stopped
        ]

    def _stop(self, container: ContainerState, cause: str, needs: Iterable[int] = ()) -> list[int]:
        """Plan to stop *container* if it runs; the operation's key, if there is one."""
        if container.status in (Status.CREATED, Status.EXITED, Status.DEAD):
            return []
        key = self._builder.add(
            Verb.STOP,
            container_resource(container.name),
            request=engine.StopContainer(
                id=ContainerId(container.id), grace_s=self._options.stop_grace_s
            ),
            cause=cause,
            needs=needs,
        )
        self._stopped[container.id] = key
        return [key]

    def _remove(self, container: ContainerState, cause: str, needs: Iterable[int] = ()) -> None:
        self._removed[container.id] = self._builder.add(
            Verb.REMOVE,
            container_resource(container.name),
            request=engine.RemoveContainer(
                id=ContainerId(container.id), volumes=self._options.renew_anonymous_volumes
            ),
            cause=cause,
            needs=self._stop(container, cause, needs) or needs,
        )

    def _plan_orphans(self) -> None:
        orphans = self._observed.orphans(self._desired.known)
        if not orphans or self._options.ignore_orphans:
            return
        if not self._options.remove_orphans:
            names = ", ".join(container.name for container in orphans)
            self._builder.warnings.append(
                f"Found orphan containers ({names}) for this project. If you removed or renamed"
                " this service in your compose file, you can run this command with the"
                " --remove-orphans flag to clean it up."
            )
            return
        for container in orphans:
            self._remove(container, "orphan")

    # -- networks and volumes -----------------------------------------------------------------
    def _plan_networks(self) -> None:
        for name, spec in self._missing.networks.items():
            cause, needs = "not found", []
            if name in self._missing.changed:
                cause = "configuration changed"
                remove = self._builder.add(
                    Verb.REMOVE,
                    f"Network {name}",
                    request=engine.RemoveNetwork(name=name),
                    cause=cause,
                    needs=self._removals_on(name),
                )
                needs = [remove]
            self._made[name] = self._builder.add(
                Verb.CREATE,
                f"Network {name}",
                request=engine.CreateNetwork(spec=spec),
                cause=cause,
                needs=needs,
            )

    def _removals_on(self, network: str) -> list[int]:
        return [
            self._removed[container.id]
            for container in self._observed.containers
            if container.id in self._removed
            and any(endpoint.network == network for endpoint in container.endpoints)
        ]

    def _plan_volumes(self) -> None:
        self._builder.warnings += self._missing.warnings
        for name, spec in self._missing.volumes.items():
            self._made[name] = self._builder.add(
                Verb.CREATE,
                f"Volume {name}",
                request=engine.CreateVolume(spec=spec),
                cause="not found",
            )

    def _network(self, name: str) -> list[int]:
        """The operation that a container on network *name* needs; none when it is there."""
        external = self._missing.external_networks.get(name)
        if external is not None and name not in self._made:
            self._made[name] = self._builder.add(
                Verb.CREATE,
                f"Network {name}",
                request=engine.CreateNetwork(spec=external),
                cause="external",
                silent=True,
            )
        return [self._made[name]] if name in self._made else []

    def _volume(self, mount: Mount, container: str) -> list[int]:
        """The operation that *mount* needs; none when its volume is there or it has none."""
        name = mount.source
        if name in self._made:
            return [self._made[name]]
        if mount.anonymous and name not in self._observed.volumes:
            spec = anonymous_volume(self._desired.project.name, mount)
            resource, cause = f"Volume of {container} on {mount.target}", "anonymous"
        elif mount.kind is MountKind.VOLUME and name in self._missing.external_volumes:
            spec = self._missing.external_volumes[name]
            resource, cause = f"Volume {name}", "external"
        else:
            return []
        self._made[name] = self._builder.add(
            Verb.CREATE,
            resource,
            request=engine.CreateVolume(spec=spec),
            cause=cause,
            silent=True,
        )
        return [self._made[name]]

    # -- what comes, dependencies first -------------------------------------------------------
    def _plan_coming(self, decisions: list[Decision]) -> None:
        """Make what is new of one service, run its `pre_start` commands, start it."""
        service = decisions[0].service
        starting: list[tuple[Decision, list[int]]] = []
        for decision in decisions:
            identifier, name = self._identity(decision)
            match decision.action:
                case Action.REMOVE:
                    pass
                case Action.KEEP:
                    self._builder.kept.append(container_resource(name))
                case Action.START | Action.RESTART:
                    needs = [self._stopped[identifier]] if identifier in self._stopped else []
                    starting.append((decision, needs))
                case Action.CREATE | Action.RECREATE:
                    starting.append((decision, [self._create(decision, identifier, name)]))
        hooks: list[int] = []
        if service.pre_start and prestart.is_due(decisions):
            hooks = self._plan_hooks(service, starting)
        for decision, needs in starting:
            self._start(decision, [*needs, *hooks])

    def _identity(self, decision: Decision) -> tuple[str, str]:
        service, number = decision.service, decision.number
        name = container_name(self._desired.project, service, number)
        return self._ids.get((service.name, number), ""), name

    def _plan_hooks(
        self, service: Service, starting: list[tuple[Decision, list[int]]]
    ) -> list[int]:
        """Run the `pre_start` commands one after another; the operations that end the last one."""
        for earlier in self._observed.hooks_of(service.name):
            self._remove(earlier, "left from an earlier start")
        before: list[int] = []
        for position, step in enumerate(service.pre_start):
            of = starting if step.per_replica else starting[:1]
            before = [key for each in of for key in self._plan_hook(position, *each, before)]
        return before

    def _plan_hook(
        self, position: int, decision: Decision, needs: list[int], before: list[int]
    ) -> list[int]:
        """Make, start, await and remove one command's container; only make it for `create`."""
        service, cause = decision.service, prestart.describe(decision.service, position)
        identifier, name = self._identity(decision)
        spec = prestart.hook_spec(
            self._desired,
            service,
            position,
            self._specs.get(identifier) or self._spec(decision, identifier, name),
            peers=self._peers,
            new_id=self._new_id(),
        )
        needs = needs + [self._removed[c.id] for c in self._observed.hooks_of(service.name)]
        needs += [key for endpoint in spec.endpoints for key in self._network(endpoint.network)]
        resource = container_resource(spec.name)
        add = self._builder.add
        created = add(
            Verb.CREATE,
            resource,
            request=engine.CreateContainer(spec=spec),
            cause="pre_start",
            needs=needs,
        )
        if not self._options.start:
            return []
        required, wanted = self._dependencies(service)
        started = add(
            Verb.START,
            resource,
            request=engine.StartContainer(id=spec.id),
            needs=[created, *before, *required],
            wants=wanted,
        )
        ended = add(
            Verb.AWAIT_EXIT,
            resource,
            request=engine.WaitExited(id=spec.id),
            cause=cause,
            needs=[started],
            must_succeed=True,
        )
        add(Verb.REMOVE, resource, request=engine.RemoveContainer(id=spec.id), needs=[ended])
        return [ended]

    def _create(self, decision: Decision, identifier: str, name: str) -> int:
        spec = self._specs[identifier] = self._spec(decision, identifier, name)
        if decision.service.name not in self._mounts:
            self._mounts[decision.service.name] = spec.mounts
        needs = [key for e in spec.endpoints for key in self._network(e.network)]
        needs += [key for mount in spec.mounts for key in self._volume(mount, name)]
        if decision.existing is not None:
            needs.append(self._removed[decision.existing.id])
        for parent in namespace_parents(decision.service):
            if parent in self._created:
                needs.append(self._created[parent])
        key = self._builder.add(
            Verb.CREATE,
            container_resource(name),
            request=engine.CreateContainer(spec=spec),
            cause=decision.cause,
            needs=needs,
        )
        self._created.setdefault(decision.service.name, key)
        return key

    def _spec(self, decision: Decision, identifier: str, name: str) -> ContainerSpec:
        service = decision.service
        return container_spec(
            self._desired.project,
            service,
            self._desired.images[service.name],
            Identity(
                id=ContainerId(identifier),
                name=name,
                number=decision.number,
                config_hash=self._desired.hashes[service.name],
                aliases=self._desired.aliases(service.name),
            ),
            peers=self._peers,
            volumes=Volumes(
                self._new_id,
                self._inherited(decision.existing),
                self._borrowed(service),
                self._desired.other_images,
            ),
        )

    def _all_peers(self) -> Peers:
        first: dict[str, str] = {}
        for (service, _), identifier in self._ids.items():
            first.setdefault(service, identifier)
        return Peers(first, {c.name: c.id for c in self._observed.containers})

    def _inherited(self, existing: ContainerState | None) -> dict[str, str]:
        if existing is None or self._options.renew_anonymous_volumes:
            return {}
        return self._observed.anonymous_volumes(existing)

    def _borrowed(self, service: Service) -> tuple[Mount, ...]:
        borrowed: list[Mount] = []
        for source in service.volumes_from:
            borrowed += self._mounts_of(source.service)
        return tuple(borrowed)

    def _mounts_of(self, name: str) -> tuple[Mount, ...]:
        """The mounts of the first container of service *name*, kept or new."""
        if name not in self._mounts:
            decisions = self._by_service.get(name, [])
            if not decisions:
                return ()
            spec = self._spec(decisions[0], "", "")
            self._mounts[name] = spec.mounts
        return self._mounts[name]

    def _start(self, decision: Decision, needs: list[int]) -> None:
        if not self._options.start:
            return
        identifier, name = self._identity(decision)
        required, wanted = self._dependencies(decision.service)
        existing = decision.existing
        paused = existing is not None and existing.status == Status.PAUSED
        unpause = paused and decision.action is Action.START
        container = ContainerId(identifier)
        self._started[identifier] = self._builder.add(
            Verb.UNPAUSE if unpause else Verb.START,
            container_resource(name),
            request=engine.UnpauseContainer(id=container)
            if unpause
            else engine.StartContainer(id=container),
            cause=decision.cause if decision.action in (Action.START, Action.RESTART) else "",
            needs=[*needs, *required],
            wants=wanted,
        )

    # -- waiting for dependencies -------------------------------------------------------------
    def _dependencies(self, service: Service) -> tuple[list[int], list[int]]:
        """What a start of *service* needs, and what it only wants."""
        required: list[int] = []
        wanted: list[int] = []
        for edge in service.depends_on:
            for decision in self._by_service.get(edge.service, ()):
                if decision.action is Action.REMOVE:
                    continue
                key = self._waits.until(edge.condition, self._awaited(decision))
                if key is not None:
                    (required if edge.required else wanted).append(key)
        return required, wanted

    def _awaited(self, decision: Decision) -> Awaited:
        identifier = ContainerId(self._ids[decision.service.name, decision.number])
        name = container_name(self._desired.project, decision.service, decision.number)
        state = decision.existing if decision.action is not Action.RECREATE else None
        started = self._started.get(identifier)
        return Awaited(identifier, container_resource(name), state, started)


_GOING = (Action.REMOVE, Action.RECREATE, Action.RESTART)


def _restarting_dependents(services: Iterable[Service]) -> dict[str, list[str]]:
    """Service -> the services that restart with it (`depends_on` with `restart: true`)."""
    dependents: dict[str, list[str]] = {}
    for service in services:
        for edge in service.depends_on:
            if edge.restart:
                dependents.setdefault(edge.service, []).append(service.name)
    return dependents
