"""Standard input and output of processes that somebody talks to: pipes and terminals.

What belongs here: descriptors. What does not: the processes (processes.py), the client (execution.py). Everything runs
on the loop thread of the server.
"""
import fcntl
import os
import pty
import struct
import termios
import time

from tornado import gen
from tornado.iostream import PipeIOStream, StreamClosedError

from .shim import TIMES

CHUNK = 32 * 1024
TERMINAL = 'xterm'  # TERM of programs that have a terminal


class TerminalStream(PipeIOStream):
    """The end of a terminal that is not the program's. Reading fails when the program has ended."""

    def read_from_fd(self, *args):
        try:
            return super().read_from_fd(*args)
        except OSError:
            self.close()


class Pipes(object):
    """Standard input, output and error of a command, without a terminal."""

    def __init__(self, wanted):
        self.files = []  # descriptors for the command: stdin, stdout, stderr
        self.output = {}  # 'stdout' or 'stderr' -> stream to read
        self.input = None
        for number, name in enumerate(('stdin', 'stdout', 'stderr')):
            if name not in wanted:
                self.files.append(os.open(os.devnull, os.O_RDWR))
                continue
            reader, writer = os.pipe()
            self.files.append(writer if number else reader)
            if number:
                self.output[name] = PipeIOStream(reader)
            else:
                self.input = PipeIOStream(writer)

    def write(self, data):
        """Write to the input, unless the command has closed it."""
        if self.input and not self.input.closed():
            self.input.write(data).add_done_callback(lambda done: done.exception())

    def resize(self, width, height):
        pass

    def end_input(self):
        """End the input when everything has been written."""
        if self.input and not self.input.closed():
            self.input.write(b'').add_done_callback(lambda done: done.exception() or self.input.close())

    def give_away(self):
        """Close the descriptors of the command, which has its own copies."""
        for descriptor in set(self.files):
            if isinstance(descriptor, int):
                os.close(descriptor)

    def release(self):
        """Close what no longer leads to the program, which has ended."""
        self.close()

    def close(self):
        for stream in list(self.output.values()) + [self.input]:
            if stream:
                stream.close()


class Terminal(Pipes):
    """A terminal."""

    def __init__(self, wanted):
        master, slave = pty.openpty()
        self.files = [slave] * 3
        self.input = TerminalStream(master)
        self.output = {'stdout': self.input}

    def resize(self, width, height):
        if not self.input.closed():
            fcntl.ioctl(self.input.fileno(), termios.TIOCSWINSZ, struct.pack('HHHH', height, width, 0, 0))

    def release(self):
        pass  # the last output may not have been read, and then the stream closes itself

    def end_input(self):
        pass  # the terminal stays, and a program that waits for more is ended when the client closes the connection


def open_console(spec, log):
    """Return the Pipes or Terminal of a container with stdin or tty, whose output goes to `log`; None for others."""
    if spec.get('tty'):
        console = Terminal(())
        record(console.input, log)
        return console
    if not spec.get('stdin'):
        return None
    console = Pipes(('stdin',))
    for descriptor in console.files[1:]:
        os.close(descriptor)
    console.files[1:] = [os.devnull, os.devnull]  # the shim writes the log
    return console


@gen.coroutine
def record(stream, log):
    """Append what a stream contains to a log, and its times to the file beside it."""
    with open(log, 'ab', buffering=0) as file, open(log + TIMES, 'ab', buffering=0) as times:
        try:
            while True:
                data = yield stream.read_bytes(CHUNK, partial=True)
                times.write(b'%d %d\n' % (file.tell(), time.time() * 10 ** 9))
                file.write(data)
        except StreamClosedError:
            pass
