"""What the host adds to a project before it is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.model.container import Security
from orchestra.model.project import DeclaredFile
from orchestra.model.service import FileReference
from orchestra.ops.gather import gather
from orchestra.plan.desired import Dependencies
from tests.unit.plan.projects import needs, project, service

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.model.project import Project
    from orchestra.plan.desired import Desired
    from tests.unit.ops.conftest import MemoryHost


def gathered(host: MemoryHost, wanted: Project, *names: str) -> Desired:
    return gather(wanted, names, Dependencies.INCLUDED, host.images())


def test_seccomp_profile_is_read_relative_to_the_project(host: MemoryHost, tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}\n')
    options = ("seccomp=profile.json", "no-new-privileges:true", "seccomp:unconfined")
    wanted = project(service("web", security=Security(options=options)), working_dir=str(tmp_path))
    assert gathered(host, wanted).project.service("web").security.options == (
        'seccomp={"defaultAction": "SCMP_ACT_ALLOW"}',
        "no-new-privileges:true",
        "seccomp:unconfined",
    )


def test_missing_seccomp_profile_is_told_with_service_and_path(host: MemoryHost) -> None:
    wanted = project(service("web", security=Security(options=("seccomp=gone.json",))))
    with pytest.raises(NotFound, match=r'service "web": seccomp profile /srv/demo/gone.json'):
        gathered(host, wanted)


def test_content_of_a_mounted_config_is_part_of_the_hash(host: MemoryHost, tmp_path: Path) -> None:
    file = tmp_path / "conf"
    declared = DeclaredFile(key="c", name="demo_c", file=str(file))
    use = FileReference(source="c", target="/etc/c")
    wanted = project(service("web", configs=(use,)), configs=(declared,))
    hashes = []
    for text in ("one", "two"):
        file.write_text(text)
        hashes.append(gathered(host, wanted).hashes["web"])
    file.unlink()  # the launch tells that it is missing
    hashes.append(gathered(host, wanted).hashes["web"])
    assert len(set(hashes)) == 3


def test_named_service_brings_its_dependencies_and_knows_all_others(host: MemoryHost) -> None:
    wanted = project(service("web", depends_on=(needs("db"),)), service("db"), service("other"))
    desired = gathered(host, wanted, "web")
    assert desired.project.service_names == ("db", "web")
    assert desired.known == {"web", "db", "other"}


def test_link_of_another_service_counts_even_when_that_is_not_started(host: MemoryHost) -> None:
    db, web = service("db"), service("web", links=(("db", "store"),))
    linked = gathered(host, project(db, web), "db")
    assert linked.aliases("db") == ("db", "store")
    assert linked.hashes["db"] != gathered(host, project(db), "db").hashes["db"]


def test_unknown_service_is_not_found(host: MemoryHost) -> None:
    with pytest.raises(NotFound, match='no such service: "wbe"'):
        gathered(host, project(service("web")), "wbe")
