from __future__ import annotations

import pytest

from orchestra.cli.render.containers import (
    DEFAULT_COLUMNS,
    HEADERS,
    command_text,
    container_fields,
    ports_text,
    status_text,
)
from orchestra.cli.render.listing import Item, listing_text
from orchestra.errors import ConfigError
from orchestra.model.state import ContainerState, Health, PortState, Status

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND


def container(**changes: object) -> ContainerState:
    state = ContainerState(
        id="0123456789abcdef" * 4,
        name="demo-web-1",
        project="demo",
        service="web",
        number=1,
        image="nginx",
        image_id="sha256:0",
        config_hash="",
        command=("nginx", "-g", "daemon off;"),
        created_ns=NOW - 130 * SECOND,
        status=Status.RUNNING,
        started_ns=NOW - 5 * SECOND,
        labels=(("com.example", "x"),),
        mounts=("demo_data-of-a-long-name", "/srv"),
    )
    return state._replace(**changes)  # type: ignore[arg-type]  # the tests name existing fields


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Up 5 seconds"),
        ({"health": Health.STARTING}, "Up 5 seconds (health: starting)"),
        ({"health": Health.HEALTHY}, "Up 5 seconds (healthy)"),
        ({"status": Status.PAUSED}, "Up 5 seconds (Paused)"),
        ({"status": Status.CREATED}, "Created"),
        ({"status": Status.EXITED, "exit_code": 255}, "Exited (255)"),  # by a reboot
        (
            {"status": Status.EXITED, "exit_code": 3, "finished_ns": NOW - 180 * SECOND},
            "Exited (3) 3 minutes ago",
        ),
        (
            {"status": Status.RESTARTING, "exit_code": 1, "finished_ns": NOW - 2 * SECOND},
            "Restarting (1) 2 seconds ago",
        ),
        ({"status": Status.DEAD}, "Dead"),
        ({"status": Status.REMOVING}, "Removal In Progress"),
    ],
)
def test_status_in_docker_s_words(changes: dict[str, object], text: str) -> None:
    assert status_text(container(**changes), NOW) == text


def test_a_long_command_ends_in_an_ellipsis_unless_asked() -> None:
    command = ("sh", "-c", "echo hello world")
    assert command_text(command, truncate=True) == '"sh -c \'echo hello w…"'
    assert command_text(command, truncate=False) == "\"sh -c 'echo hello world'\""


def test_control_characters_in_a_command_are_shown_not_sent() -> None:
    assert "\x1b" not in command_text(("sh", "\x1b[31m"), truncate=False)


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ((), ""),
        ((PortState(80, "tcp"),), "80/tcp"),
        ((PortState(80, "tcp", "0.0.0.0", 8080),), "0.0.0.0:8080->80/tcp"),
        ((PortState(80, "tcp", "::", 8080),), "[::]:8080->80/tcp"),
        (
            (PortState(9001, "tcp"), PortState(9000, "tcp"), PortState(9002, "udp")),
            "9000-9001/tcp, 9002/udp",
        ),
        (
            (PortState(80, "tcp", "0.0.0.0", 80), PortState(81, "tcp", "0.0.0.0", 81)),
            "0.0.0.0:80-81->80-81/tcp",
        ),
    ],
)
def test_ports_as_docker_groups_them(ports: tuple[PortState, ...], text: str) -> None:
    assert ports_text(ports) == text


def listing(template: str, *states: ContainerState) -> str:
    items = [
        Item(container_fields(state, now_ns=NOW, truncate=True), dict(state.labels))
        for state in states
    ]
    return listing_text(items, template, headers=HEADERS, columns=DEFAULT_COLUMNS)


def test_the_table_of_ps() -> None:
    assert listing("", container(ports=(PortState(80, "tcp", "0.0.0.0", 8080),))) == (
        "NAME         IMAGE     COMMAND                  SERVICE   CREATED         STATUS         "
        "PORTS\n"
        'demo-web-1   nginx     "nginx -g \'daemon of…"   web       2 minutes ago   Up 5 seconds   '
        "0.0.0.0:8080->80/tcp\n"
    )


def test_json_has_the_keys_of_docker_compose() -> None:
    text = listing("json", container(ports=(PortState(80, "tcp", "0.0.0.0", 8080),)))
    assert text.count("\n") == 1
    assert '"Ports":"0.0.0.0:8080-\\u003e80/tcp"' in text
    assert (
        '"Publishers":[{"URL":"0.0.0.0","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"}]'
        in text
    )


def test_the_fields_are_those_of_docker_compose_in_its_order() -> None:
    fields = container_fields(container(), now_ns=NOW, truncate=True)
    assert " ".join(fields) == (
        "Command CreatedAt ExitCode Health ID Image Labels LocalVolumes Mounts Name Names Networks "
        "Ports Project Publishers RunningFor Service Size State Status"
    )  # of `docker compose ps --format json`, 2.26


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Name}}", "demo-web-1\n"),
        ("{{ .Name }}: {{.State}}", "demo-web-1: running\n"),
        ("{{json .Name}}", '"demo-web-1"\n'),
        ("{{.Name | upper}}", "DEMO-WEB-1\n"),
        ('{{.Label "com.example"}}', "x\n"),
        ("{{if .Ports}}open{{else}}closed{{end}}", "closed\n"),
        ("{{range .Publishers}}{{.URL}} {{else}}none{{end}}", "none\n"),
        ('{{range split .Name "-"}}<{{.}}>{{end}}', "<demo><web><1>\n"),
        ("{{if .Name}}a{{if .Ports}}b{{end}}c{{end}}", "ac\n"),
        ("a {{- .State -}} b", "arunningb\n"),
        ('{{join (split .Name "-") "/"}}', "demo/web/1\n"),
        ('{{split .Name "-" | len}}', "3\n"),
        ("{{truncate .Name 4}}", "demo\n"),
        ("{{.Name}}\\t{{.ExitCode}}", "demo-web-1\t0\n"),
        ("table {{.Name}}\\t{{.Status}}", "NAME         STATUS\ndemo-web-1   Up 5 seconds\n"),
        ("{{.Nope}}", None),
        ("{{range .Ports}}x{{end}}", None),
        ("{{if .Name}}x", None),
        ("{{end}}", None),
        ("{{}}", None),
    ],
)
def test_go_templates(template: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(ConfigError):
            listing(template, container())
    else:
        assert listing(template, container()) == text


def test_long_mount_names_are_shortened() -> None:
    fields = container_fields(container(), now_ns=NOW, truncate=True)
    assert fields["Mounts"] == "demo_data-of-a…,/srv"
    assert fields["LocalVolumes"] == "1"


def test_a_container_that_does_not_run_has_no_ports() -> None:
    stopped = container(status=Status.EXITED, ports=(PortState(80, "tcp", "0.0.0.0", 8080),))
    fields = container_fields(stopped, now_ns=NOW, truncate=True)
    assert (fields["Ports"], fields["Publishers"]) == ("", None)


def test_a_template_goes_through_the_ports() -> None:
    ports = tuple(PortState(number, "tcp", "0.0.0.0", number + 8000) for number in (80, 81))
    template = "{{range .Publishers}}{{.PublishedPort}}->{{.TargetPort}} {{end}}"
    assert listing(template, container(ports=ports)) == "8080->80 8081->81 \n"
