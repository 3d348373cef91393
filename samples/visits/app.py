"""Count the visits in Redis."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import redis

counter = redis.Redis(host=os.environ["REDIS_HOST"])


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = f"visit number {counter.incr('visits')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


HTTPServer(("", 8000), Page).serve_forever()
