"""project.json: where a project came from, for commands that run without its compose file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.runtime.statefile import container_ids, write_atomically

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.project import Project


class ProjectRecord(NamedTuple):
    """What `ls` and `down` know of a project without loading it."""

    name: str
    working_dir: str = ""
    compose_files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()


def record_project(layout: Layout, project: Project) -> None:
    """Write the record of *project*, unless it is there already. Raises OSError."""
    record = ProjectRecord(
        project.name, project.working_dir, project.compose_files, project.env_files
    )
    if read_record(layout, project.name) == record:
        return
    os.makedirs(layout.project(project.name), mode=0o700, exist_ok=True)
    write_atomically(layout.project_json(project.name), json.dumps(record._asdict()).encode())


def read_record(layout: Layout, project: str) -> ProjectRecord | None:
    """The record of *project*; None when there is none that can be read."""
    try:
        with open(layout.project_json(project), encoding="utf-8") as stream:
            fields = json.load(stream)
        return ProjectRecord(
            name=str(fields["name"]),
            working_dir=str(fields.get("working_dir", "")),
            compose_files=tuple(map(str, fields.get("compose_files", ()))),
            env_files=tuple(map(str, fields.get("env_files", ()))),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def may_have_resources(layout: Layout, project: str) -> bool:
    """May anything but volumes be left of it? `down` removes the record after all else."""
    known = os.path.exists(layout.project_json(project))
    return known or bool(container_ids(layout, project))
