"""What a registry tells and where its logins go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import RegistryError
from orchestra.image.reference import parse_reference
from orchestra.registry.configuration import Configuration, RegistrySettings
from orchestra.registry.registries import Registries
from tests.support.faulty_registry import Fault, FaultyRegistry, Token, faulty_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = "/tags/list"


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    with faulty_registry() as registry:
        yield registry


def tags(registry: FaultyRegistry) -> tuple[str, ...]:
    configuration = Configuration({registry.host: RegistrySettings(insecure=True)})
    with Registries(configuration, {"HOME": "/nonexistent"}) as registries:
        reference = parse_reference(f"{registry.host}/app")
        return registries.reading(reference, lambda client: client.tags())


def page(body: bytes, following: str = "") -> Fault:
    link = (("Link", f'<{following}>; rel="next"'),) if following else ()
    return Fault(LIST, status=200, body=body, headers=link)


def test_tags_are_read_page_by_page(registry: FaultyRegistry) -> None:
    registry.faults.append(page(b'{"tags": ["1", "2"]}', "/v2/app/tags/list?last=2"))
    registry.faults.append(page(b'{"tags": ["3"]}'))
    assert tags(registry) == ("1", "2", "3")
    assert registry.requests[-1] == "GET /v2/app/tags/list?last=2"


def test_a_repository_without_tags_has_none(registry: FaultyRegistry) -> None:
    registry.faults.append(page(b'{"name": "app", "tags": null}'))
    assert tags(registry) == ()


def test_what_is_no_list_of_tags_is_refused(registry: FaultyRegistry) -> None:
    registry.faults.append(page(b'{"tags": [1]}'))
    with pytest.raises(RegistryError, match="no list of tags"):
        tags(registry)


def test_pages_without_end_are_left(registry: FaultyRegistry) -> None:
    registry.faults.extend([page(b'{"tags": []}', "/v2/app/tags/list?n=1000")] * 9)
    with pytest.raises(RegistryError, match="without end"):
        tags(registry)


def test_a_login_is_not_taken_to_another_host(registry: FaultyRegistry) -> None:
    registry.token = Token()
    realm = f'Bearer realm="http://{registry.host}/token"'
    registry.faults.append(Fault(LIST, status=401, headers=(("WWW-Authenticate", realm),)))
    with faulty_registry() as elsewhere:
        elsewhere.faults.append(page(b'{"tags": ["3"]}'))
        registry.faults.append(Fault("/token", status=200, body=b'{"token": "t"}'))
        registry.faults.append(page(b'{"tags": []}', f"http://{elsewhere.host}/v2/app/tags/list"))
        assert tags(registry) == ("3",)
        assert elsewhere.authorizations == [""]
    assert registry.authorizations[-1] == "Bearer t"
