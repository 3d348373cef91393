"""What changes the config hash, and what does not."""

from __future__ import annotations

import msgspec
import pytest

from orchestra.model.deploy import Deploy
from orchestra.model.hashing import resource_hash, service_hash
from orchestra.model.network import NetworkSpec
from orchestra.model.service import PullPolicy
from tests.unit.plan.projects import needs, port, service

BASE = service("web", deploy=Deploy(replicas=1, mode="replicated"))


@pytest.mark.parametrize(
    "change",
    [
        {"replicas": 5},
        {"deploy": Deploy(replicas=7, mode="replicated")},
        {"pull_policy": PullPolicy.ALWAYS},
        {"depends_on": (needs("db"),)},
        {"profiles": ("debug",)},
        {"attach": False},
        {"extensions": (("x-note", "1"),)},
    ],
)
def test_what_makes_no_difference_to_a_container_keeps_the_hash(change: dict[str, object]) -> None:
    assert service_hash(msgspec.structs.replace(BASE, **change)) == service_hash(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"command": ("other",)},
        {"image": "other"},
        {"environment": (("A", "1"),)},
        {"ports": (port(1, 2),)},
        {"labels": (("a", "b"),)},
        {"deploy": Deploy(mode="global")},
    ],
)
def test_what_changes_the_container_changes_the_hash(change: dict[str, object]) -> None:
    assert service_hash(msgspec.structs.replace(BASE, **change)) != service_hash(BASE)


def test_content_of_mounted_files_counts_and_so_does_where_one_ends() -> None:
    hashes = {
        service_hash(BASE),
        service_hash(BASE, [b"a"]),
        service_hash(BASE, [b"ab", b"c"]),
        service_hash(BASE, [b"a", b"bc"]),
    }
    assert len(hashes) == 4


def test_labels_of_a_network_do_not_make_it_another() -> None:
    plain = NetworkSpec(name="n", project="p", key="k")
    labelled = msgspec.structs.replace(plain, labels=(("a", "b"),))
    assert resource_hash(plain) == resource_hash(labelled)
    assert resource_hash(plain) != resource_hash(msgspec.structs.replace(plain, internal=True))
