"""Visit the API by its service name, once at the start and then every ten seconds."""

import signal
import sys
import time
from urllib.request import Request, urlopen

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

while True:
    with urlopen(Request("http://api:8080/visits/worker", method="POST"), timeout=5) as answer:
        print("visited the api:", answer.read().decode().strip(), flush=True)
    time.sleep(10)
