from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import ConfigError, Conflict, NotFound, Unsupported
from orchestra.layout import Layout
from orchestra.model.network import VolumeSpec
from orchestra.volume.local import LocalVolumes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "data"), str(tmp_path / "run"))


@pytest.fixture
def volumes(layout: Layout) -> LocalVolumes:
    return LocalVolumes(layout)


def spec(name: str = "shop_db", **fields: object) -> VolumeSpec:
    return VolumeSpec(name=name, project="shop", key="db", **fields)  # type: ignore[arg-type]


def test_a_new_volume_is_an_empty_directory_for_everybody_in_one_for_nobody(
    volumes: LocalVolumes, layout: Layout
) -> None:
    state = volumes.create(spec())

    assert state.mountpoint == layout.volume_data("shop_db")
    assert os.listdir(state.mountpoint) == []
    assert stat.S_IMODE(os.stat(state.mountpoint).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(layout.volumes).st_mode) == 0o700
    assert state.created_ns > 0


def test_creating_again_returns_the_same_volume_with_its_data(volumes: LocalVolumes) -> None:
    first = volumes.create(spec(labels=(("a", "1"),)))
    with open(f"{first.mountpoint}/file", "w") as file:
        file.write("kept")

    again = volumes.create(spec(labels=(("a", "2"),)))

    assert again == first
    assert os.listdir(again.mountpoint) == ["file"]


def test_volumes_are_found_by_name_and_listed_by_project(volumes: LocalVolumes) -> None:
    volumes.create(spec("shop_b"))
    volumes.create(spec("shop_a", anonymous=True))
    volumes.create(VolumeSpec(name="other_a", project="other", key="a"))

    assert [state.spec.name for state in volumes.volumes("shop")] == ["shop_a", "shop_b"]
    assert volumes.find("shop_a") == volumes.volumes("shop")[0]
    assert volumes.find("shop_c") is None


def test_without_any_volume_nothing_is_listed(volumes: LocalVolumes) -> None:
    assert volumes.volumes("shop") == ()


def test_an_external_volume_must_exist(volumes: LocalVolumes) -> None:
    with pytest.raises(NotFound, match='"shop_db" is declared as external'):
        volumes.create(spec(external=True))
    volumes.create(spec())

    assert volumes.create(spec(external=True)).spec.external is False


def test_removing_takes_the_data_and_accepts_gone(volumes: LocalVolumes, layout: Layout) -> None:
    state = volumes.create(spec())
    os.makedirs(f"{state.mountpoint}/a/b/c")

    volumes.remove("shop_db")
    volumes.remove("shop_db")

    assert volumes.find("shop_db") is None
    assert os.listdir(layout.volumes) == []


def test_removing_does_not_follow_links_of_the_containers(
    volumes: LocalVolumes, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    state = volumes.create(spec())
    os.symlink(tmp_path / "outside", f"{state.mountpoint}/link")

    volumes.remove("shop_db")

    assert (tmp_path / "outside/file").exists()


def test_a_volume_in_use_stays(layout: Layout) -> None:
    volumes = LocalVolumes(layout, used_by=lambda name: ("shop-web-1",) if name == "x" else ())
    volumes.create(spec("x"))

    with pytest.raises(Conflict, match="in use by shop-web-1"):
        volumes.remove("x")
    assert volumes.find("x") is not None


def test_a_removal_that_was_killed_is_finished_by_the_next(
    volumes: LocalVolumes, layout: Layout
) -> None:
    volumes.create(spec())
    os.rename(f"{layout.volumes}/shop_db", f"{layout.volumes}/.removing-xyz")

    assert volumes.volumes("shop") == ()
    volumes.remove("something_else")

    assert os.listdir(layout.volumes) == []


def test_a_creation_that_was_killed_leaves_no_volume(volumes: LocalVolumes, layout: Layout) -> None:
    os.makedirs(f"{layout.volumes}/.draft-xyz/_data")

    assert volumes.find("shop_db") is None
    assert volumes.volumes("shop") == ()
    volumes.create(spec())
    assert [state.spec.name for state in volumes.volumes("shop")] == ["shop_db"]


def test_damaged_metadata_is_reported_for_that_volume_only(
    volumes: LocalVolumes, layout: Layout
) -> None:
    volumes.create(spec("shop_a"))
    volumes.create(spec("shop_b"))
    with open(f"{layout.volumes}/shop_a/volume.json", "w") as file:
        file.write("{")

    with pytest.raises(Conflict, match='"shop_a" has unreadable metadata'):
        volumes.find("shop_a")
    assert [state.spec.name for state in volumes.volumes("shop")] == ["shop_b"]
    volumes.remove("shop_a")
    assert volumes.find("shop_a") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a b", "-x", "a\n"])
def test_a_name_that_could_be_a_path_is_refused(volumes: LocalVolumes, name: str) -> None:
    for refuse in (volumes.find, volumes.remove, lambda name: volumes.create(spec(name))):
        with pytest.raises(ConfigError, match="is not a volume name"):
            refuse(name)


# -- filling ------------------------------------------------------------------------------------
def test_a_new_volume_needs_filling_once(volumes: LocalVolumes) -> None:
    volumes.create(spec())

    assert volumes.needs_fill("shop_db")
    volumes.mark_filled("shop_db")
    assert not volumes.needs_fill("shop_db")


def test_a_volume_that_holds_data_is_never_filled(volumes: LocalVolumes) -> None:
    state = volumes.create(spec())
    path = f"{state.mountpoint}/file"
    os.close(os.open(path, os.O_CREAT))

    assert not volumes.needs_fill("shop_db")
    os.unlink(path)
    assert not volumes.needs_fill("shop_db")


def test_a_filling_that_was_killed_is_done_again(volumes: LocalVolumes) -> None:
    state = volumes.create(spec())
    assert volumes.needs_fill("shop_db")
    os.close(os.open(f"{state.mountpoint}/half", os.O_CREAT))

    assert volumes.needs_fill("shop_db")


def test_a_volume_that_is_gone_needs_no_filling(volumes: LocalVolumes) -> None:
    volumes.mark_filled("shop_db")

    assert not volumes.needs_fill("shop_db")
    assert volumes.find("shop_db") is None


# -- driver_opts --------------------------------------------------------------------------------
def options(**values: str) -> VolumeSpec:
    return spec(driver_opts=tuple(values.items()))


def test_a_bind_is_the_volumes_directory_and_survives_its_removal(
    volumes: LocalVolumes, tmp_path: Path
) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/file").touch()

    state = volumes.create(options(type="none", o="bind,ro", device=str(tmp_path / "srv")))
    assert (state.mountpoint, state.filesystem) == (str(tmp_path / "srv"), None)
    assert state.read_only
    volumes.remove("shop_db")

    assert (tmp_path / "srv/file").exists()


def test_nfs_and_tmpfs_are_left_to_the_runtime(volumes: LocalVolumes) -> None:
    state = volumes.create(options(type="nfs", o="addr=192.0.2.9,rw,nolock", device=":/export"))

    assert state.filesystem is not None
    assert state.filesystem.type == "nfs"
    assert state.filesystem.device == ":/export"
    assert state.filesystem.options == "addr=192.0.2.9,nolock"
    assert not state.read_only
    assert not volumes.needs_fill("shop_db")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hello": "world"}, 'no option "hello"'),
        ({"type": "nfs", "o": "addr=x"}, 'lack "device"'),
        ({"device": "tmpfs"}, 'lack "type"'),
        ({"type": "none", "o": "bind", "device": "relative"}, "is not absolute"),
    ],
)
def test_options_that_cannot_be_name_the_volume(
    volumes: LocalVolumes, values: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        volumes.create(options(**values))
    assert 'volume "db"' in caught.value.what


def test_a_bind_of_a_missing_directory_is_not_made(volumes: LocalVolumes) -> None:
    with pytest.raises(NotFound, match="/no/such/dir"):
        volumes.create(options(type="none", o="bind", device="/no/such/dir"))
    assert volumes.find("shop_db") is None


def test_other_drivers_and_quotas_are_not_available(volumes: LocalVolumes) -> None:
    with pytest.raises(Unsupported, match="rexray"):
        volumes.create(spec(driver="rexray"))
    with pytest.raises(Unsupported, match="quotas"):
        volumes.create(options(type="tmpfs", device="tmpfs", size="1g"))
