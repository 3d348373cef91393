from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orchestra.runtime.cdi import is_cdi_name
from orchestra.runtime.cdi_files import read_devices

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, *names: str, kind: str = "vendor.com/toy") -> None:
    path.parent.mkdir(exist_ok=True)
    devices = [{"name": name, "containerEdits": {"env": [f"IN={path.name}"]}} for name in names]
    path.write_text(json.dumps({"cdiVersion": "1.0.0", "kind": kind, "devices": devices}))


@pytest.mark.parametrize("name", ["nvidia.com/gpu=0", "a/b=c", "v.org/net-1=GPU-0:1.2"])
def test_names_of_devices(name: str) -> None:
    assert is_cdi_name(name)


@pytest.mark.parametrize("name", ["/dev/null", "gpu=0", "a/b=", "a/b/c=d", "1/b=c", "a/b=c-"])
def test_what_is_no_name(name: str) -> None:
    assert not is_cdi_name(name)


def test_later_directory_wins(tmp_path: Path) -> None:
    write(tmp_path / "etc" / "a.json", "one", "two")
    write(tmp_path / "run" / "b.json", "one")
    known = read_devices((str(tmp_path / "etc"), str(tmp_path / "run")))
    sources = {name: edits[1].content["env"] for name, edits in known.edits.items()}
    assert sources == {"vendor.com/toy=one": ["IN=b.json"], "vendor.com/toy=two": ["IN=a.json"]}


def test_device_that_two_files_of_a_directory_describe_is_nobodys(tmp_path: Path) -> None:
    write(tmp_path / "a.json", "one", "two")
    write(tmp_path / "b.json", "one")
    known = read_devices((str(tmp_path),))
    assert set(known.edits) == {"vendor.com/toy=two"}
    assert f"vendor.com/toy=one is in two files of {tmp_path}" in known.looked_at


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "kind: a/b", '{"cdiVersion": 1, "kind": 2}'])
def test_broken_file_spoils_no_other(tmp_path: Path, text: str) -> None:
    write(tmp_path / "good.json", "one")
    (tmp_path / "bad.yaml").write_text(text)
    (tmp_path / "bad.json").write_text(text)
    known = read_devices((str(tmp_path), str(tmp_path / "missing")))
    assert set(known.edits) == {"vendor.com/toy=one"}
    assert sum("bad." in note for note in known.looked_at) == 2
    assert any("missing (no such file or directory)" in note for note in known.looked_at)
