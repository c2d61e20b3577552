"""The processes of the demo, none of which outlives it."""
import ctypes
import os
import signal
import subprocess
import time
from urllib.request import urlopen

from .output import DemoError

WAIT_FOR_ANSWER = 60  # seconds for the proxy and the hub to start
WAIT_FOR_END = 30  # seconds for the hub to stop its servers

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Processes:
    """Starts processes by name.

    directory (str): where they run and write their logs. shows_logs (bool): their logs go to the terminal instead.
    at_end (callable): takes a function that ends a process.
    """

    def __init__(self, directory, shows_logs, at_end):
        self.directory, self.shows_logs, self.at_end = directory, shows_logs, at_end
        self.started = {}  # name -> Popen, the last one of the name

    def start(self, name, command, environment):
        """Start a process that stops with the demo; return it. command (list): its words, of any type."""
        log = None if self.shows_logs else open(self._log(name), 'w')
        process = self.started[name] = subprocess.Popen(
            [str(word) for word in command], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT if log else None, start_new_session=True, preexec_fn=end_with_parent)
        self.at_end(lambda: end_process(process))
        return process

    def check(self):
        """Raise DemoError if a process has exited."""
        for name, process in self.started.items():
            if process.poll() is not None:
                raise DemoError('The %s has exited. The end of its log:\n%s' % (name, self.log_tail(name)))

    def log_tail(self, name):
        """Return the last lines of a process' log."""
        if not os.path.exists(self._log(name)):
            return '(see above)'
        with open(self._log(name), errors='replace') as f:
            return ''.join(f.readlines()[-20:])

    def _log(self, name):
        return os.path.join(self.directory, name + '.log')


def end_with_parent():
    """Have the kernel kill this process, which was just forked, when the demo ends for any reason."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_process(process):
    """Terminate a process; kill it if it does not exit within WAIT_FOR_END seconds."""
    process.terminate()
    try:
        process.wait(WAIT_FOR_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(request, process):
    """Return True when an HTTP request is answered; False if the process exits or takes too long."""
    deadline = time.monotonic() + WAIT_FOR_ANSWER
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(request, timeout=5).close()
            return process.poll() is None
        except OSError:
            time.sleep(0.1)
    return False
