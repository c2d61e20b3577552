"""The console script `kubespawner`, whose first argument is a command.

Here belongs the list of commands. Each command parses its own arguments, and is imported only when it is run.
"""
import os
import sys

from kubespawner import __version__


def demo(argv):
    from .demo.main import main
    return main(argv)


def manifest(argv):
    from .manifest import main
    return main(argv)


def doctor(argv):
    from .doctor.main import main
    return main(argv)


# name -> callable that takes the other arguments and returns the exit code
COMMANDS = {'demo': demo, 'doctor': doctor, 'manifest': manifest}


PIPE_CLOSED = 128 + 13  # what a shell says of a command that SIGPIPE ended

ABOUT = """\
KubeSpawner runs each user's notebook server of JupyterHub in a Kubernetes pod. These commands help you to try and to
operate it:

  demo      run a complete JupyterHub on this machine, with or without a cluster
  doctor    look for what breaks a hub: its configuration, its rights and its cluster
  manifest  print what the start of a server would create"""



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
        return 2
    try:
        code = COMMANDS[words[0]](words[1:])
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # of which Python would tell at its end
        return PIPE_CLOSED


def usage():
    lines = ['kubespawner %s [--help] ...' % name for name in COMMANDS] + ['kubespawner --version']
    return 'usage: ' + '\n       '.join(lines)
