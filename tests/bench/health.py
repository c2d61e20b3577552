"""Asks a hub whether it is well: `python -m tests.bench.health PORT`, a process of its own.

It asks every PERIOD seconds, and not while it waits for an answer. Each line on its standard input is answered by one
line: the longest time in seconds between two answers since the last such line. It ends when its standard input does.
"""
import http.client
import sys
import threading
import time

PERIOD = 0.05  # seconds
TIMEOUT = 60  # seconds


class Health:
    """port (int): the hub's."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection('127.0.0.1', port, timeout=TIMEOUT)
        self._longest, self._answered, self._lock = 0, time.perf_counter(), threading.Lock()

    def ask_for_ever(self):
        while True:
            asked = time.perf_counter()
            self._connection.request('GET', '/hub/health')
            self._connection.getresponse().read()
            with self._lock:
                self._see(time.perf_counter())
            time.sleep(max(0, asked + PERIOD - time.perf_counter()))

    def _see(self, now):
        self._longest, self._answered = max(self._longest, now - self._answered), now

    def take(self):
        """Return the longest time without an answer, the one that goes on included; begin anew."""
        with self._lock:
            longest = max(self._longest, time.perf_counter() - self._answered)
            self._longest = 0
            return longest


def main(port):
    health = Health(int(port))
    threading.Thread(target=health.ask_for_ever, daemon=True).start()
    for _ in sys.stdin:
        print(health.take(), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
