"""Pulling from registries that break off, stall, lie and ask for patience."""

from __future__ import annotations

import base64
import gzip
import os
import socket
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import AuthRequired, DigestMismatch, NotFound, RegistryError, Unsupported
from orchestra.image.manifest import OCI_INDEX
from orchestra.image.platform import parse_platform
from orchestra.image.receive import Receiver
from orchestra.image.reference import parse_reference
from orchestra.image.store import LocalImageStore
from orchestra.registry.base import LayerPhase, LayerProgress, Pulled, PullRequest
from orchestra.registry.client import Patience
from orchestra.registry.configuration import Configuration, RegistrySettings
from orchestra.registry.credentials import Credential, Credentials, Secret
from orchestra.registry.failures import (
    BlobUnknown,
    ManifestUnknown,
    Stalled,
    Transient,
    Unreachable,
)
from orchestra.registry.pull import pull
from orchestra.registry.registries import Registries
from orchestra.registry.retry import Backoff
from tests.support.faulty_registry import Fault, FaultyRegistry, Token, faulty_registry
from tests.support.images import OCI_MANIFEST, digest_of, make_image, make_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYER = os.urandom(200_000)
IMAGE = make_image([{"a": LAYER}], {"Cmd": ["/a"]})
BIG = IMAGE.layers[0]


class Puller:
    """Pulls into a store below a directory, with no pauses between attempts."""

    def __init__(self, directory: Path, registry: FaultyRegistry) -> None:
        self.registry = registry
        self.store = LocalImageStore(str(directory / "images"))
        self.environ = {"HOME": str(directory)}
        self.settings = RegistrySettings(insecure=True, timeout_s=0.5)
        self.events: list[LayerProgress] = []
        self.pauses: list[float] = []

    def __call__(self, name: str = "app:1", platform: str = "linux/amd64") -> Pulled:
        reference = parse_reference(f"{self.registry.host}/{name}")
        configuration = Configuration({self.registry.host: self.settings})
        patience = Patience(Backoff(attempts=3, first_s=0.0), self.pauses.append, lambda: 0.5)
        request = PullRequest(reference, parse_platform(platform))
        with (
            Registries(configuration, self.environ, patience=patience) as registries,
            Receiver(self.store) as receiver,
        ):
            return pull(request, registries, receiver, self.events.append)

    def has(self, name: str = "app:1") -> bool:
        try:
            self.store.resolve(f"{self.registry.host}/{name}")
        except NotFound:
            return False
        return True

    def phases(self) -> set[LayerPhase]:
        return {event.phase for event in self.events}


@pytest.fixture
def puller(tmp_path: Path) -> Iterator[Puller]:
    with faulty_registry() as registry:
        registry.add(IMAGE)
        yield Puller(tmp_path, registry)


def test_an_image_is_pulled_and_the_second_time_only_asked_for(puller: Puller) -> None:
    first = puller()
    assert first == Pulled(IMAGE.manifest, is_new=True)
    assert puller.store.resolve(f"{puller.registry.host}/app:1").command == ("/a",)
    assert LayerPhase.DOWNLOADED in puller.phases()
    puller.registry.requests.clear()
    assert puller() == first._replace(is_new=False)
    assert puller.registry.requests == ["HEAD /v2/app/manifests/1"]


def test_what_a_digest_names_is_not_asked_for_again(puller: Puller) -> None:
    puller(f"app@{IMAGE.manifest}")
    puller.registry.requests.clear()
    assert puller(f"app@{IMAGE.manifest}") == Pulled(IMAGE.manifest, is_new=False)
    assert puller.registry.requests == []


def test_a_moved_tag_brings_only_what_is_new(puller: Puller) -> None:
    puller()
    moved = make_image([{"a": LAYER}, {"b": b"new"}])
    puller.registry.add(moved)
    puller.registry.requests.clear()
    assert puller().digest == moved.manifest
    blobs = [line for line in puller.registry.requests if "/blobs/" in line]
    assert sorted(blobs) == sorted(
        f"GET /v2/app/blobs/{digest}" for digest in (moved.config, moved.layers[1])
    )
    assert LayerPhase.EXISTS in puller.phases()


def test_the_platform_is_chosen_from_the_index(puller: Puller, tmp_path: Path) -> None:
    other = make_image([{"b": b"1"}], architecture="arm64")
    index, _ = make_index({"linux/arm64": other, "linux/amd64": IMAGE})
    puller.registry.add(other, "arm")
    puller.registry.add_document("multi", index, OCI_INDEX)
    puller("app:multi")
    assert puller.store.resolve(f"{puller.registry.host}/app:multi").id == IMAGE.config
    with pytest.raises(Unsupported, match="linux/s390x"):
        Puller(tmp_path / "other", puller.registry)("app:multi", "linux/s390x")


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/amd64/v3", "linux/amd64"),
    ],
)
def test_the_variant_of_a_processor_counts(puller: Puller, wanted: str, taken: str) -> None:
    names = ("linux/amd64", "linux/arm/v6", "linux/arm64", "linux/arm/v7")
    images = {name: make_image([{"name": name.encode()}]) for name in names}
    for image in images.values():
        puller.registry.add(image, image.manifest)
    puller.registry.add_document("multi", make_index(images)[0], OCI_INDEX)
    puller("app:multi", wanted)
    assert puller.store.resolve(f"{puller.registry.host}/app:multi").id == images[taken].config


def test_the_platforms_that_there_are_are_told(puller: Puller) -> None:
    index, _ = make_index({"linux/arm/v7": IMAGE, "linux/arm64": IMAGE, "unknown/unknown": IMAGE})
    puller.registry.add_document("multi", index, OCI_INDEX)
    with pytest.raises(Unsupported, match="no matching manifest for linux/arm/v5") as caught:
        puller("app:multi", "linux/arm/v5")
    assert caught.value.fix.startswith("it exists for linux/arm/v7, linux/arm64;")


def test_an_image_for_another_machine_does_not_count_as_here(puller: Puller) -> None:
    other = make_image([{"b": b"1"}], architecture="arm64")
    index, _ = make_index({"linux/arm64": other, "linux/amd64": IMAGE})
    puller.registry.add(other, "arm")
    puller.registry.add_document("multi", index, OCI_INDEX)
    assert puller("app:multi", "linux/arm64").is_new
    assert puller("app:multi").is_new
    assert puller.store.resolve(f"{puller.registry.host}/app:multi").id == IMAGE.config
    assert not puller("app:multi").is_new


def test_a_broken_connection_is_resumed_where_it_broke(puller: Puller) -> None:
    puller.registry.faults.append(Fault(BIG, cut_after=120_000))
    puller()
    assert puller.registry.requests.count(f"GET /v2/app/blobs/{BIG}") == 2
    assert LayerPhase.RETRYING in puller.phases()
    assert puller.has()


def test_a_registry_without_ranges_is_read_from_the_start(puller: Puller) -> None:
    puller.registry.faults.extend((Fault(BIG, cut_after=120_000), Fault(BIG, no_ranges=True)))
    puller()
    assert puller.has()


def test_a_pull_that_was_given_up_goes_on_later(puller: Puller) -> None:
    puller.registry.faults.extend([Fault(BIG, cut_after=150_000), *[Fault(BIG, cut_after=0)] * 3])
    with pytest.raises(Transient, match="broke"):
        puller()
    assert not puller.has()
    puller.events.clear()
    puller()
    first = next(e for e in puller.events if e.phase is LayerPhase.DOWNLOADED)
    assert first.done_bytes == len(IMAGE.blobs[BIG])
    assert all(e.done_bytes > 140_000 for e in puller.events if e.phase is LayerPhase.DOWNLOADING)


def test_a_layer_cut_short_at_the_same_place_each_time_ends(puller: Puller) -> None:
    puller.registry.faults.extend([Fault(BIG, cut_after=1000, no_ranges=True)] * 9)
    with pytest.raises(Transient):
        puller()
    assert not puller.has()


def test_a_registry_that_stalls_is_given_up_in_time(puller: Puller) -> None:
    silent = [Fault(BIG, stall_s=1.5)] * 9
    puller.registry.faults.extend([Fault(BIG, cut_after=9999, stall_s=1.5), *silent])
    puller.settings = RegistrySettings(insecure=True, timeout_s=0.1)
    begun = time.monotonic()
    with pytest.raises(Transient, match=r"sent nothing for 0\.1 s") as caught:
        puller()
    assert time.monotonic() - begun < 5
    assert "kept" in caught.value.fix


def test_a_host_that_accepts_and_says_nothing_is_given_up(puller: Puller) -> None:
    puller.settings = RegistrySettings(insecure=True, timeout_s=0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        puller.registry.host = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(Stalled):  # by plain HTTP, after TLS was found unreachable
            puller()
        puller.settings = RegistrySettings(timeout_s=0.1)
        with pytest.raises(Unreachable, match="does not answer"):
            puller()
    assert time.monotonic() - begun < 5


def test_a_wrong_layer_is_refused_and_forgotten(puller: Puller) -> None:
    puller.registry.faults.append(Fault(BIG, corrupt=True))
    with pytest.raises(DigestMismatch):
        puller()
    assert not puller.has()
    puller()
    assert puller.has()


def test_a_wrong_start_from_an_earlier_run_is_fetched_anew(puller: Puller) -> None:
    with puller.store.blobs.ingest(BIG, len(IMAGE.blobs[BIG])) as ingest:
        ingest.write(b"not the layer")
    puller()
    assert puller.has()


def test_a_layer_longer_than_announced_is_refused(puller: Puller) -> None:
    puller.registry.faults.append(Fault(BIG, longer_by=1000))
    with pytest.raises(RegistryError, match="more than"):
        puller()


def test_a_wrong_manifest_is_refused(puller: Puller) -> None:
    puller.registry.faults.append(Fault("/manifests/", corrupt=True))
    with pytest.raises(DigestMismatch, match="sends sha256"):
        puller(f"app@{IMAGE.manifest}")


def test_a_missing_tag_is_told_with_its_name(puller: Puller) -> None:
    with pytest.raises(ManifestUnknown, match="has no app:nope") as caught:
        puller("app:nope")
    assert "tag" in caught.value.fix


def test_a_lost_blob_is_told(puller: Puller) -> None:
    del puller.registry.blobs[BIG]
    with pytest.raises(BlobUnknown, match="has lost the blob"):
        puller()


def test_nobody_listening_is_told(puller: Puller) -> None:
    puller.registry.host = "127.0.0.1:1"
    with pytest.raises(Unreachable, match="connection refused"):
        puller()


def test_a_registry_that_is_too_busy_is_waited_for_as_long_as_it_asks(puller: Puller) -> None:
    busy = Fault("/manifests/", status=429, headers=(("Retry-After", "7"),))
    puller.registry.faults.extend((busy, Fault("/manifests/", status=503)))
    puller()
    assert puller.pauses == [7.0, 0.0]


def test_a_registry_that_stays_too_busy_is_given_up(puller: Puller) -> None:
    error = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "pull \\u001b[31mlimit"}]}'
    puller.registry.faults.extend([Fault("/manifests/", status=429, body=error)] * 3)
    with pytest.raises(Transient, match=r"too many requests: pull  \[31mlimit") as caught:
        puller()
    assert "orchestra login" in caught.value.fix


def test_a_registry_that_asks_for_hours_is_not_waited_for(puller: Puller) -> None:
    busy = Fault("/manifests/", status=429, headers=(("Retry-After", "7200"),))
    puller.registry.faults.append(busy)
    with pytest.raises(Transient):
        puller()
    assert puller.pauses == []


def test_a_token_is_asked_for_once_and_anonymously(puller: Puller) -> None:
    puller.registry.token = Token()
    puller()
    asked = [line for line in puller.registry.requests if "/token" in line]
    assert asked == ["GET /token?service=faulty&scope=repository%3Aapp%3Apull"]


def test_a_login_is_given_to_the_token_server_only(puller: Puller) -> None:
    puller.registry.token = Token(login="ada:correct horse")
    Credentials(puller.environ).store(
        puller.registry.host, Credential("ada", Secret("correct horse"))
    )
    puller()
    sent = dict(zip(puller.registry.requests, puller.registry.authorizations, strict=True))
    for request, authorization in sent.items():
        kind = "Basic " if request.startswith("GET /token") else ("Bearer ", "")
        assert authorization.startswith(kind)


def test_a_refused_login_is_told_without_the_password(puller: Puller) -> None:
    puller.registry.token = Token(login="ada:other")
    Credentials(puller.environ).store(
        puller.registry.host, Credential("ada", Secret("correct horse"))
    )
    with pytest.raises(AuthRequired, match="refuses the login") as caught:
        puller()
    assert "horse" not in str(caught.value)
    assert f"orchestra login {puller.registry.host}" in caught.value.fix


def test_an_expired_token_is_replaced_in_the_middle(puller: Puller) -> None:
    puller.registry.token = Token()
    puller.registry.faults.append(
        Fault(
            BIG,
            status=401,
            headers=(("WWW-Authenticate", f'Bearer realm="http://{puller.registry.host}/token"'),),
        )
    )
    puller()
    assert len(puller.registry.tokens) == 2


def test_a_redirected_blob_is_fetched_without_the_login(puller: Puller) -> None:
    with faulty_registry() as elsewhere:
        elsewhere.add(IMAGE)
        puller.registry.token = Token()
        location = (("Location", f"http://{elsewhere.host}/v2/app/blobs/{BIG}"),)
        puller.registry.faults.append(Fault(BIG, status=307, headers=location))
        puller()
        assert elsewhere.authorizations == [""]


def test_a_redirect_to_a_file_is_not_followed(puller: Puller) -> None:
    location = (("Location", "file:///etc/passwd"),)
    puller.registry.faults.append(Fault(BIG, status=307, headers=location))
    with pytest.raises(RegistryError, match="redirects from http to file"):
        puller()


def test_redirects_without_end_are_left(puller: Puller) -> None:
    loop = (("Location", f"/v2/app/blobs/{BIG}"),)
    puller.registry.faults.extend([Fault(BIG, status=307, headers=loop)] * 20)
    with pytest.raises(RegistryError, match="redirects without end") as caught:
        puller()
    assert caught.value.fix


def test_a_mirror_that_fails_is_passed_over(puller: Puller) -> None:
    with faulty_registry() as mirror:
        puller.settings = RegistrySettings(
            insecure=True, mirrors=(f"http://{mirror.host}", "http://127.0.0.1:1")
        )
        puller()
        assert mirror.requests == ["GET /v2/app/manifests/1"]
    assert puller.has()


def test_a_mirror_is_asked_first(puller: Puller) -> None:
    with faulty_registry() as mirror:
        mirror.add(IMAGE)
        puller.settings = RegistrySettings(insecure=True, mirrors=(f"http://{mirror.host}",))
        puller()
    assert puller.registry.requests == []


def test_a_proxy_is_asked_for_what_it_leads_to(puller: Puller) -> None:
    with faulty_registry() as proxy:
        proxy.add(IMAGE)
        puller.registry.host = "registry.invalid:8080"
        puller.settings = RegistrySettings(insecure=True, proxy=f"http://ada:p%40w@{proxy.host}")
        assert puller().is_new
        assert f"GET http://registry.invalid:8080/v2/app/blobs/{BIG}" in proxy.requests
        login = base64.b64encode(b"ada:p@w").decode()
        assert proxy.proxy_authorizations == {f"Basic {login}"}


def test_a_proxy_that_is_not_there_is_told(puller: Puller) -> None:
    puller.settings = RegistrySettings(insecure=True, proxy="http://127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"the proxy for .* does not work") as caught:
        puller()
    assert "HTTPS_PROXY" in caught.value.fix


def test_an_image_of_another_system_is_refused(puller: Puller) -> None:
    puller.registry.add(make_image([{"a": b"1"}], system="windows"), "win")
    with pytest.raises(Unsupported, match="is for windows/amd64"):
        puller("app:win")


def test_a_chart_is_no_image(puller: Puller) -> None:
    manifest = IMAGE.blobs[IMAGE.manifest].replace(
        b"application/vnd.oci.image.config.v1+json", b"application/vnd.cncf.helm.config.v1+json"
    )
    puller.registry.add_document("chart", manifest, "application/vnd.oci.image.manifest.v1+json")
    with pytest.raises(Unsupported, match="no container image"):
        puller("app:chart")


def test_all_threads_have_ended_afterwards(puller: Puller) -> None:
    puller.registry.faults.append(Fault(BIG, corrupt=True))
    with pytest.raises(DigestMismatch):
        puller()
    names = {thread.name for thread in threading.enumerate()}
    assert not any(name.startswith(("registry", "unpack")) for name in names)


def test_a_manifest_without_end_is_left(puller: Puller) -> None:
    body = b'{"schemaVersion": 2, "x": "' + bytes(100 << 20) + b'"}'
    puller.registry.faults.append(Fault("/manifests/", status=200, body=body))
    with pytest.raises(RegistryError, match="more than 4194304 bytes"):
        puller()
    assert not puller.has()


def test_a_web_page_is_no_manifest(puller: Puller) -> None:
    page = (("Content-Type", "text/html; charset=utf-8"),)
    puller.registry.faults.append(Fault("/manifests/", status=200, headers=page, body=b"<html>"))
    with pytest.raises(RegistryError, match="answers with a web page") as caught:
        puller()
    assert "browser" in caught.value.fix


def test_retry_after_may_be_a_date(puller: Puller) -> None:
    headers = (("Retry-After", formatdate(time.time() + 100, usegmt=True)),)
    puller.registry.faults.append(Fault("/manifests/", status=429, headers=headers))
    puller()
    assert 95 <= puller.pauses[0] <= 101


def test_how_long_a_registry_wants_to_be_left_alone_is_told(puller: Puller) -> None:
    busy = Fault("/manifests/", status=429, headers=(("Retry-After", "7200"),))
    puller.registry.faults.append(busy)
    with pytest.raises(Transient) as caught:
        puller()
    assert caught.value.fix.startswith("wait 7200 s, or")


def test_a_layer_that_is_not_what_the_config_says_is_told(puller: Puller) -> None:
    config = IMAGE.blobs[IMAGE.config]
    layer_tar = gzip.decompress(IMAGE.blobs[BIG])
    lie = config.replace(digest_of(layer_tar).encode(), b"sha256:" + b"1" * 64)
    manifest = IMAGE.blobs[IMAGE.manifest].replace(IMAGE.config.encode(), digest_of(lie).encode())
    puller.registry.blobs[digest_of(lie)] = lie
    puller.registry.add_document("lie", manifest, OCI_MANIFEST)
    with pytest.raises(DigestMismatch, match=f"layer {BIG}: unpacked it has the digest"):
        puller("app:lie")
    assert not puller.has("app:lie")
    assert not puller.store.unpacked.has("sha256:" + "1" * 64)


def test_without_its_credential_helper_a_public_image_is_pulled(puller: Puller) -> None:
    directory = os.path.join(puller.environ["HOME"], ".docker")
    os.mkdir(directory)
    with open(os.path.join(directory, "config.json"), "w") as file:
        file.write('{"credsStore": "absent"}')
    assert puller().is_new
    puller.registry.token = Token(login="ada:pw")
    with pytest.raises(AuthRequired):
        puller("app:other")
