"""Processes on this machine, each under a shim: start them, send signals, and wait until they end.

What belongs here: communication with shim.py. What does not: when to start or stop processes. Everything runs on the
loop thread of the server.
"""
import json
import os
import signal
import subprocess
import sys

from tornado import gen
from tornado.concurrent import Future
from tornado.iostream import PipeIOStream, StreamClosedError

SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'shim.py')


class StartError(Exception):
    """The process could not be started. The message says why, in the words of a container runtime."""


class Process(object):
    """A process and its descendants.

    args (list of str), env (dict), cwd (path): what to run.
    files (list): its standard input, output and error: descriptors, or paths of files to append to.
    namespace (dict or None): the arguments of mount_namespace.arrange, or {'join': pid of another process}.
    log (path or None): where output and error are appended to, with their times, instead of to `files`.
    terminal (bool): whether the descriptors are a terminal that the process controls.
    pid (int or None): its process id, while it runs.
    started (Future): resolves to None, or raises StartError.
    ended (Future): resolves to the exit code when the process and all its descendants have ended; 128 + n after
        signal n.
    """

    def __init__(self, args, env, cwd, files, namespace=None, terminal=False, log=None):
        self.pid = None
        self.started = Future()
        self.ended = Future()
        reader, writer = os.pipe()
        try:
            self._shim = subprocess.Popen([sys.executable, '-I', '-S', SHIM], stdin=subprocess.PIPE, stdout=writer,
                                          env={'LANG': 'C.UTF-8'}, start_new_session=True, bufsize=0,
                                          pass_fds={each for each in files if isinstance(each, int)})
        finally:
            os.close(writer)
        self._events = PipeIOStream(reader)
        self._tell(json.dumps({'args': args, 'env': env, 'cwd': cwd, 'files': files, 'terminal': terminal,
                               'log': log, 'namespace': namespace}))
        self._follow()

    def signal(self, number):
        """Send a signal to the process, unless it has ended."""
        if not self.ended.done():
            self._tell(str(int(number)))

    def kill(self):
        self.signal(signal.SIGKILL)

    def abandon(self):
        """Kill the process and all its descendants."""
        self._shim.stdin.close()

    def _tell(self, line):
        try:
            self._shim.stdin.write((line + '\n').encode('utf8', 'surrogatepass'))
        except (OSError, ValueError):
            pass  # it has ended, or was abandoned

    @gen.coroutine
    def _follow(self):
        """Read the shim's events until it ends."""
        code = 137  # if the shim was killed
        try:
            while True:
                line = yield self._events.read_until(b'\n')
                event = json.loads(line.decode('utf8'))
                if 'error' in event:
                    self.started.set_exception(StartError(event['error']))
                    code = 128
                elif 'pid' in event:
                    self.pid = event['pid']
                    self.started.set_result(None)
                code = event.get('exit', code)
        except StreamClosedError:
            self._shim.stdin.close()
            self._shim.wait()
        if not self.started.done():
            self.started.set_exception(StartError('the shim was killed'))
        self.pid = None
        self.ended.set_result(code)
