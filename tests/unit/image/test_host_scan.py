from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.image.host_scan import (
    EXPENSIVE_NS,
    PATIENCE_FACTOR,
    REUSE_FACTOR,
    is_still_good,
    read_finding,
    scan,
    write_finding,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> str:
    (tmp_path / "opt" / "app").mkdir(parents=True)
    (tmp_path / "opt" / "app" / "token").touch(mode=0o600)
    return str(tmp_path)


def test_a_young_finding_of_an_unchanged_tree_is_used_again(host: str) -> None:
    finding = msgspec.structs.replace(scan(host, "opt", ()), cost_ns=EXPENSIVE_NS)

    assert is_still_good(finding, host, ())


def test_a_finding_older_than_its_cost_allows_is_not_used(host: str) -> None:
    finding = scan(host, "opt", ())
    old = msgspec.structs.replace(
        finding, taken_ns=finding.taken_ns - REUSE_FACTOR * finding.cost_ns
    )

    assert not is_still_good(old, host, ())


def test_a_new_file_in_an_upper_directory_ends_a_finding(host: str) -> None:
    finding = msgspec.structs.replace(scan(host, "opt", ()), cost_ns=EXPENSIVE_NS)
    os.close(os.open(f"{host}/opt/app/new", os.O_CREAT, 0o600))

    assert not is_still_good(finding, host, ())


def test_a_tree_that_is_slow_to_read_is_not_read_at_every_change(host: str) -> None:
    finding = msgspec.structs.replace(scan(host, "opt", ()), cost_ns=EXPENSIVE_NS + 1)
    os.close(os.open(f"{host}/opt/app/new", os.O_CREAT, 0o600))
    later = msgspec.structs.replace(
        finding, taken_ns=finding.taken_ns - PATIENCE_FACTOR * finding.cost_ns
    )

    assert is_still_good(finding, host, ())
    assert not is_still_good(later, host, ())


def test_a_new_mount_ends_a_finding(host: str) -> None:
    finding = msgspec.structs.replace(scan(host, "opt", ()), cost_ns=EXPENSIVE_NS)

    assert not is_still_good(finding, host, ("opt/app",))


def test_a_clock_set_back_ends_a_finding(host: str) -> None:
    finding = scan(host, "opt", ())
    future = msgspec.structs.replace(finding, taken_ns=finding.taken_ns + 10**12)

    assert not is_still_good(future, host, ())


def test_a_finding_survives_being_kept(host: str) -> None:
    finding = scan(host, "opt", ())
    write_finding(f"{host}/kept.json", finding)

    assert read_finding(f"{host}/kept.json") == finding
    assert finding.hidden == ("opt/app/token",)


@pytest.mark.parametrize("content", [b"", b"{", b'{"taken_ns": "x"}', b"[]"])
def test_a_damaged_finding_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kept.json").write_bytes(content)

    assert read_finding(str(tmp_path / "kept.json")) is None
