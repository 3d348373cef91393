"""What every engine must do: `orchestra.engine.base` as tests.

An engine's test class derives from `EngineContract` and says how its containers behave: `running`,
`exiting` … give specs whose containers do that. Nothing here knows which engine it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.engine import base
from orchestra.errors import Conflict, LaunchFailed, NotFound, OrchestraError
from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    Endpoint,
    HealthCheck,
    ImageId,
    Mount,
    MountKind,
    NetworkMode,
    Process,
    Resources,
    RestartMode,
    RestartPolicy,
)
from orchestra.model.network import NetworkSpec, VolumeSpec
from orchestra.model.state import Health, Status

if TYPE_CHECKING:
    from orchestra.model.state import ContainerState

PROJECT = "contract"


class EngineContract:
    """Derive, and define the `engine` fixture and `argv`."""

    image = "host"

    def argv(self, what: str) -> tuple[str, ...]:
        """The command whose container does *what*: a name used as the service, too."""
        return {
            "runs": ("sleep", "60"),
            "exits-0": ("sh", "-c", "exit 0"),
            "exits-3": ("sh", "-c", "exit 3"),
            "stubborn": ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"),
            "missing": ("/no/such/command",),
        }[what]

    def spec(self, what: str, *, name: str = "", health: str = "") -> ContainerSpec:
        """A container that does *what*; with *health* its check gives that verdict."""
        test = ("CMD", "true" if health == Health.HEALTHY else "false")
        check = HealthCheck(test=test, interval_s=0.1, retries=1, start_interval_s=0.1)
        return ContainerSpec(
            id=ContainerId(os.urandom(32).hex()),
            name=name or f"contract-{what}-1",
            project=PROJECT,
            service=f"{what}-{health}" if health else what,
            image=self.image,
            image_id=ImageId(self.image),
            process=Process(argv=self.argv(what)),
            healthcheck=check if health else None,
            stop_grace_s=0.2,
        )

    # -- small steps --------------------------------------------------------------------------
    def create(self, engine: base.Engine, spec: ContainerSpec) -> ContainerId:
        base.call(engine, base.CreateContainer(spec=spec))
        return spec.id

    def started(self, engine: base.Engine, what: str, **fields: str) -> ContainerId:
        identifier = self.create(engine, self.spec(what, **fields))
        base.call(engine, base.StartContainer(id=identifier))
        return identifier

    def state(self, engine: base.Engine, identifier: str) -> ContainerState:
        return next(c for c in engine.observe().containers if c.id == identifier)

    # -- life cycle ---------------------------------------------------------------------------
    def test_created_container_does_not_run(self, engine: base.Engine) -> None:
        spec = self.spec("runs")
        self.create(engine, spec)
        state = self.state(engine, spec.id)
        assert (state.status, state.pid, state.name) == (Status.CREATED, 0, spec.name)
        assert state.command == spec.process.argv

    def test_started_container_runs(self, engine: base.Engine) -> None:
        state = self.state(engine, self.started(engine, "runs"))
        assert state.status == Status.RUNNING
        assert state.pid > 0
        assert state.started_ns >= state.created_ns

    def test_starting_what_runs_succeeds(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        before = self.state(engine, identifier)
        base.call(engine, base.StartContainer(id=identifier))
        assert self.state(engine, identifier).pid == before.pid

    def test_command_that_does_not_exist_fails_with_127(self, engine: base.Engine) -> None:
        with pytest.raises(LaunchFailed) as caught:
            self.started(engine, "missing")
        assert caught.value.exit_code == 127

    def test_stop_ends_with_the_signal(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        base.call(engine, base.StopContainer(id=identifier))
        state = self.state(engine, identifier)
        assert state.status == Status.EXITED
        assert state.exit_code in (137, 143)  # PID 1 may ignore SIGTERM
        assert state.stopped_by_user

    def test_stop_kills_after_the_grace_period(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "stubborn")
        base.call(engine, base.StopContainer(id=identifier, grace_s=0.1))
        assert self.state(engine, identifier).exit_code == 137

    def test_stopping_what_is_stopped_succeeds(self, engine: base.Engine) -> None:
        identifier = self.create(engine, self.spec("runs"))
        base.call(engine, base.StopContainer(id=identifier))
        assert self.state(engine, identifier).status in (Status.CREATED, Status.EXITED)

    def test_kill_ends_at_once(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "stubborn")
        base.call(engine, base.KillContainer(id=identifier))
        assert base.call(engine, base.WaitExited(id=identifier)).exit_code == 137

    def test_killing_what_does_not_run_is_a_conflict(self, engine: base.Engine) -> None:
        identifier = self.create(engine, self.spec("runs"))
        with pytest.raises(Conflict):
            base.call(engine, base.KillContainer(id=identifier))

    def test_what_has_no_stdin_has_no_input(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        assert base.call(engine, base.AttachInput(id=identifier)).fds == ()

    def test_attaching_to_what_does_not_run_is_a_conflict(self, engine: base.Engine) -> None:
        identifier = self.create(engine, self.spec("runs"))
        with pytest.raises(Conflict):
            base.call(engine, base.AttachInput(id=identifier))

    def test_restart_gives_a_new_process(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        before = self.state(engine, identifier)
        base.call(engine, base.RestartContainer(id=identifier, grace_s=0.1))
        after = self.state(engine, identifier)
        assert after.status == Status.RUNNING
        assert (after.pid, after.start_ticks) != (before.pid, before.start_ticks)

    def test_exited_container_starts_again(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        base.call(engine, base.StopContainer(id=identifier))
        base.call(engine, base.StartContainer(id=identifier))
        assert self.state(engine, identifier).status == Status.RUNNING

    def test_pause_and_unpause(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        base.call(engine, base.PauseContainer(id=identifier))
        assert self.state(engine, identifier).status == Status.PAUSED
        base.call(engine, base.UnpauseContainer(id=identifier))
        assert self.state(engine, identifier).status == Status.RUNNING

    def test_unpausing_what_is_not_paused_is_a_conflict(self, engine: base.Engine) -> None:
        with pytest.raises(Conflict):
            base.call(engine, base.UnpauseContainer(id=self.started(engine, "runs")))

    def test_rename(self, engine: base.Engine) -> None:
        identifier = self.create(engine, self.spec("runs"))
        base.call(engine, base.RenameContainer(id=identifier, name="contract-other-1"))
        assert self.state(engine, identifier).name == "contract-other-1"

    def test_update_needs_no_running_container(self, engine: base.Engine) -> None:
        resources = Resources(memory_bytes=64 << 20)
        restart = RestartPolicy(mode=RestartMode.ON_FAILURE, max_attempts=2)
        identifier = self.create(engine, self.spec("runs"))
        base.call(engine, base.UpdateContainer(id=identifier, resources=resources, restart=restart))
        base.call(engine, base.StartContainer(id=identifier))
        base.call(engine, base.UpdateContainer(id=identifier, resources=resources))
        assert self.state(engine, identifier).status == Status.RUNNING
        with pytest.raises(NotFound):
            base.call(engine, base.UpdateContainer(id=ContainerId("f" * 64), resources=resources))

    # -- waiting ------------------------------------------------------------------------------
    def test_wait_for_the_exit_gives_the_code(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "exits-3")
        assert base.call(engine, base.WaitExited(id=identifier)).exit_code == 3

    def test_wait_for_what_has_exited_answers_at_once(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "exits-3")
        base.call(engine, base.WaitExited(id=identifier))
        assert base.call(engine, base.WaitExited(id=identifier)).exit_code == 3

    def test_container_without_a_check_is_healthy_when_it_runs(self, engine: base.Engine) -> None:
        base.call(engine, base.WaitHealthy(id=self.started(engine, "runs")))

    def test_wait_until_healthy(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs", health=Health.HEALTHY)
        base.call(engine, base.WaitHealthy(id=identifier))
        assert self.state(engine, identifier).health == Health.HEALTHY

    def test_wait_for_what_becomes_unhealthy_fails(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs", health=Health.UNHEALTHY)
        with pytest.raises(OrchestraError, match="unhealthy"):
            base.call(engine, base.WaitHealthy(id=identifier))

    def test_wait_for_the_health_of_what_exits_fails(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "exits-3", health=Health.UNHEALTHY)
        with pytest.raises(OrchestraError):
            base.call(engine, base.WaitHealthy(id=identifier))

    def test_what_ends_well_is_ready_where_the_waiting_one_says_so(
        self, engine: base.Engine
    ) -> None:
        identifier = self.started(engine, "exits-0")
        base.call(engine, base.WaitHealthy(id=identifier, or_completed=True))
        base.call(engine, base.WaitExited(id=identifier))
        base.call(engine, base.WaitHealthy(id=identifier, or_completed=True))
        with pytest.raises(OrchestraError, match=r"exited \(0\)"):
            base.call(engine, base.WaitHealthy(id=identifier))

    def test_what_ends_badly_is_not_ready(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "exits-3")
        base.call(engine, base.WaitExited(id=identifier))
        with pytest.raises(OrchestraError, match=r"exited \(3\)"):
            base.call(engine, base.WaitHealthy(id=identifier, or_completed=True))

    def test_answers_come_in_the_order_of_events(self, engine: base.Engine) -> None:
        slow = self.started(engine, "runs")
        first = engine.submit(base.WaitExited(id=slow))
        second = engine.submit(base.StopContainer(id=self.create(engine, self.spec("exits-3"))))
        answer = engine.next_completion()
        assert answer is not None
        assert answer.ticket == second
        engine.submit(base.KillContainer(id=slow))
        tickets = []
        while first not in tickets:
            answer = engine.next_completion()
            assert answer is not None
            tickets.append(answer.ticket)

    def test_nothing_known_yet_is_none(self, engine: base.Engine) -> None:
        engine.submit(base.WaitExited(id=self.started(engine, "runs")))
        assert engine.next_completion(0.01) is None

    # -- removal and names --------------------------------------------------------------------
    def test_removed_container_is_gone(self, engine: base.Engine) -> None:
        identifier = self.create(engine, self.spec("runs"))
        base.call(engine, base.RemoveContainer(id=identifier))
        assert engine.observe().containers == ()

    def test_removing_what_is_gone_succeeds(self, engine: base.Engine) -> None:
        base.call(engine, base.RemoveContainer(id=ContainerId("0" * 64)))

    def test_running_container_is_removed_only_by_force(self, engine: base.Engine) -> None:
        identifier = self.started(engine, "runs")
        with pytest.raises(Conflict):
            base.call(engine, base.RemoveContainer(id=identifier))
        base.call(engine, base.RemoveContainer(id=identifier, force=True))
        assert engine.observe().containers == ()

    def test_name_that_is_taken_is_a_conflict(self, engine: base.Engine) -> None:
        self.create(engine, self.spec("runs", name="contract-web-1"))
        with pytest.raises(Conflict, match="contract-web-1"):
            self.create(engine, self.spec("exits-3", name="contract-web-1"))

    def test_unknown_container_is_not_found(self, engine: base.Engine) -> None:
        with pytest.raises(NotFound):
            base.call(engine, base.StartContainer(id=ContainerId("0" * 64)))

    # -- volumes ------------------------------------------------------------------------------
    def volume(self, name: str, *, anonymous: bool = False) -> VolumeSpec:
        return VolumeSpec(name=name, project=PROJECT, key="/data", anonymous=anonymous)

    def with_volume(
        self, engine: base.Engine, name: str, *, anonymous: bool = False
    ) -> ContainerId:
        base.call(engine, base.CreateVolume(spec=self.volume(name, anonymous=anonymous)))
        mount = Mount(kind=MountKind.VOLUME, target="/tmp/data", source=name, anonymous=anonymous)
        spec = msgspec.structs.replace(self.spec("runs"), mounts=(mount,))
        return self.create(engine, spec)

    def test_volume_is_observed_with_its_specification(self, engine: base.Engine) -> None:
        base.call(engine, base.CreateVolume(spec=self.volume("contract_data")))
        base.call(engine, base.CreateVolume(spec=self.volume("contract_data")))
        (volume,) = engine.observe().volumes
        assert volume.spec == self.volume("contract_data")

    def test_mounted_volume_is_named_in_the_state_and_in_use(self, engine: base.Engine) -> None:
        identifier = self.with_volume(engine, "contract_data")
        assert self.state(engine, identifier).mounts == ("contract_data",)
        with pytest.raises(Conflict):
            base.call(engine, base.RemoveVolume(name="contract_data"))
        base.call(engine, base.RemoveContainer(id=identifier))
        base.call(engine, base.RemoveVolume(name="contract_data"))
        assert engine.observe().volumes == ()

    def test_anonymous_volumes_go_with_the_container_on_demand(self, engine: base.Engine) -> None:
        kept = self.with_volume(engine, "a" * 64, anonymous=True)
        base.call(engine, base.RemoveContainer(id=kept))
        assert len(engine.observe().volumes) == 1
        going = self.with_volume(engine, "b" * 64, anonymous=True)
        base.call(engine, base.RemoveContainer(id=going, volumes=True))
        assert [v.spec.name for v in engine.observe().volumes] == ["a" * 64]

    def test_external_volume_must_exist(self, engine: base.Engine) -> None:
        external = msgspec.structs.replace(self.volume("contract_elsewhere"), external=True)
        with pytest.raises(NotFound):
            base.call(engine, base.CreateVolume(spec=external))

    # -- networks -----------------------------------------------------------------------------
    def network(self) -> NetworkSpec:
        return NetworkSpec(name="contract_default", project=PROJECT, key="default")

    def test_network_is_created_once_and_removed(self, engine: base.Engine) -> None:
        base.call(engine, base.CreateNetwork(spec=self.network()))
        base.call(engine, base.CreateNetwork(spec=self.network()))
        (network,) = engine.observe().networks
        assert network.spec == self.network()
        assert network.subnet
        base.call(engine, base.RemoveNetwork(name="contract_default"))
        base.call(engine, base.RemoveNetwork(name="contract_default"))
        assert engine.observe().networks == ()

    def test_network_in_use_is_not_removed(self, engine: base.Engine) -> None:
        base.call(engine, base.CreateNetwork(spec=self.network()))
        spec = msgspec.structs.replace(
            self.spec("runs"),
            network_mode=NetworkMode.ENDPOINTS,
            endpoints=(Endpoint(network="contract_default", aliases=("web",)),),
        )
        self.create(engine, spec)
        assert self.state(engine, spec.id).endpoints[0].network == "contract_default"
        base.call(engine, base.StartContainer(id=spec.id))
        with pytest.raises(Conflict):
            base.call(engine, base.RemoveNetwork(name="contract_default"))

    def test_a_container_comes_to_a_network_and_leaves_it(self, engine: base.Engine) -> None:
        base.call(engine, base.CreateNetwork(spec=self.network()))
        other = msgspec.structs.replace(self.network(), name="contract_other", key="other")
        base.call(engine, base.CreateNetwork(spec=other))
        spec = msgspec.structs.replace(
            self.spec("runs"),
            network_mode=NetworkMode.ENDPOINTS,
            endpoints=(Endpoint(network="contract_default"),),
        )
        self.create(engine, spec)
        joined = Endpoint(network="contract_other", aliases=("www",))
        for _ in range(2):
            base.call(engine, base.ConnectNetwork(id=spec.id, endpoint=joined))
        on = [each.network for each in self.state(engine, spec.id).endpoints]
        assert on == ["contract_default", "contract_other"]
        base.call(engine, base.StartContainer(id=spec.id))
        for _ in range(2):
            base.call(engine, base.DisconnectNetwork(id=spec.id, network="contract_default"))
        on = [each.network for each in self.state(engine, spec.id).endpoints]
        assert on == ["contract_other"]
        base.call(engine, base.RemoveNetwork(name="contract_default"))
        nowhere = Endpoint(network="contract_nowhere")
        with pytest.raises(NotFound):
            base.call(engine, base.ConnectNetwork(id=spec.id, endpoint=nowhere))

    def test_external_network_must_exist(self, engine: base.Engine) -> None:
        external = msgspec.structs.replace(self.network(), name="elsewhere", external=True)
        with pytest.raises(NotFound):
            base.call(engine, base.CreateNetwork(spec=external))
