"""The output of the demo while it runs, and the errors that end it. Any thread may print.

On a terminal, a line at the bottom shows what is under way and for how long, and some words have a colour. In a pipe,
or if the environment variable NO_COLOR is set or TERM is "dumb", the same sentences are plain lines.
"""
import itertools
import os
import sys
import threading
import time
from contextlib import contextmanager

WELCOME = """
    http://127.0.0.1:%(port)d/hub/login/ann?token=%(token)s

Open this link to log in as ann, or replace ann in it to log in as another user.
To see the pages of an administrator, log in as admin: http://127.0.0.1:%(port)d/hub/login/admin?token=%(token)s
You can also log in at http://127.0.0.1:%(port)d with any username and the password %(password)s

Keep all of them secret: whoever has one of them can run programs as you. Press Ctrl-C to stop the demo.
"""

STYLES = {'plain': '', 'done': '32', 'warning': '33', 'error': '31', 'event': '2', 'headline': '1'}  # of ANSI terminals
SPINNER = '|/-\\'
SECONDS_A_TURN = 0.1
CLEAR_LINE = '\r\033[K'


class DemoError(Exception):
    """An error that a newcomer can correct; its message is one sentence."""


class Terminal:
    """Prints lines to a stream, with a line below them for what is under way.

    stream: a text file. is_rich (bool): it is a terminal that moves its cursor and has colours.
    """

    def __init__(self, stream, is_rich):
        self.stream, self.is_rich = stream, is_rich
        self.lock = threading.Lock()
        self.under_way = {}  # what takes time at the moment -> since when
        self.is_turning = False

    def say(self, text, style='plain'):
        """Print whole lines."""
        if self.is_rich and STYLES[style]:
            text = '\033[%sm%s\033[0m' % (STYLES[style], text)
        with self.lock:
            self.stream.write((CLEAR_LINE if self.is_rich else '') + text + '\n')
            self.stream.flush()

    def begin(self, what):
        """From now on, show that `what` takes time. In a pipe, say once that it has begun."""
        if not self.is_rich:
            self.say(what + ' …')
        with self.lock:
            self.under_way[what] = time.monotonic()
            if self.is_rich and not self.is_turning:
                self.is_turning = True
                threading.Thread(target=self._turn, daemon=True).start()

    def end(self, what):
        with self.lock:
            self.under_way.pop(what, None)

    def _turn(self):
        """Show what is under way until nothing is. There is one such thread at a time."""
        for sign in itertools.cycle(SPINNER):
            with self.lock:
                self.is_turning = bool(self.under_way)
                self.stream.write(CLEAR_LINE + (self._line(sign) if self.is_turning else ''))
                self.stream.flush()
                if not self.is_turning:
                    return
            time.sleep(SECONDS_A_TURN)

    def _line(self, sign):
        things = ['%s (%d s)' % (what, time.monotonic() - since) for what, since in self.under_way.items()]
        return (sign + ' ' + ', '.join(things))[:columns(self.stream) - 1]


def columns(stream):
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def is_rich(stream, environment):
    """Return whether a stream is a terminal in which colours and moving signs are wanted."""
    return stream.isatty() and not environment.get('NO_COLOR') and environment.get('TERM', 'dumb') != 'dumb'


terminal = Terminal(sys.stdout, is_rich(sys.stdout, os.environ))


def say(text, *arguments, style='plain'):
    terminal.say(text % arguments if arguments else text, style)


@contextmanager
def working(what):
    """Show that `what` takes time while the block runs."""
    terminal.begin(what)
    try:
        yield
    finally:
        terminal.end(what)
