"""The console script `kubespawner`, whose first argument is a command.

Here belongs the list of commands. A command is imported only when it is run. Those on a configuration take seconds to
import, so their arguments are parsed before.
"""
import atexit
import os
import sys

from kubespawner import __version__

from . import arguments


def demo(argv):
    from .demo.main import main
    return main(argv)


def manifest(argv):
    parsed = arguments.of_manifest(argv)
    from .manifest import main
    return main(parsed)


def doctor(argv):
    parsed = arguments.of_doctor(argv)
    from .doctor.main import main
    return main(parsed)


# name -> callable that takes the other arguments and returns the exit code
COMMANDS = {'demo': demo, 'doctor': doctor, 'manifest': manifest}


# What a shell says of a command that a signal ended.
INTERRUPTED = 128 + 2
PIPE_CLOSED = 128 + 13

ABOUT = """\
KubeSpawner runs each user's notebook server of JupyterHub in a Kubernetes pod. These commands help you to try and to
operate it:

  demo      run a complete JupyterHub on this machine, with or without a cluster
  doctor    look for what breaks a hub: its configuration, its rights and its cluster
  manifest  print what the start of a server would create"""


def script():
    """Run the command that the arguments of this process name, and end the process with its exit code.

    The code of an operator and the watches of a spawner may have left threads. Python would wait for some of them, and
    abort now and then because of others.
    """
    code = command()
    atexit._run_exitfuncs()  # of the operator, too: they remove temporary files
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def command(argv=None):
    """Run the command that the arguments name (None: those of this process); return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ['--version']:
        print(__version__)
        return 0
    if words[:1] in (['--help'], ['-h']):
        print(usage() + '\n\n' + ABOUT)
        return 0
    if not words or words[0] not in COMMANDS:
        print(usage(), file=sys.stderr)
        if words:
            print('kubespawner: there is no command %.100r' % words[0], file=sys.stderr)
        return 2
    try:
        code = COMMANDS[words[0]](words[1:])
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print('kubespawner %s: interrupted.' % words[0], file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would print an error when it exits
        return PIPE_CLOSED


def usage():
    lines = ['kubespawner %s [--help] ...' % name for name in COMMANDS] + ['kubespawner --version']
    return 'usage: ' + '\n       '.join(lines)
