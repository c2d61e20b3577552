"""The console script `kubespawner`, whose first argument is a command.

Here belongs the list of commands. Each command parses its own arguments, and is imported only when it is run.
"""
import sys

from kubespawner import __version__


def demo(argv):
    from .demo.main import main
    return main(argv)


ABOUT = """\
KubeSpawner runs each user's notebook server of JupyterHub in a Kubernetes pod. These commands help you to try it:

  demo    run a complete JupyterHub on this machine, with or without a cluster"""

COMMANDS = {'demo': demo}  # name -> callable that takes the other arguments and returns the exit code


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
    return COMMANDS[words[0]](words[1:])


def usage():
    lines = ['kubespawner %s [--help] ...' % name for name in COMMANDS] + ['kubespawner --version']
    return 'usage: ' + '\n       '.join(lines)
