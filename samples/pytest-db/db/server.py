"""A key-value server: one request a line, GET KEY, SET KEY VALUE or KEYS, one answer a line."""

import os
import signal
import socket
import socketserver
import sys

PORT = 7000
ROWS = {"greeting": os.environ.get("GREETING", "")}


class Requests(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            verb, _, rest = line.decode().strip().partition(" ")
            print(verb, rest)
            self.wfile.write(f"{self.answer(verb, rest)}\n".encode())

    def answer(self, verb, rest):
        key, _, value = rest.partition(" ")
        if verb == "SET":
            ROWS[key] = value
            return "OK"
        if verb == "GET":
            return ROWS.get(key, "")
        return " ".join(sorted(ROWS)) if verb == "KEYS" else f"ERROR: what is {verb}?"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if sys.argv[1:] == ["ping"]:
    socket.create_connection(("127.0.0.1", PORT), timeout=5).close()
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with Server(("", PORT), Requests) as server:
        server.serve_forever()
