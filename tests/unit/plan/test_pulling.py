"""Which images are pulled, by policy: before `up`, and by `pull`."""

from __future__ import annotations

import pytest

from orchestra.model.build import BuildSpec
from orchestra.model.service import PullPolicy, ServiceVolume, VolumeKind
from orchestra.plan.pulling import Pulling, pulls_before_up, pulls_on_request
from tests.unit.plan.projects import project, service

HOUR_S = 3600.0


class Shelf:
    """Images that are here, with their ages in seconds."""

    def __init__(self, **ages: float) -> None:
        self._ages = ages

    def has(self, image: str) -> bool:
        return image in self._ages

    def age_s(self, image: str) -> float:
        return self._ages[image]


HERE, ABSENT = Shelf(app=2 * HOUR_S), Shelf()


@pytest.mark.parametrize(
    ("policy", "refresh_s", "stock", "pulled"),
    [
        (None, 0, HERE, False),
        (None, 0, ABSENT, True),
        (PullPolicy.MISSING, 0, HERE, False),
        (PullPolicy.MISSING, 0, ABSENT, True),
        (PullPolicy.ALWAYS, 0, HERE, True),
        (PullPolicy.NEVER, 0, ABSENT, False),
        (PullPolicy.BUILD, 0, ABSENT, False),
        (PullPolicy.REFRESH, HOUR_S, HERE, True),
        (PullPolicy.REFRESH, 3 * HOUR_S, HERE, False),
        (PullPolicy.REFRESH, 3 * HOUR_S, ABSENT, True),
    ],
)
def test_the_policy_of_a_service_decides_before_up(
    policy: PullPolicy | None, refresh_s: float, stock: Shelf, pulled: bool
) -> None:
    wanted = project(service("web", pull_policy=policy, pull_refresh_s=refresh_s))
    assert bool(pulls_before_up(wanted, None, stock)) is pulled


def test_the_command_line_wins_over_the_file() -> None:
    wanted = project(service("web", pull_policy=PullPolicy.NEVER))
    assert pulls_before_up(wanted, PullPolicy.ALWAYS, HERE) == (Pulling("web", "app"),)


def test_an_image_is_pulled_once_for_all_its_services() -> None:
    wanted = project(service("a"), service("b"), service("c", image="other"))
    assert [p.image for p in pulls_before_up(wanted, None, ABSENT)] == ["app", "other"]


def test_images_that_are_mounted_are_pulled_too() -> None:
    mount = ServiceVolume(kind=VolumeKind.IMAGE, target="/files", source="files")
    wanted = project(service("a", volumes=(mount,)))
    assert [p.image for p in pulls_before_up(wanted, None, ABSENT)] == ["app", "files"]
    decided = pulls_on_request(wanted, None, ABSENT, ignore_buildable=False)
    assert [p.image for p in decided] == ["app", "files"]


def test_the_platform_of_a_service_is_pulled() -> None:
    wanted = project(service("a", platform="linux/arm64"))
    assert pulls_before_up(wanted, None, ABSENT) == (Pulling("a", "app", "linux/arm64"),)
    decided = pulls_on_request(wanted, None, ABSENT, ignore_buildable=False)
    assert decided == (Pulling("a", "app", "linux/arm64"),)


def test_the_host_and_what_is_only_built_are_not_pulled() -> None:
    build = BuildSpec(context="/srv")
    wanted = project(service("a", image="host"), service("b", image="", build=build))
    assert pulls_before_up(wanted, PullPolicy.ALWAYS, ABSENT) == ()


def test_an_image_that_another_service_builds_may_fail_to_be_pulled() -> None:
    wanted = project(service("a"), service("b", build=BuildSpec(context="/srv")))
    assert pulls_before_up(wanted, None, ABSENT)[0].can_be_built


def reasons(policy: PullPolicy | None, image: str, *, here: bool) -> list[str]:
    stock = Shelf(**{image: 0.0}) if here else ABSENT
    wanted = project(service("web", image=image, pull_policy=policy))
    return [p.skipped for p in pulls_on_request(wanted, None, stock, ignore_buildable=False)]


def test_pull_pulls_what_is_here_unless_a_policy_says_otherwise() -> None:
    assert reasons(None, "app:1", here=True) == [""]
    assert reasons(PullPolicy.MISSING, "app:1", here=True) == ["Image is already present locally"]
    assert reasons(PullPolicy.MISSING, "app:1", here=False) == [""]
    assert reasons(PullPolicy.REFRESH, "app:1", here=True) == [""]
    assert reasons(PullPolicy.NEVER, "app:1", here=False) == ["Its pull policy is never"]
    assert reasons(PullPolicy.BUILD, "app:1", here=False) == ["Its pull policy is build"]


@pytest.mark.parametrize("image", ["app", "app:latest", "h:5000/app", "h:5000/app:latest"])
def test_pull_looks_for_a_newer_latest(image: str) -> None:
    assert reasons(PullPolicy.MISSING, image, here=True) == [""]


def test_pull_says_why_it_skips() -> None:
    build = BuildSpec(context="/srv")
    wanted = project(
        service("a", image="", build=build),
        service("b", image="host"),
        service("c"),
        service("d"),
        service("e", image="built", build=build),
    )
    decided = pulls_on_request(wanted, None, ABSENT, ignore_buildable=True)
    assert [p.skipped for p in decided] == [
        "No image to be pulled",
        "Image is this machine itself",
        "",
        "Image is already being pulled by c",
        "Image can be built",
    ]
