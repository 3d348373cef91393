from __future__ import annotations

import pytest

from orchestra.errors import ConfigError
from orchestra.image.changes import Settings, with_changes

BEFORE: Settings = {
    "Env": ["PATH=/bin", "A=1"],
    "Cmd": ["old"],
    "Labels": {"kept": "yes"},
    "ExposedPorts": {"80/tcp": {}},
    "WorkingDir": "/srv",
}


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ('CMD ["a", "b c"]', "Cmd", ["a", "b c"]),
        ("CMD a b", "Cmd", ["/bin/sh", "-c", "a b"]),
        ("CMD [not json", "Cmd", ["/bin/sh", "-c", "[not json"]),
        ("cmd a", "Cmd", ["/bin/sh", "-c", "a"]),
        ('ENTRYPOINT ["run"]', "Entrypoint", ["run"]),
        ("ENV A=2 B='x y'", "Env", ["PATH=/bin", "A=2", "B=x y"]),
        ("ENV C some words", "Env", ["PATH=/bin", "A=1", "C=some words"]),
        ("LABEL new=1", "Labels", {"kept": "yes", "new": "1"}),
        ("EXPOSE 53/udp 90-91", "ExposedPorts",
         {"80/tcp": {}, "53/udp": {}, "90/tcp": {}, "91/tcp": {}}),
        ("USER app:app", "User", "app:app"),
        ("VOLUME /a /b", "Volumes", {"/a": {}, "/b": {}}),
        ('VOLUME ["/a b"]', "Volumes", {"/a b": {}}),
        ("WORKDIR sub", "WorkingDir", "/srv/sub"),
        ("WORKDIR /else", "WorkingDir", "/else"),
        ("STOPSIGNAL SIGQUIT", "StopSignal", "SIGQUIT"),
        ("ONBUILD RUN true", "OnBuild", ["RUN true"]),
        ("HEALTHCHECK NONE", "Healthcheck", {"Test": ["NONE"]}),
        ("HEALTHCHECK --interval=5s --retries=2 CMD curl -f x", "Healthcheck",
         {"Interval": 5 * 10**9, "Retries": 2, "Test": ["CMD-SHELL", "curl -f x"]}),
        ('HEALTHCHECK CMD ["true"]', "Healthcheck", {"Test": ["CMD", "true"]}),
    ],
)  # fmt: skip
def test_an_instruction_changes_its_setting(change: str, key: str, value: object) -> None:
    assert with_changes(BEFORE, [change])[key] == value


def test_changes_follow_each_other_and_leave_the_original_alone() -> None:
    changed = with_changes(BEFORE, ['ENTRYPOINT ["a"]', 'CMD ["b"]', "ENV A=3", "ENV A=4"])

    assert (changed["Entrypoint"], changed["Cmd"]) == (["a"], ["b"])
    assert changed["Env"] == ["PATH=/bin", "A=4"]
    assert BEFORE["Env"] == ["PATH=/bin", "A=1"]


def test_a_new_entrypoint_drops_the_command_of_the_old() -> None:
    assert "Cmd" not in with_changes(BEFORE, ['ENTRYPOINT ["a"]'])


@pytest.mark.parametrize(
    "change",
    ["RUN true", "", "CMD", "ENV", "ENV A", "EXPOSE x", "EXPOSE 0", "EXPOSE 70000", "LABEL a='",
     "HEALTHCHECK curl", "HEALTHCHECK --interval=x CMD a", "HEALTHCHECK --what=1 CMD a",
     "VOLUME []"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(change: str) -> None:
    with pytest.raises(ConfigError):
        with_changes(BEFORE, [change])
