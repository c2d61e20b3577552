"""The parent of a container's process. It starts the process, reports how it ended, and ends when localkube does.

What belongs here: processes, with the standard library only. What does not: Kubernetes. This file runs as a separate
process with one thread. It is run by its path, so that it starts fast and does not import KubeSpawner.

Standard input: first a line of JSON, {args, env, cwd, files, terminal, log, namespace}, and then lines with one signal
number each. At
the end of the input, localkube has ended, perhaps because it was killed, and the shim kills all processes. Standard
output: lines of JSON: {"error": …} if the process cannot be started, {"pid": …} after it was started, and {"exit": …}
after it and all its descendants have ended.

`files` are standard input, output and error: inherited descriptors, or paths of files to append to. If `terminal` is
true, they are the controlling terminal of the process. If `log` is the path of a file, what the process writes is
appended there, and when it was written to the file beside it, see logs.py.

`namespace` has the arguments of mount_namespace.arrange, or is {"join": pid of a process in such a namespace} or null.

A process can leave its process group and session, but not this parent, which is the subreaper of all its descendants.
"""
import ctypes
import fcntl
import importlib
import json
import os
import select
import signal
import sys
import termios
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TIMES = '.times'
CHUNK = 65536


def tell(**event):
    try:
        os.write(1, (json.dumps(event) + '\n').encode('utf8'))
    except OSError:
        pass  # localkube has ended


def read_line():
    line = b''
    while not line.endswith(b'\n'):
        chunk = os.read(0, 1)
        if not chunk:
            sys.exit()
        line += chunk
    return line.decode('utf8')


class Output(object):
    """What the process writes. `reader` is a descriptor; `files` replaces those of the request."""

    def __init__(self, files, log):
        self.reader, self.writer = os.pipe() if log else (None, None)
        self.files = [files[0], self.writer, self.writer] if log else files
        self.log = self.times = None
        if log:
            self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self.times = os.open(log + TIMES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self.position = os.fstat(self.log).st_size

    def copy(self):
        """Append what there is to the log. Return False at the end."""
        data = os.read(self.reader, CHUNK)
        now = time.time()
        try:
            os.write(self.times, ('%d %d%09d\n' % (self.position, now, now % 1 * 10 ** 9)).encode('ascii'))
            while data[:1]:
                written = os.write(self.log, data)
                self.position += written
                data = data[written:]
                if not data:
                    return True
        except OSError:
            return True  # the disk is full
        return False

    def drain(self):
        """Append what is left when all processes have ended."""
        while self.reader is not None and self.copy():
            pass


def start(libc, args, env, cwd, files, terminal, namespace):
    """Start the process in its own session. Return (pid, error), where error is '' if the process was started."""
    failure, report = os.pipe()  # a successful exec closes it
    pid = os.fork()
    if pid:
        for descriptor in [report] + inherited(files):
            os.close(descriptor)
        return pid, os.read(failure, 65536).decode('utf8', 'replace')
    try:
        os.setsid()
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        connect(files, terminal)
        enter(namespace, report)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after the namespace, which would undo it
        try:
            os.chdir(cwd)
        except OSError as e:
            os.write(report, ('chdir to cwd ("%s") set in config.json failed: %s' % (cwd, e.strerror)).encode('utf8'))
            os._exit(128)
        os.execvpe(args[0], args, env)
    except OSError as e:
        reason = 'executable file not found in $PATH' if e.errno == 2 and '/' not in args[0] else e.strerror.lower()
        os.write(report, ('exec: "%s": %s: unknown' % (args[0], reason)).encode('utf8'))
    finally:
        os._exit(128)


def inherited(files):
    """Return the descriptors that this process has inherited for the process that it starts."""
    return sorted({each for each in files if isinstance(each, int)})


def connect(files, terminal):
    """Connect standard input, output and error to `files`: inherited descriptors, or paths of files to append to."""
    if terminal:
        fcntl.ioctl(files[0], termios.TIOCSCTTY, 0)
    for number, each in enumerate(files):
        if isinstance(each, int):
            os.dup2(each, number)
        else:
            os.dup2(os.open(each, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), number)
    for descriptor in inherited(files):
        os.close(descriptor)


def enter(namespace, report):
    """Enter a new mount namespace, or end this process."""
    if not namespace:
        return
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # last, so that it hides nothing
    try:
        mounting = importlib.import_module('mount_namespace')
        if 'join' in namespace:
            mounting.join(namespace['join'])
        else:
            mounting.arrange(**namespace)
    except OSError as e:
        os.write(report, ('error mounting the volumes to rootfs: %s: %s' % (e.filename or '', e)).encode('utf8'))
        os._exit(128)


def descendants():
    """Return the pids of all descendants of this process."""
    children = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name, 'rb') as f:
                    parent = int(f.read().rpartition(b')')[2].split()[1])
            except (OSError, IndexError):
                continue  # the process has just ended
            children.setdefault(parent, []).append(int(name))
    found = [os.getpid()]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found[1:]


def kill_descendants():
    """Kill all descendants. Repeat this until none is left, because a process can fork meanwhile."""
    while True:
        pids = descendants()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        while reap():
            pass
        if not pids:
            return
        time.sleep(0.005)


def reap():
    """Return (pid, exit code) of a child that has ended, or None if there is no such child."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    if not pid:
        return None
    return pid, 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def obey(commands, pid):
    for number in commands.split():
        try:
            os.kill(pid, int(number))
        except OSError:
            pass


def main():
    parent = os.getppid()
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    wakeup, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = json.loads(read_line())
    output = Output(request['files'], request.pop('log'))
    pid, failure = start(libc, **dict(request, files=output.files))
    if failure:
        return tell(error=failure)
    tell(pid=pid)
    while os.getppid() == parent:
        ready = select.select([0, wakeup] + ([output.reader] if output.reader is not None else []), [], [], 1)[0]
        if output.reader in ready and not output.copy():
            output.reader = None  # the process has closed its output
        if 0 in ready:
            commands = os.read(0, 4096)
            if not commands:
                break
            obey(commands, pid)
        if wakeup in ready:
            os.read(wakeup, 4096)
        for ended in iter(reap, None):
            if ended[0] == pid:
                kill_descendants()
                output.drain()
                return tell(exit=ended[1])
    kill_descendants()


if __name__ == '__main__':
    main()
