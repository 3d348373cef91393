"""The cgroup manager of this host, whichever version it has, seen through its effects."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestra.cgroup.disabled import NoManager
from orchestra.cgroup.select import select_manager
from orchestra.errors import RuntimeFailure
from orchestra.model.container import BlkioRate, Device, Resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.cgroup.base import CgroupManager, CgroupScope

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="writing cgroups needs root"),
]

PROJECT = f"cgtest{os.getpid()}"
NAME = f"{PROJECT}/{'c' * 64}"


@pytest.fixture
def manager() -> Iterator[CgroupManager]:
    chosen = select_manager()
    if isinstance(chosen, NoManager):
        pytest.skip("no cgroup hierarchy of this host may be written")
    yield chosen
    with contextlib.suppress(FileNotFoundError):
        scope = chosen.find(NAME, Resources(cpuset_cpus="0", cpu_shares=2, pids=1))
        scope.kill()
        scope.destroy()
    chosen.remove_project(PROJECT)


@contextlib.contextmanager
def running(scope: CgroupScope, work: Callable[[], int]) -> Iterator[int]:
    """A child that entered *scope* and does *work*; killed and reaped in the end."""
    ready, tell = os.pipe()
    pid = scope.fork()
    if pid == 0:
        code = 99
        try:
            scope.enter()
            os.write(tell, b"x")
            code = work()
        finally:
            os._exit(code)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"x"
        yield pid
    finally:
        os.close(ready)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def exit_code(pid: int) -> int:
    """Wait for *pid* and give its exit code; -N when signal N ended it."""
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def sleep_long() -> int:
    time.sleep(30)
    return 0


def create(
    manager: CgroupManager, resources: Resources | None = None, *devices: Device
) -> CgroupScope:
    return manager.create(NAME, resources or Resources(), devices, privileged=False)


def eventually(check: Callable[[], bool], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_scope_holds_who_entered_and_can_be_found_again(manager: CgroupManager) -> None:
    scope = create(manager)
    with running(scope, sleep_long) as pid:
        assert scope.pids() == (pid,)
        assert manager.find(NAME, Resources()).pids() == (pid,)


def test_a_forked_child_is_a_whole_process_and_its_parent_stays_outside(
    manager: CgroupManager,
) -> None:
    def work() -> int:
        thread = threading.Thread(target=time.sleep, args=(0,))
        thread.start()
        thread.join()
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(7))
        signal.raise_signal(signal.SIGUSR1)
        time.sleep(1)
        return 1

    scope = create(manager)
    with running(scope, work) as pid:
        assert exit_code(pid) == 7
        assert os.getpid() not in scope.pids()


def test_forking_into_a_scope_that_is_gone_tells_the_child_when_it_enters(
    manager: CgroupManager,
) -> None:
    scope = create(manager)
    scope.destroy()
    pid = scope.fork()
    if pid == 0:
        try:
            scope.enter()
        except FileNotFoundError:
            os._exit(3)
        finally:
            os._exit(4)
    assert exit_code(pid) == 3


def test_kill_ends_every_process_also_grandchildren(manager: CgroupManager) -> None:
    def fork_and_sleep() -> int:
        for _ in range(5):
            os.fork()
        return sleep_long()

    scope = create(manager)
    with running(scope, fork_and_sleep) as pid:
        assert eventually(lambda: len(scope.pids()) == 32)
        scope.kill()
        assert exit_code(pid) == -signal.SIGKILL
    scope.destroy()
    assert scope.pids() == ()


def test_kill_ends_a_frozen_container(manager: CgroupManager) -> None:
    scope = create(manager)
    with running(scope, sleep_long) as pid:
        scope.freeze()
        scope.kill()
        assert exit_code(pid) == -signal.SIGKILL


def test_freeze_stops_and_thaw_continues(manager: CgroupManager) -> None:
    def spin() -> int:
        while True:
            pass

    scope = create(manager)
    with running(scope, spin):
        assert eventually(lambda: scope.usage().cpu_usage_ns > 10_000_000)
        scope.freeze()
        frozen_at = scope.usage().cpu_usage_ns
        time.sleep(0.1)
        assert scope.usage().cpu_usage_ns - frozen_at < 20_000_000
        scope.thaw()
        assert eventually(lambda: scope.usage().cpu_usage_ns > frozen_at + 30_000_000)


def test_everything_accepts_that_the_scope_is_gone(manager: CgroupManager) -> None:
    scope = create(manager)
    scope.destroy()

    scope.kill()
    scope.freeze()
    scope.thaw()
    scope.destroy()

    assert scope.pids() == ()
    assert scope.usage().pids == 0


def test_creating_twice_gives_the_same_scope(manager: CgroupManager) -> None:
    create(manager)
    with running(create(manager), sleep_long) as pid:
        assert manager.find(NAME, Resources()).pids() == (pid,)


def test_destroy_names_the_living_processes(manager: CgroupManager) -> None:
    scope = create(manager)
    with running(scope, sleep_long) as pid, pytest.raises(RuntimeFailure, match=str(pid)):
        scope.destroy()


def test_memory_limit_kills_and_is_counted(manager: CgroupManager) -> None:
    def hoard() -> int:
        hoarded = [b"x" * (1 << 20) for _ in range(200)]
        return len(hoarded) % 2

    scope = create(manager, Resources(memory_bytes=48 << 20, memory_swap_bytes=48 << 20))
    with running(scope, hoard) as pid:
        assert exit_code(pid) == -signal.SIGKILL
    usage = scope.usage()
    assert usage.oom_kills == 1
    assert usage.memory_limit_bytes == 48 << 20


def test_pids_limit_refuses_a_fork(manager: CgroupManager) -> None:
    def fork_until_refused() -> int:
        for count in range(20):
            try:
                if os.fork() == 0:
                    sleep_long()
            except BlockingIOError:
                return count
        return 98

    scope = create(manager, Resources(pids=4))
    with running(scope, fork_until_refused) as pid:
        assert exit_code(pid) == 3
        scope.kill()


def test_cpus_bounds_the_time_used(manager: CgroupManager) -> None:
    """Asks how long half a second of CPU takes: a busy machine can only make that longer."""

    def spin() -> int:
        began = time.monotonic()
        while time.process_time() < 0.5:
            pass
        return min(int((time.monotonic() - began) * 10), 99)

    scope = create(manager, Resources(cpu_nanos=200_000_000))
    with running(scope, spin) as pid:
        tenths = exit_code(pid)
    assert tenths >= 15  # 2.5 s less what the last period may overdraw
    assert scope.usage().cpu_usage_ns >= 400_000_000


def skip_without_cpuset(manager: CgroupManager) -> None:
    if manager.warnings(Resources(cpuset_cpus="0")):
        pytest.skip("the kernel has no cpuset controller")


def test_cpuset_chooses_the_cpus(manager: CgroupManager) -> None:
    skip_without_cpuset(manager)
    scope = create(manager, Resources(cpuset_cpus="0"))
    with running(scope, lambda: len(os.sched_getaffinity(0))) as pid:
        assert exit_code(pid) == 1


def test_a_value_that_the_kernel_refuses_names_the_attribute_and_leaves_nothing(
    manager: CgroupManager,
) -> None:
    skip_without_cpuset(manager)
    with pytest.raises(RuntimeFailure, match="cpuset"):
        create(manager, Resources(cpuset_cpus="4000"))

    assert manager.find(NAME, Resources()).pids() == ()
    manager.remove_project(PROJECT)


def test_other_limits_are_accepted(manager: CgroupManager) -> None:
    resources = Resources(
        cpu_shares=512,
        memory_bytes=64 << 20,
        memory_swap_bytes=-1,
        memory_reservation_bytes=32 << 20,
        memory_swappiness=10,
        oom_kill_disable=True,
    )
    create(manager, resources).destroy()


def test_a_missing_device_is_named_before_anything_is_made(manager: CgroupManager) -> None:
    with pytest.raises(Exception, match="/dev/no-such-disk"):
        create(manager, Resources(blkio_read_bps=(BlkioRate(path="/dev/no-such-disk", rate=1),)))


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A directory whose files are page cache; what lies on a tmpfs is memory in use."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        yield Path(directory)


def test_usage_counts_memory_cpu_and_processes_but_not_the_page_cache(
    manager: CgroupManager, on_disk: Path
) -> None:
    held = 40 << 20
    path = on_disk / "cached"

    def work() -> int:
        memory = bytearray(held)
        memory[::4096] = b"x" * len(memory[::4096])
        path.write_bytes(b"y" * (30 << 20))
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        if os.fork() == 0:
            sleep_long()
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        os.rename(path, path.with_suffix(f".{time.process_time_ns()}"))
        return sleep_long()

    scope = create(manager)
    with running(scope, work):
        assert eventually(lambda: any(on_disk.glob("cached.*")), within_s=20)
        usage = scope.usage()
        scope.kill()
    (spent,) = (int(left.suffix[1:]) for left in on_disk.iterdir())

    assert usage.pids == 2
    assert held < usage.memory_bytes < held + (20 << 20)
    assert 0.8 * spent < usage.cpu_usage_ns < 1.2 * spent + 300_000_000
    assert usage.memory_limit_bytes == 0
    assert usage.oom_kills == 0


def open_devices() -> int:
    """Bits: 1 /dev/null opens, 2 /dev/zero opens, 4 kmsg opens, 8 a node can be made."""
    bits = 0
    for bit, path in ((1, "/dev/null"), (2, "/dev/zero"), (4, "/dev/kmsg")):
        with contextlib.suppress(PermissionError):
            os.close(os.open(path, os.O_RDONLY))
            bits |= bit
    node = os.path.join(tempfile.gettempdir(), f"{PROJECT}-node")
    with contextlib.suppress(PermissionError):
        os.mknod(node, 0o020600, os.makedev(1, 11))
        os.unlink(node)
        bits |= 8
    return bits


def test_only_the_usual_devices_can_be_opened(manager: CgroupManager) -> None:
    with running(create(manager), open_devices) as pid:
        assert exit_code(pid) == 1 | 2 | 8


def test_a_mapped_device_and_a_rule_open_more(manager: CgroupManager) -> None:
    scope = create(manager, Resources(), Device(source="/dev/kmsg", target="/dev/kmsg"))
    with running(scope, open_devices) as pid:
        assert exit_code(pid) == 1 | 2 | 4 | 8
    scope.destroy()

    scope = create(manager, Resources(device_rules=("c 1:11 r",)))
    with running(scope, open_devices) as pid:
        assert exit_code(pid) == 1 | 2 | 4 | 8


def test_privileged_opens_every_device(manager: CgroupManager) -> None:
    scope = manager.create(NAME, Resources(), (), privileged=True)
    with running(scope, open_devices) as pid:
        assert exit_code(pid) == 1 | 2 | 4 | 8


def test_a_parent_of_the_users_own_is_honoured(manager: CgroupManager) -> None:
    resources = Resources(cgroup_parent=f"/{PROJECT}-parent")
    scope = manager.create(NAME, resources, (), privileged=False)
    try:
        with running(scope, sleep_long) as pid, open(f"/proc/{pid}/cgroup") as file:
            assert f"/{PROJECT}-parent/{'c' * 64}" in file.read()
    finally:
        scope.destroy()
        for mount in ("", *os.listdir("/sys/fs/cgroup")):
            with contextlib.suppress(OSError):
                os.rmdir(f"/sys/fs/cgroup/{mount}/{PROJECT}-parent")


def test_nothing_is_left_of_a_removed_project(manager: CgroupManager) -> None:
    create(manager).destroy()
    manager.remove_project(PROJECT)

    left = [path for path, _, _ in os.walk("/sys/fs/cgroup") if PROJECT in path]
    assert left == []
