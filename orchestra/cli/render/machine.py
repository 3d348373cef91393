"""`system info` and `docker version` in the keys of the Engine API.

DOCKER_RELEASE is the release of Docker whose commands these are: programs that drive `docker` read
a version to know what they may ask for.
"""

from __future__ import annotations

import sys

from orchestra import __version__
from orchestra.cli.render.size import binary_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.ops.system_info import SystemInfo

DOCKER_RELEASE = "28.5.0"
API_VERSION = "1.51"
BUILDX_RELEASE = "0.29.0"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture(machine: str) -> str:
    """As Go calls it."""
    return _ARCHITECTURES.get(machine, machine)


def version_record(kernel: str, machine: str) -> dict[str, object]:
    """Client and server are one program."""
    common: dict[str, object] = {
        "Version": DOCKER_RELEASE,
        "ApiVersion": API_VERSION,
        "Os": "linux",
        "Arch": architecture(machine),
        "GitCommit": f"orchestra-{__version__}",
    }
    client = {
        "Platform": {"Name": f"orchestra {__version__}"},
        **common,
        "DefaultAPIVersion": API_VERSION,
        "Context": "default",
    }
    server = {
        "Platform": {"Name": f"orchestra {__version__}"},
        "Components": [{"Name": "orchestra", "Version": __version__}],
        **common,
        "MinAPIVersion": "1.24",
        "KernelVersion": kernel,
        "Python": sys.version.split()[0],
    }
    return {"Client": client, "Server": server}


def version_text(record: Mapping[str, object]) -> str:
    """As `docker version` lays it out."""
    text = ""
    for side, title in (("Client", "Client"), ("Server", "Server")):
        found = record[side]
        if not isinstance(found, dict):
            continue
        text += f"{title}: {found['Platform']['Name']}\n"
        for label, key in (
            ("Version", "Version"),
            ("API version", "ApiVersion"),
            ("OS/Arch", ""),
            ("Context", "Context"),
            ("Kernel version", "KernelVersion"),
            ("Python", "Python"),
        ):
            value = f"{found['Os']}/{found['Arch']}" if not key else found.get(key)
            if value:
                text += f" {label + ':':<18}{value}\n"
        text += "\n" if side == "Client" else ""
    return text


def info_record(info: SystemInfo) -> dict[str, object]:
    """The keys of GET /info that have a meaning here."""
    return {
        "ID": info.name,
        "Containers": info.containers["all"],
        "ContainersRunning": info.containers["running"],
        "ContainersPaused": info.containers["paused"],
        "ContainersStopped": info.containers["stopped"],
        "Images": info.images,
        "Driver": "overlay",
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "ipvlan", "macvlan", "none"],
            "Authorization": None,
            "Log": ["json-file", "local", "none"],
        },
        "MemoryLimit": True,
        "SwapLimit": True,
        "CpuCfsPeriod": True,
        "CpuCfsQuota": True,
        "PidsLimit": True,
        "IPv4Forwarding": True,
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": info.cgroup_version,
        "KernelVersion": info.kernel,
        "OperatingSystem": info.system,
        "OSType": "linux",
        "Architecture": info.machine,
        "NCPU": info.cpus,
        "MemTotal": info.memory_bytes,
        "DockerRootDir": info.data_root,
        "Name": info.name,
        "ServerVersion": DOCKER_RELEASE,
        "Runtimes": {"orchestra": {"path": "orchestra"}},
        "DefaultRuntime": "orchestra",
        "Swarm": {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False},
        "LiveRestoreEnabled": True,
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
        "Labels": [],
        "Warnings": None,
        "ClientInfo": {"Context": "default", "Version": __version__, "Plugins": []},
    }


def info_text(record: Mapping[str, object]) -> str:
    """The lines that people read."""
    memory = record["MemTotal"]
    lines = (
        ("Containers", record["Containers"]),
        (" Running", record["ContainersRunning"]),
        (" Paused", record["ContainersPaused"]),
        (" Stopped", record["ContainersStopped"]),
        ("Images", record["Images"]),
        ("Server Version", f"{record['ServerVersion']} (orchestra {__version__})"),
        ("Storage Driver", record["Driver"]),
        ("Logging Driver", record["LoggingDriver"]),
        ("Cgroup Driver", record["CgroupDriver"]),
        ("Cgroup Version", record["CgroupVersion"]),
        ("Default Runtime", record["DefaultRuntime"]),
        ("Kernel Version", record["KernelVersion"]),
        ("Operating System", record["OperatingSystem"]),
        ("OSType", record["OSType"]),
        ("Architecture", record["Architecture"]),
        ("CPUs", record["NCPU"]),
        ("Total Memory", binary_size(memory if isinstance(memory, int) else 0)),
        ("Name", record["Name"]),
        ("Docker Root Dir", record["DockerRootDir"]),
    )
    return "".join(f"{name}: {value}\n" for name, value in lines)
