"""The output of a container, as clients read it.

What belongs here: which part of it a client wants, and times. What does not: writing it (shim.py, consoles.py), sending
it (streams.py). Everything runs on the loop thread of the server.

Beside a log is a file with its times: lines of a position in the log, and when what is there was written, in
nanoseconds.
"""
import bisect
import os
import time

from .shim import TIMES

CHUNK = 2 ** 20


class Log(object):
    """The output of one run of a container, which is read in parts.

    path (str): the file.
    container (Container): the container whose current run it is, or was.
    tail (int or None): how many of the last lines are wanted.
    limit (int or None): how many bytes are wanted at most.
    since (float or None): the time, in seconds since 1970, before which nothing is wanted.
    timestamps (bool): whether each line begins with its time.
    """

    def __init__(self, path, container, tail=None, limit=None, since=None, timestamps=False):
        self._file = open(path, 'rb')
        self._times = Times(path + TIMES)
        self._process = container.process
        self._left = limit
        self._timestamps = timestamps
        self._rest = b''  # a line that is not complete yet
        start = 0 if since is None else self._times.position_of(int(since * 10 ** 9), os.path.getsize(path))
        if tail is not None:
            start = max(start, tail_position(self._file, tail))
        self._file.seek(start)

    def read(self):
        """Return new output, as bytes."""
        chunk = self.with_times() if self._timestamps else self._file.read()
        if self._left is not None:
            chunk = chunk[:self._left]
            self._left -= len(chunk)
        return chunk

    def with_times(self):
        """Return new lines that are complete, or the last one of a process that has ended, with their times."""
        running = self.is_running()
        position = self._file.tell() - len(self._rest)
        lines = (self._rest + self._file.read()).splitlines(True)
        self._rest = lines.pop() if lines and running and not lines[-1].endswith(b'\n') else b''
        result = []
        for line in lines:
            result += [self._times.time_of(position).encode('ascii'), b' ', line]
            position += len(line)
        return b''.join(result)

    def is_running(self):
        return bool(self._process and not self._process.ended.done()) and self._left != 0


class Times(object):
    """When the parts of a log were written."""

    def __init__(self, path):
        self._path = path
        self._read = 0
        self._positions = []
        self._times = []  # nanoseconds

    def load(self):
        if not os.path.exists(self._path):
            return
        with open(self._path, 'rb') as f:
            f.seek(self._read)
            for line in f:
                if line.endswith(b'\n'):
                    position, moment = line.split()
                    self._positions.append(int(position))
                    self._times.append(int(moment))
                    self._read += len(line)

    def position_of(self, moment, end):
        """Return the position of the first output that was written at `moment` or later; `end` if there is none."""
        self.load()
        index = bisect.bisect_left(self._times, moment)
        return self._positions[index] if index < len(self._positions) else end if self._times else 0

    def time_of(self, position):
        """Return when the output at a position was written, as Kubernetes writes it."""
        if not self._positions or position > self._positions[-1]:
            self.load()
        index = bisect.bisect_right(self._positions, position) - 1
        moment = self._times[index] if index >= 0 else 0
        return '%s.%09dZ' % (time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(moment // 10 ** 9)), moment % 10 ** 9)


def tail_position(file, lines):
    """Return the position at which the last `lines` lines of a file begin."""
    position = end = file.seek(0, os.SEEK_END)
    found = b''
    while position > 0 and found.count(b'\n') <= lines:
        position = max(0, position - CHUNK)
        file.seek(position)
        found = file.read(end - position)
    kept = found.splitlines(True)[-lines:] if lines else []
    return end - sum(len(line) for line in kept)
