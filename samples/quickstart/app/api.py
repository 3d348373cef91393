"""GET / greets and counts; POST /visits/NAME adds a visit."""

import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATABASE = "/data/visits.db"


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with closing(sqlite3.connect(DATABASE)) as db:
            visits = dict(db.execute("SELECT who, count(*) FROM visits GROUP BY who"))
        self.answer(200, {"greeting": os.environ["GREETING"], "visits": visits})

    def do_POST(self) -> None:
        who = self.path.removeprefix("/visits/")
        with closing(sqlite3.connect(DATABASE)) as db, db:
            db.execute("INSERT INTO visits VALUES (?)", (who,))
        self.answer(201, {"added": who})

    def answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def stop(_signal: int, _frame: object) -> None:
    print("stopping", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
print("listening on 8080", flush=True)
ThreadingHTTPServer(("", 8080), Api).serve_forever()
