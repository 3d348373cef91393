"""What the sample's tests are about: a client of the key-value server."""

import socket


class Store:
    def __init__(self, host, port):
        self._socket = socket.create_connection((host, port), timeout=10)
        self._lines = self._socket.makefile("rw", newline="\n")

    def ask(self, request):
        self._lines.write(request + "\n")
        self._lines.flush()
        return self._lines.readline().rstrip("\n")

    def get(self, key):
        return self.ask(f"GET {key}")

    def set(self, key, value):
        self.ask(f"SET {key} {value}")

    def close(self):
        self._lines.close()
        self._socket.close()
