"""orchestra: compose projects on any Linux box, with no daemon."""

__version__ = "0.1.0"
