"""Processes that have JupyterHub and the Kubernetes client loaded when they begin, but nothing of this package.

Tests start dozens of hubs, and each of them would load these libraries for two to three seconds of CPU. Here, they are
forked from one process that has loaded them; it ends with the tests.
"""
import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import warnings

# New clients load a class when it is asked for; their CoreV1Api asks for most of them.
LIBRARIES = ['jupyterhub.app', 'kubernetes.client', 'kubernetes.client.api.core_v1_api']

# Its socket goes where all temporary files of a run go, and is removed with them.
multiprocessing.current_process()._config['tempdir'] = tempfile.gettempdir()

server = multiprocessing.get_context('forkserver')
server.set_forkserver_preload(LIBRARIES)


def start(words, cwd, env, stdout, stderr):
    """Start `python -m MODULE` or `python -c CODE`; return it, as a `Process` or `subprocess.Popen`.

    words (list of str): what follows `python`. stdout, stderr: the paths of files to append to, which may be the same.
    """
    if sys.version_info >= (3, 7):
        return Process(words, cwd, env, stdout, stderr)
    # The server of older Pythons does not tell how its processes have ended.
    with open(stdout, 'a') as out, open(stderr, 'a') as err:
        return subprocess.Popen([sys.executable] + words, cwd=cwd, env=env, stdout=out, stderr=err)


class Process:
    """A process with the methods of `subprocess.Popen` that tests use. Its parameters are those of `start`."""

    def __init__(self, words, cwd, env, stdout, stderr):
        self.process = server.Process(target=run, args=(words, cwd, env, stdout, stderr))
        self.process.start()
        self.pid = self.process.pid

    def poll(self):
        return self.process.exitcode

    @property
    def returncode(self):
        return self.process.exitcode

    def wait(self, timeout=None):
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(self.process.name, timeout)
        return self.process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.process.terminate()

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run(words, cwd, env, stdout, stderr):
    """Be that process, which has been forked."""
    for descriptor, path in ((1, stdout), (2, stderr)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    option, program = words[:2]
    # What an interpreter reads from its environment when it begins
    sys.path[:0] = [cwd] + list(filter(None, env.get('PYTHONPATH', '').split(os.pathsep)))
    for action in filter(None, env.get('PYTHONWARNINGS', '').split(',')):
        warnings.simplefilter(action)
    sys.argv = [option] + words[2:]
    try:
        if option == '-m':
            runpy.run_module(program, run_name='__main__', alter_sys=True)
        else:
            exec(compile(program, '<string>', 'exec'), {'__name__': '__main__'})
    finally:
        atexit._run_exitfuncs()  # which multiprocessing does not do
