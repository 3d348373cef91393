"""The contents of a container's /etc/resolv.conf and /etc/hosts: text from text, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.model.container import Dns

EMBEDDED_SERVER = "127.0.0.11"

_LOCAL_HOSTS = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


class ResolvConf(NamedTuple):
    """resolv.conf(5), as far as it concerns us."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [f"nameserver {server}" for server in self.servers]
        if self.search:
            lines.append("search " + " ".join(self.search))
        if self.options:
            lines.append("options " + " ".join(self.options))
        return "\n".join(lines) + "\n" if lines else ""


def parse_resolv_conf(text: str) -> ResolvConf:
    """What the host says; the last "search" or "domain" line counts."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0][0] in "#;":
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            search = tuple(words[1:])
        elif words[0] == "options":
            options += words[1:]
    return ResolvConf(tuple(servers), search, tuple(options))


def embedded_resolv_conf(host: ResolvConf, dns: Dns) -> str:
    """For a container with a name server at 127.0.0.11, as Docker writes it."""
    options = dns.options or host.options
    if not any(option.startswith("ndots:") for option in options):
        options = (*options, "ndots:0")
    return ResolvConf((EMBEDDED_SERVER,), _search(host, dns), options).text()


def host_resolv_conf(text: str, dns: Dns) -> str:
    """For a container in the host's namespace: the host's *text* unless the service has own dns."""
    if not (dns.servers or dns.search or dns.options):
        return text
    host = parse_resolv_conf(text)
    return ResolvConf(
        dns.servers or host.servers, _search(host, dns), dns.options or host.options
    ).text()


def hosts_text(
    names: Sequence[str], addresses: Iterable[str], extra_hosts: Iterable[tuple[str, str]]
) -> str:
    """/etc/hosts: localhost, *extra_hosts* (name, address), then *names* for each address."""
    lines = [f"{address}\t{name}\n" for name, address in extra_hosts]
    lines += [f"{address}\t{' '.join(names)}\n" for address in addresses]
    return _LOCAL_HOSTS + "".join(lines)


def _search(host: ResolvConf, dns: Dns) -> tuple[str, ...]:
    """`dns_search: .` means none at all."""
    if not dns.search:
        return host.search
    return tuple(domain for domain in dns.search if domain != ".")
