"""What of a project travels, and under which paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.bundle.portable import Copy, Portable, portable
from orchestra.config.pipeline import load
from orchestra.config.request import LoadRequest
from orchestra.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from pathlib import Path


def carried(directory: Path, text: str, **environ: str) -> Portable:
    """The project of the compose file *text* in *directory*, its images renamed."""
    (directory / "compose.yaml").write_text(f"name: demo\n{text}")
    loaded = load(LoadRequest(cwd=str(directory), environ=environ))
    images = {"app": "app:1", "demo-web": "demo-web", "tool": "tool@sha256:1"}
    return portable(loaded.tree, loaded.project, images)


def test_a_mount_of_the_project_travels_and_one_from_elsewhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a").write_text("")
    found = carried(
        tmp_path,
        "services: {web: {image: app, volumes: ['./conf:/c', './conf/a:/a', '/etc/hosts:/h']}}",
    )

    sources = [mount["source"] for mount in found.tree["services"]["web"]["volumes"]]
    assert sources == ["./files/conf", "./files/conf/a", "/etc/hosts"]
    assert found.files == ("conf",)
    assert found.needs == ('service "web" mounts /etc/hosts, which is outside of the project',)


def test_the_project_directory_itself_holds_all_others(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    found = carried(tmp_path, "services: {web: {image: app, volumes: ['.:/app', './src:/s']}}")

    assert found.files == ("",)
    assert [m["source"] for m in found.tree["services"]["web"]["volumes"]] == [
        "./files",
        "./files/src",
    ]


def test_a_link_out_of_the_project_is_outside_of_it(tmp_path: Path) -> None:
    (tmp_path / "etc").symlink_to("/etc")
    found = carried(tmp_path, "services: {web: {image: app, volumes: ['./etc:/c']}}")

    assert found.files == ()
    assert "outside of the project" in found.needs[0]


def test_a_directory_that_up_would_make_is_made_there_too(tmp_path: Path) -> None:
    found = carried(tmp_path, "services: {web: {image: app, volumes: ['./new:/n']}}")

    assert found.files == ()
    assert found.tree["services"]["web"]["volumes"][0]["source"] == "./files/new"


def test_a_mount_source_that_must_exist_must_exist(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        carried(
            tmp_path,
            "services: {web: {image: app, volumes: [{type: bind, source: ./no, target: /n, "
            "bind: {create_host_path: false}}]}}",
        )


def test_what_needs_sources_or_a_registry_is_left_out(tmp_path: Path) -> None:
    found = carried(
        tmp_path,
        "services: {web: {build: ., pull_policy: always, profiles: [a], develop: {watch: "
        "[{path: ., action: rebuild}]}}}",
        COMPOSE_PROFILES="a",
    )

    assert (
        set(found.tree["services"]["web"]) & {"build", "pull_policy", "profiles", "develop"}
        == set()
    )
    assert found.tree["services"]["web"]["image"] == "demo-web"


def test_secrets_become_files_of_the_bundle_and_configs_content(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    found = carried(
        tmp_path,
        "services: {web: {image: app, secrets: [a, b], configs: [c, d]}}\n"
        "secrets: {a: {file: key}, b: {environment: B}}\n"
        "configs: {c: {content: text}, d: {environment: D}}",
        B="from b",
        D="from d",
    )

    assert found.copies == (
        Copy("secrets/a", str(tmp_path / "key")),
        Copy("secrets/b", "", b"from b"),
    )
    assert found.tree["secrets"] == {"a": {"file": "./secrets/a"}, "b": {"file": "./secrets/b"}}
    assert found.tree["configs"]["d"] == {"content": "from d"}


def test_a_missing_secret_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match='secret "a"') as caught:
        carried(
            tmp_path,
            "services: {web: {image: app, secrets: [a]}}\nsecrets: {a: {file: key}}",
        )
    assert caught.value.path == ("secrets", "a", "file")


def test_an_external_secret_cannot_travel(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="external"):
        carried(
            tmp_path,
            "services: {web: {image: app, secrets: [a]}}\nsecrets: {a: {external: true}}",
        )


def test_names_that_the_project_gives_follow_it_and_others_stay(tmp_path: Path) -> None:
    found = carried(
        tmp_path,
        "services: {web: {image: app, networks: [a, b, c], volumes: ['x:/x', 'y:/y']}}\n"
        "networks: {a: , b: {name: chosen}, c: {external: true}}\n"
        "volumes: {x: , y: {driver_opts: {type: none, o: bind, device: /srv}}}",
    )

    assert found.tree["networks"]["a"] == {}
    assert found.tree["networks"]["b"]["name"] == "chosen"
    assert found.needs == ('network "c" is external', 'volume "y" lies on /srv')


def test_a_seccomp_profile_travels_as_text(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}\n')
    found = carried(
        tmp_path,
        "services: {web: {image: app, security_opt: ['seccomp:profile.json', 'label:disable']}}",
    )

    assert found.tree["services"]["web"]["security_opt"] == [
        'seccomp={"defaultAction": "SCMP_ACT_ALLOW"}',
        "label:disable",
    ]


def test_images_have_the_names_that_they_are_given(tmp_path: Path) -> None:
    found = carried(
        tmp_path,
        "services: {web: {image: app, pre_start: [{image: tool, command: [x]}, {command: [y]}]}}",
    )

    web = found.tree["services"]["web"]
    assert web["image"] == "app:1"
    assert [hook.get("image") for hook in web["pre_start"]] == ["tool@sha256:1", "app:1"]
