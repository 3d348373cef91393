"""What `orchestra config` prints of a project for each of its flags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.main import main
from tests.support.faulty_registry import faulty_registry
from tests.support.images import make_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Config = Callable[..., str]

COMPOSE = """\
services:
  web:
    image: ${IMAGE:-app}:${TAG:?which one}
    links: ["db:store"]
    models: [llm]
  db:
    image: db
models:
  llm: {model: ai/smollm2}
"""


@pytest.fixture
def config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Config:
    """Runs `config` on COMPOSE in a directory of its own and returns what it prints."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "compose.yaml").write_text(COMPOSE)
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setenv("TAG", "1")
    for name in ("ORCHESTRA_DATA_ROOT", "ORCHESTRA_RUN_ROOT"):
        monkeypatch.setenv(name, str(tmp_path))

    def run(*flags: str) -> str:
        assert main(["config", *flags]) == 0
        return capsys.readouterr().out

    return run


def test_models_are_the_names_that_are_pulled(config: Config) -> None:
    assert config("--models") == "ai/smollm2\n"


def test_variables_as_a_table_and_for_programs(config: Config) -> None:
    assert config("--variables").splitlines()[1].split() == ["IMAGE", "false", "app"]
    assert json.loads(config("--variables", "--format", "json"))["TAG"] == {
        "DefaultValue": "",
        "Name": "TAG",
        "PresenceValue": "",
        "Required": True,
    }
    assert 'TAG:\n  defaultvalue: ""\n' in config("--variables", "--format", "yaml")


def test_a_name_that_nobody_wrote_is_not_part_of_the_files_as_they_are(config: Config) -> None:
    assert config("--no-interpolate").startswith("models:")
    assert "name: shop\n" in config("--no-interpolate")
    assert "name: shop\n" not in config("--no-interpolate", "--no-normalize")


def test_hashes_are_in_order_and_change_with_what_others_link(
    config: Config, tmp_path: Path
) -> None:
    web, db = config("--hash", "web").strip(), config("--hash", "db").strip()
    assert config("--hash", "web,db") == config("--hash", "*") == f"{db}\n{web}\n"
    (tmp_path / "shop" / "compose.yaml").write_text(COMPOSE.replace("db:store", "db:other"))
    assert config("--hash", "db").strip() != db


def test_images_are_pinned_to_what_the_registry_says(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image = make_image([{"a": b"1"}], {})
    with faulty_registry() as registry:
        registry.add(image, "1")
        monkeypatch.setenv("IMAGE", f"{registry.host}/app")
        (tmp_path / "shop" / "compose.yaml").write_text(
            COMPOSE.replace("image: db", f"image: db@sha256:{'0' * 64}")
        )
        pinned = f"{registry.host}/app:1@{image.manifest}"
        assert f"image: {pinned}\n" in config("--resolve-image-digests")
        assert config("--lock-image-digests") == (
            f"services:\n  db:\n    image: db@sha256:{'0' * 64}\n  web:\n    image: {pinned}\n"
        )
