"""orchestra: compose projects on any Linux box, with no daemon.

`from orchestra import Project` is the Python interface; `orchestra.project_api` describes it. It is
imported when it is first asked for, since the command imports this package too.
"""

__version__ = "0.1.0"
__all__ = ["ExecResult", "HostPort", "Project", "Service"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.project_api.project import Project
    from orchestra.project_api.service import ExecResult, HostPort, Service
else:  # hidden from type checkers, which would take any name for one of ours

    def __getattr__(name: str) -> object:
        """The public classes. Raises AttributeError for anything else."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from orchestra import project_api

        return getattr(project_api, name)
