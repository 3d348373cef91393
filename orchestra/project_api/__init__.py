"""Compose projects from Python: load one, run it, ask its services where they are.

    from orchestra import Project

    with Project.load("compose.yaml").running(unique=True) as project:
        host, port = project["db"].port(5432)

What only reads (ps, ports, logs) reads state files in the caller's process. What changes something
is done by an interpreter of its own (`errand`), so that it works from threads, prints nothing and
leaves the caller's signals, descriptors and locks alone. Errors are those of `orchestra.errors`.
"""

from orchestra.project_api.project import Project
from orchestra.project_api.service import ExecResult, HostPort, Service

__all__ = ["ExecResult", "HostPort", "Project", "Service"]
