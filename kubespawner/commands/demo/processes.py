"""The processes of the demo, none of which outlives it."""
import ctypes
import io
import os
import signal
import subprocess
import threading
import time
from urllib.request import urlopen

from .network import port_answers
from .output import DemoError, say

WAIT_FOR_ANSWER = 60  # seconds for the proxy and the hub to start
WAIT_FOR_END = 30  # seconds for the hub to stop its servers

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Processes:
    """Starts processes by name.

    directory (str): where they run and write their logs. shows_logs (bool): the terminal shows them, too.
    at_end (callable): takes a function that ends a process.
    """

    def __init__(self, directory, shows_logs, at_end):
        self.directory, self.shows_logs, self.at_end = directory, shows_logs, at_end
        self.started = {}  # name -> Popen, the last one of the name
        self.readers = {}  # name -> the thread that reads its log

    def start(self, name, command, environment, on_line=None):
        """Start a process that stops with the demo; return it.

        command (list): its words, of any type. on_line (callable): is given each line of the log, on another thread.
        """
        process = self.started[name] = subprocess.Popen(
            [str(word) for word in command], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_parent)
        reader = threading.Thread(target=self._read, args=(process.stdout, self.log_path(name), on_line), daemon=True)
        reader.start()
        self.readers[name] = reader
        self.at_end(lambda: end_process(process))
        return process

    def _read(self, output, path, on_line):
        with output, open(path, 'w', encoding='utf8') as log:
            for line in io.TextIOWrapper(output, encoding='utf8', errors='replace'):
                log.write(line)
                log.flush()
                if self.shows_logs:
                    say('%s', line.rstrip('\n'))
                elif on_line:
                    on_line(line)

    def check(self):
        """Raise DemoError if a process has exited."""
        for name, process in self.started.items():
            if process.poll() is not None:
                raise DemoError('The %s has exited. %s' % (name, self.log_tail(name)))

    def log_tail(self, name):
        """Return the last lines of a process that has ended or is about to, with where the whole log is."""
        self.readers[name].join(1)
        return 'The end of its log, %s:\n%s' % (self.log_path(name), ''.join(self.log_lines(name)[-20:]))

    def log_lines(self, name):
        with open(self.log_path(name), encoding='utf8') as f:
            return f.readlines()

    def log_path(self, name):
        return os.path.join(self.directory, name + '.log')


def end_with_parent():
    """Let the kernel kill this process, which was just forked, when the demo ends for any reason."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_process(process):
    """Terminate a process; kill it if it does not exit within WAIT_FOR_END seconds."""
    process.terminate()
    try:
        process.wait(WAIT_FOR_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(request, process, address):
    """Return True when an HTTP request is answered; False if the process exits or takes too long.

    address (tuple): host and port at which the process listens. Nothing is sent before it does.
    """
    deadline = time.monotonic() + WAIT_FOR_ANSWER
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if port_answers(address):
                urlopen(request, timeout=5).close()
                return process.poll() is None
        except OSError:
            pass
        time.sleep(0.1)
    return False
