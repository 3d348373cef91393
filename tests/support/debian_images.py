"""Root file systems made of what Debian's packages have put on this machine; all is below /usr.

Busybox is their shell and its small programs; `usr/bin/NAME` with its libraries is the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.archives import files_layer, programs_layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PYTHON = "/usr/bin/python3"
_NOT_NEEDED = ("test", "idlelib", "lib2to3", "tkinter", "ensurepip", "__pycache__", "distutils")
_ACCOUNTS: dict[str, bytes | str] = {
    "etc/": b"",
    "etc/passwd": b"root:x:0:0::/root:/bin/sh\n",
    "etc/group": b"root:x:0:\n",
    "root/": b"",
    "tmp/": b"",
    "usr/local/bin/": b"",
}


def root_layers(programs: Sequence[str], more: Mapping[str, bytes | str] = {}) -> list[bytes]:
    """The layers of a root file system with busybox, *programs* and *more* files by path."""
    return [programs_layer([*programs]), files_layer({**_busybox(), **_ACCOUNTS, **more})]


def _busybox() -> dict[str, bytes | str]:
    program = shutil.which("busybox")
    assert program is not None
    with open(program, "rb") as file:
        found: dict[str, bytes | str] = {"usr/bin/busybox": file.read()}
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    return {f"usr/bin/{name}": "busybox" for name in applets.stdout.split()} | found


def python_files() -> dict[str, bytes | str]:
    """Python's library without its tests, and pip: what an image of Python has beside the program.

    The libraries that its extensions need come along.
    """
    library = os.path.join("/usr/lib", os.path.basename(os.path.realpath(PYTHON)))
    files = {**_tree(library), **_tree("/usr/lib/python3/dist-packages/pip")}
    extensions = os.path.join(library, "lib-dynload")
    files |= _libraries([os.path.join(extensions, name) for name in os.listdir(extensions)])
    files.pop(f"{library[1:]}/EXTERNALLY-MANAGED", None)
    return {
        **files,
        "usr/local/bin/python": "/usr/bin/python3",
        "usr/local/bin/pip": b'#!/bin/sh\nexec python -m pip "$@"\n',
    }


def _libraries(files: Sequence[str]) -> dict[str, bytes | str]:
    listed = subprocess.run(["ldd", *files], capture_output=True, text=True, check=True).stdout
    found: dict[str, bytes | str] = {}
    for path in set(re.findall(r"=> (/\S+)", listed)):
        target = path if path.startswith("/usr/") else f"/usr{path}"
        with open(os.path.realpath(path), "rb") as file:
            found[target[1:]] = file.read()
    return found


def _tree(directory: str) -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {}
    for place, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if name not in _NOT_NEEDED)
        for name in sorted(names):
            path = os.path.join(place, name)
            if os.path.islink(path):
                files[path[1:]] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    files[path[1:]] = file.read()
    return files
