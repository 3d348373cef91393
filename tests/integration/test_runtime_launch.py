"""What a container sees of itself and of the host, launched by the runtime alone."""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import LaunchFailed
from orchestra.linux.clone import Kin
from orchestra.linux.constants import MNT_DETACH
from orchestra.linux.mount import mount, umount
from orchestra.linux.procfs import is_running
from orchestra.model.container import (
    Device,
    FileContent,
    Mount,
    MountKind,
    Namespaces,
    NetworkMode,
    Security,
    Ulimit,
)
from orchestra.model.network import VolumeFilesystem
from orchestra.runtime.base import VolumeMount
from orchestra.runtime.launch import Launcher
from tests.integration.containers import Host
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.network]

BIND, VOLUME, TMPFS = MountKind.BIND, MountKind.VOLUME, MountKind.TMPFS


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.close()


def shell(host: Host, script: str, **options: object) -> str:
    """What *script* prints; it must succeed."""
    ended = host.run("sh", "-ec", script, **options)
    assert ended.exit_code == 0, ended.output
    return ended.output.strip()


# -- the process ----------------------------------------------------------------------------------
def test_the_command_is_pid_1_of_its_own_namespaces(host: Host) -> None:
    kinds = ("pid", "net", "ipc", "uts", "mnt")
    script = "echo $$; " + "; ".join(f"readlink /proc/self/ns/{kind}" for kind in kinds)
    first, *spaces = shell(host, script).splitlines()
    assert first == "1"
    assert not set(spaces) & {os.readlink(f"/proc/self/ns/{kind}") for kind in kinds}


@pytest.mark.parametrize("kin", [Kin.SIBLING, None])
def test_a_container_is_the_reapers_child_not_its_launchers(
    tmp_path: Path, kin: Kin | None
) -> None:
    """The test is the reaper, its child launches and ends; unless the container is to be that
    one's sibling by way of a child of its own.
    """
    host = Host(tmp_path, Launcher(kin=kin))
    reading, writing = os.pipe()
    launcher = os.fork()
    if launcher == 0:
        launched, _ = host.launch("sleep", "60")
        had_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt > 0
        os.write(writing, b"%d %d %d" % (launched.pid, launched.start_ticks, had_child))
        os._exit(0)
    pid, ticks, forked = map(int, os.read(reading, 99).split())
    os.waitpid(launcher, 0)
    try:
        assert bool(forked) is (kin is None)
        assert is_running(pid, ticks)
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip().split(":\t", 1) for line in file)
        assert status["PPid"] == str(os.getpid())
        assert status["NSpid"].split() == [str(pid), "1"]
    finally:
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        host.close()
        os.close(reading)
        os.close(writing)


def test_a_container_may_be_its_launchers_child(tmp_path: Path) -> None:
    host = Host(tmp_path, Launcher(kin=Kin.CHILD))
    launched, reader = host.launch("sleep", "60")
    try:
        with open(f"/proc/{launched.pid}/status") as file:
            status = dict(line.rstrip().split(":\t", 1) for line in file)
        assert status["PPid"] == str(os.getpid())
        assert status["NSpid"].split() == [str(launched.pid), "1"]
    finally:
        os.kill(launched.pid, signal.SIGKILL)
        assert host.wait(launched) == -signal.SIGKILL
        os.close(reader)
        host.close()


def test_exit_codes_and_signals_are_the_commands_own(host: Host) -> None:
    assert host.run("sh", "-c", "exit 7").exit_code == 7
    launched, reader = host.launch("sleep", "60")
    os.kill(launched.pid, signal.SIGKILL)
    assert host.wait(launched) == -signal.SIGKILL
    os.close(reader)


def test_the_environment_is_dockers(host: Host) -> None:
    env = shell(host, "env", hostname="box", process={"env": (("A", "b c"),), "user": "app"})
    lines = env.splitlines()
    assert "HOSTNAME=box" in lines
    assert "HOME=/home/app" in lines
    assert "A=b c" in lines
    assert "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in lines


def test_capabilities_and_signals_are_dockers_defaults(host: Host) -> None:
    status = dict(
        line.split(":\t")
        for line in shell(host, "cat /proc/self/status").splitlines()
        if ":\t" in line
    )
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"00000000a80425fb"}
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert int(status["SigIgn"], 16) == int(status["SigBlk"], 16) == 0
    assert status["NoNewPrivs"] == "0"


def test_a_user_has_no_capabilities_and_its_groups(host: Host) -> None:
    output = shell(
        host,
        "id -u; id -g; id -G | tr ' ' '\\n' | sort -n | xargs; "
        "grep CapEff /proc/self/status; echo reopened > /dev/stdout",
        process={"user": "app", "groups": ("44",)},
    )
    assert output.splitlines() == [
        "1000",
        "1001",
        "44 100 1001",
        "CapEff:\t0000000000000000",
        "reopened",
    ]


def test_nothing_of_ours_is_open_in_the_container(host: Host) -> None:
    assert shell(host, "ls /proc/$$/fd").split() == ["0", "1", "2"]


def test_limits_are_set_as_far_as_the_host_allows(host: Host) -> None:
    limits = (Ulimit(name="nofile", soft=100, hard=200), Ulimit(name="core", soft=0, hard=0))
    assert shell(host, "ulimit -n; ulimit -c", process={"ulimits": limits}) == "100\n0"


def test_no_new_privileges_is_set(host: Host) -> None:
    security = Security(options=("no-new-privileges:true",), cap_drop=("ALL",))
    output = shell(host, "grep -E 'NoNewPrivs|CapEff' /proc/self/status", security=security)
    assert output.split() == ["CapEff:", "0000000000000000", "NoNewPrivs:", "1"]


def test_a_missing_working_directory_is_made(host: Host) -> None:
    assert shell(host, "pwd", process={"cwd": "/made/for/it"}) == "/made/for/it"


@pytest.mark.parametrize(
    ("argv", "exit_code", "words"),
    [
        (("no-such-command",), 127, "not found in the image's $PATH"),
        (("/no/such/file",), 127, "no such file in the image"),
        (("/etc/passwd",), 126, "chmod +x"),
        (("/etc",), 126, "Permission denied"),
    ],
)
def test_a_command_that_cannot_run_is_told(
    host: Host, argv: tuple[str, ...], exit_code: int, words: str
) -> None:
    with pytest.raises(LaunchFailed) as caught:
        host.launch(*argv)
    assert caught.value.exit_code == exit_code
    assert words in str(caught.value)


def test_a_missing_interpreter_is_named(host: Host) -> None:
    script = host.image / "run"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(LaunchFailed, match="interpreter"):
        host.launch("/run")


def test_an_unknown_user_fails_with_125(host: Host) -> None:
    with pytest.raises(LaunchFailed, match='user "bob"') as caught:
        host.launch("true", process={"user": "bob"})
    assert caught.value.exit_code == 125


def test_a_terminal_is_the_containers_console(host: Host) -> None:
    launched, reader = host.launch("sh", "-c", "tty; test -c /dev/console", process={"tty": True})
    assert eventually(lambda: os.read(launched.terminal, 100), within_s=5) == b"/dev/pts/0\r\n"
    assert host.wait(launched) == 0
    os.close(reader)


def test_our_init_passes_signals_on_and_reaps(host: Host) -> None:
    script = "(sleep 0.01 & ); trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done"
    launched, reader = host.launch("sh", "-c", script, process={"init": True})
    eventually(lambda: select_readable(reader), within_s=5)
    os.kill(launched.pid, signal.SIGTERM)
    assert host.wait(launched) == 9
    os.close(reader)


def test_the_supervisors_memory_is_out_of_reach_behind_our_init(host: Host) -> None:
    script = "cat /proc/1/cmdline; for f in environ maps mem; do ! cat /proc/1/$f; done 2>&1"
    output = shell(host, script, process={"init": True})
    assert output.startswith("init\0")
    assert output.count("Permission denied") == 3


def test_an_unknown_security_option_is_refused(host: Host) -> None:
    with pytest.raises(LaunchFailed, match="no-new-privilege"):
        host.launch("true", security=Security(options=("no-new-privilege",)))


def select_readable(fd: int) -> bool:
    import select

    return bool(select.select([fd], [], [], 0)[0])


def mountinfo() -> str:
    with open("/proc/self/mountinfo") as file:
        return file.read()


# -- file systems ---------------------------------------------------------------------------------
def test_the_host_is_not_visible_and_its_mounts_are_untouched(host: Host) -> None:
    before = mountinfo()
    mounts = shell(host, "cat /proc/self/mountinfo")
    assert "/run1/root" not in mounts
    assert mountinfo() == before


def test_kernel_paths_are_hidden_or_read_only(host: Host) -> None:
    script = (
        'test -z "$(cat /proc/timer_list /proc/keys)"; test -z "$(ls /sys/firmware)"; '
        "! echo 1 > /proc/sys/vm/drop_caches; ! mkdir /sys/fs/cgroup/x"
    )
    shell(host, f"({script}) 2>/dev/null")


def test_a_data_root_that_cannot_hold_an_overlay_is_named(host: Host, tmp_path: Path) -> None:
    """As inside another container, whose own root is an overlay."""
    below, own = tmp_path / "below", tmp_path / "below" / "root"
    for name in ("lower", "upper", "work", "root"):
        (below / name).mkdir(parents=True)
    layers = ",".join(f"{name}dir={below / name}" for name in ("lower", "upper", "work"))
    mount("overlay", str(own), "overlay", 0, layers)
    try:
        inner = Host(own)
        with pytest.raises(LaunchFailed, match="ORCHESTRA_DATA_ROOT"):
            inner.launch("true")
    finally:
        umount(str(own), MNT_DETACH)
        del host


def test_dev_has_the_usual_nodes(host: Host) -> None:
    script = (
        "for d in null zero full random urandom tty; do test -c /dev/$d; done; "
        "test -e /dev/ptmx; test -L /dev/fd; echo x > /dev/null; ls /dev | wc -l"
    )
    has_core = os.path.exists("/proc/kcore")  # then there is a link to it
    assert shell(host, script) == ("15" if has_core else "14")


def test_a_volume_over_a_bind_keeps_the_images_content(host: Host, tmp_path: Path) -> None:
    modules = host.image / "app" / "node_modules"
    modules.mkdir(parents=True)
    (modules / "package").write_text("from the image")
    os.chown(modules, 1000, 1001)
    source, volume = tmp_path / "source", tmp_path / "volume"
    source.mkdir()
    volume.mkdir()
    (source / "main.py").write_text("print()")
    output = shell(
        host,
        "ls /app; cat /app/node_modules/package; stat -c %u /app/node_modules",
        mounts=(
            Mount(kind=VOLUME, target="/app/node_modules", source="v"),
            Mount(kind=BIND, target="/app", source=str(source)),
        ),
        volumes=(VolumeMount("/app/node_modules", str(volume), fill=True),),
    )
    assert output.split() == ["main.py", "node_modules", "from", "the", "image1000"]
    assert (volume / "package").read_text() == "from the image"


def test_a_missing_source_is_made_or_named(host: Host, tmp_path: Path) -> None:
    source = str(tmp_path / "not" / "there")
    with pytest.raises(LaunchFailed, match=source):
        host.launch("true", mounts=(Mount(kind=BIND, target="/x", source=source),))
    bind = Mount(kind=BIND, target="/x", source=source, create_source=True)
    shell(host, "touch /x/file", mounts=(bind,))
    assert os.path.exists(f"{source}/file")


def test_a_read_only_bind_is_read_only_all_the_way_down(host: Host, tmp_path: Path) -> None:
    mount = Mount(kind=BIND, target="/x", source=str(tmp_path), read_only=True)
    assert host.run("touch", "/x/file", mounts=(mount,)).exit_code == 1


def test_a_read_only_root_leaves_tmpfs_and_dev_writable(host: Host) -> None:
    script = "! touch /x 2>/dev/null; ! touch /usr/x 2>/dev/null; touch /t/x /dev/shm/x; pwd"
    output = shell(
        host,
        script,
        security=Security(read_only_root=True),
        mounts=(Mount(kind=TMPFS, target="/t"),),
        process={"cwd": "/work"},
    )
    assert output == "/work"


def test_a_symbolic_link_in_the_image_does_not_lead_a_mount_out(host: Host, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    os.symlink(f"../../../../../../..{victim}", host.image / "escape")
    mount = Mount(kind=BIND, target="/escape/inner", source=str(host.image))
    shell(host, "ls /escape/inner/etc/passwd", mounts=(mount,))
    assert not victim.exists()


def test_a_subpath_cannot_leave_its_volume(host: Host, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    os.symlink("/etc", volume / "link")
    mount = Mount(kind=VOLUME, target="/v", source="v", subpath="link")
    with pytest.raises(LaunchFailed):
        host.launch("true", mounts=(mount,), volumes=(VolumeMount("/v", str(volume), fill=False),))


def test_a_secret_has_its_owner_and_mode_and_stays_off_the_disk(host: Host, tmp_path: Path) -> None:
    file = FileContent(target="/run/secrets/s", content="geheim", uid=1000, gid=5, mode=0o440)
    output = shell(host, "stat -c %u:%g:%a /run/secrets/s; cat /run/secrets/s", files=(file,))
    assert output.split() == ["1000:5:440", "geheim"]
    assert not list((tmp_path / "run1" / "files").iterdir())


def test_a_volume_may_be_a_file_system_of_its_own(host: Host) -> None:
    filesystem = VolumeFilesystem(type="tmpfs", device="tmpfs", options="size=1m,mode=700")
    output = shell(
        host,
        "stat -f -c %T /v; stat -c %a /v; ! touch /v/x 2>/dev/null",
        mounts=(Mount(kind=VOLUME, target="/v", source="v"),),
        volumes=(VolumeMount("/v", "", False, filesystem, True),),
    )
    assert output.split() == ["tmpfs", "700"]


def test_devices_and_sysctls_are_given(host: Host) -> None:
    output = shell(
        host,
        "test -c /dev/nil; cat /proc/sys/net/ipv4/ip_forward",
        devices=(Device(source="/dev/null", target="/dev/nil"),),
        security=Security(sysctls=(("net.ipv4.ip_forward", "1"),)),
    )
    assert output == "1"


def test_an_unknown_sysctl_is_named(host: Host) -> None:
    with pytest.raises(LaunchFailed, match=r"net\.nope"):
        host.launch("true", security=Security(sysctls=(("net.nope", "1"),)))


def test_a_privileged_container_hides_nothing(host: Host) -> None:
    shell(
        host,
        "grep -q clock /proc/timer_list; mount -t tmpfs none /tmp; test -w /sys",
        security=Security(privileged=True),
    )


# -- namespaces -----------------------------------------------------------------------------------
def test_a_container_can_join_another(host: Host) -> None:
    first, reader = host.launch("sh", "-c", "touch /dev/shm/shared; echo; sleep 60", hostname="one")
    eventually(lambda: select_readable(reader), within_s=5)
    kinds = ("net", "pid", "ipc", "uts", "cgroup")
    spaces = [os.readlink(f"/proc/{first.pid}/ns/{kind}") for kind in kinds]
    script = "ls /dev/shm; hostname; " + "; ".join(f"readlink /proc/self/ns/{k}" for k in kinds)
    output = shell(
        host,
        script,
        join_pids=tuple((kind, first.pid) for kind in kinds),
        network_mode=NetworkMode.CONTAINER,
        namespaces=Namespaces(
            pid="container:1", ipc="container:1", uts="container:1", cgroup="container:1"
        ),
    )
    assert output.splitlines() == ["shared", "one", *spaces]
    os.kill(first.pid, signal.SIGKILL)
    host.wait(first)
    os.close(reader)


def test_a_container_can_use_the_hosts_namespaces(host: Host) -> None:
    kinds = ("net", "pid", "ipc", "uts", "cgroup")
    output = shell(
        host,
        "; ".join(f"readlink /proc/self/ns/{kind}" for kind in kinds),
        network_mode=NetworkMode.HOST,
        namespaces=Namespaces(pid="host", ipc="host", uts="host", cgroup="host"),
    )
    assert output.splitlines() == [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]


def test_without_networks_there_is_the_loopback(host: Host) -> None:
    assert "LOOPBACK,UP" in shell(host, "ip -o link show lo")


def test_the_session_keyring_is_the_containers_own(host: Host) -> None:
    with open("/proc/keys") as file:
        outside = file.read()
    options = Security(options=("systempaths=unconfined",))
    inside = shell(host, "grep ' _ses:' /proc/keys", security=options, process={"user": "app"})
    (line,) = inside.splitlines()  # who is not root sees only what it possesses
    assert line.split()[0] not in outside
