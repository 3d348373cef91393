"""`--format` templates: the same text as Go's text/template gives."""

from __future__ import annotations

import pytest

from orchestra.cli.render.template import parse_template, render
from orchestra.errors import ConfigError

NETWORK = {
    "Name": "shop",
    "Empty": [],
    "Options": {},
    "Internal": False,
    "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}, {"Subnet": "fd00::/64"}]},
    "Labels": {"com.example.b": "2", "a": "1"},
    "Containers": {"c2": {"Name": "db"}, "c1": {"Name": "web"}},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Name}} {{.Internal}}", "shop false"),
        ("{{range .IPAM.Config}}{{.Subnet}} {{end}}", "10.0.0.0/24 fd00::/64 "),
        ("{{(index .IPAM.Config 0).Subnet}}", "10.0.0.0/24"),
        ('{{index .Labels "com.example.b"}}', "2"),
        ('{{index .Labels "missing"}}|', "|"),
        ("{{range $id, $c := .Containers}}{{$id}}={{$c.Name}},{{end}}", "c1=web,c2=db,"),
        ("{{range .Containers}}{{.Name}} {{end}}", "web db "),
        ("{{range $c := .Containers}}{{$c.Name}} {{$.Name}} {{end}}", "web shop db shop "),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ("{{with .Options}}x{{else}}no options{{end}}", "no options"),
        ("{{with .IPAM}}{{len .Config}}{{end}}", "2"),
        ("{{if .Internal}}a{{else if .Name}}b{{else}}c{{end}}", "b"),
        ('{{if eq .Name "shop" "store"}}yes{{end}}', "yes"),
        ('{{if and .Name (not .Internal)}}{{printf "%-6s|%q" .Name 1}}{{end}}', "shop  |1"),
        ('{{printf "%d of %v" 1 .Labels}}', "1 of map[a:1 com.example.b:2]"),
        ("{{$n := .Name}}{{upper $n}}", "SHOP"),
        ("{{/* nothing */}}{{ .Name | printf \"<%s>\" }}", "<shop>"),
        ("{{.IPAM.Driver}}", "<no value>"),
        ("{{println .Name}}", "shop\n"),
        ("{{join (split \"a,b\" \",\") \"-\"}}", "a-b"),
    ],
)  # fmt: skip
def test_templates_are_rendered_as_go_does(template: str, text: str) -> None:
    assert render(parse_template(template), NETWORK, {}) == text


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{.Nomen}}", r"no field \.Nomen"),
        ("{{range .Name}}x{{end}}", "no list"),
        ("{{if .Name}}", "without {{end}}"),
        ("{{$x}}", "undefined variable"),
        ("{{template .}}", 'function "template"'),
        ("{{index .Empty 3}}", "wrong arguments"),
        ("{{(.Name}}", "not supported"),
        ('{{printf "%z" 1}}', "%z"),
        ("{{.Name 3}}", "arguments"),
    ],
)
def test_what_is_not_understood_is_refused(template: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        render(parse_template(template), NETWORK, {})
