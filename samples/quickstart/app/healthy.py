"""The healthcheck: succeeds when the API answers."""

from urllib.request import urlopen

urlopen("http://127.0.0.1:8080/", timeout=4).read()
