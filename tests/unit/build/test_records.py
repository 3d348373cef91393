"""Keys of steps, and what is remembered under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.cachekey import step_key
from orchestra.build.records import Record, Records, boot_id

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_depends_on_everything_it_is_given() -> None:
    keys = {
        step_key("run", "files", ["a"]),
        step_key("copy", "files", ["a"]),
        step_key("run", "others", ["a"]),
        step_key("run", "files", ["b"]),
        step_key("run", "files", ["a", ""]),
    }
    assert len(keys) == 5
    assert step_key("run", "files", ["a"]) in keys


def test_a_record_is_found_again(tmp_path: Path) -> None:
    records = Records(str(tmp_path / "records"))
    record = Record(diff_id="sha256:1", created_ns=5)
    assert records.find("ab12") is None
    records.put("ab12", record)
    found = Records(str(tmp_path / "records")).find("ab12")
    assert found is not None
    assert found.boot, "the layer may not be on the disk yet"
    synced: list[bool] = []
    records.flush(lambda: synced.append(True))
    assert synced
    assert Records(str(tmp_path / "records")).find("ab12") == record
    assert [found for _, found in records.all()] == [record]


def test_a_layer_that_no_sync_has_seen_is_not_trusted_after_a_restart(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    records.put("ab12", Record(diff_id="sha256:1"))
    path = tmp_path / "ab" / "ab12"
    path.write_text(path.read_text().replace(boot_id(), "another-run-of-the-machine"))
    assert records.find("ab12") is None


def test_a_damaged_record_counts_as_none(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    records.put("ab12", Record())
    records.flush(lambda: None)
    (tmp_path / "ab" / "ab12").write_text("{")
    assert records.find("ab12") is None
    assert list(records.all()) == []
