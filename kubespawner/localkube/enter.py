"""`python -m kubespawner.localkube.enter`: run a program that knows the names of services, such as a hub.

What belongs here: the command line. What does not: the names (hosts.py), mounting (mount_namespace.py).
"""
import argparse
import os
import sys

from . import kubeconfigs, mount_namespace
from .filesystems import HOSTS


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog='python -m kubespawner.localkube.enter',
        description='Run a program that knows the names of the services of a running localkube. It has a mount '
                    'namespace of its own, with another %s.' % HOSTS)
    parser.add_argument('--kubeconfig', required=True, metavar='FILE', help='the kubeconfig that localkube has written')
    parser.add_argument('command', nargs=argparse.REMAINDER, metavar='COMMAND', help='the program and its arguments')
    options = parser.parse_args(arguments)
    if options.command[:1] == ['--']:
        options.command.pop(0)
    if not options.command:
        parser.error('COMMAND is missing')
    return options


def find_directory(kubeconfig):
    """Return the directory of a localkube's hosts file. Raise OSError or ValueError if there is none."""
    for extension in kubeconfigs.read(kubeconfig)['contexts'][0]['context'].get('extensions', ()):
        if extension['name'] == kubeconfigs.EXTENSION:
            return extension['extension']['hosts']
    raise ValueError('%s is not the kubeconfig of a localkube that runs pods' % kubeconfig)


def main(arguments=None):
    options = parse(arguments)
    try:
        directory = find_directory(options.kubeconfig)
        current = os.getcwd()
        mount_namespace.arrange(os.path.join(directory, 'stage'), [[os.path.join(directory, 'hosts'), HOSTS, True]], [])
        os.chdir(current)
        os.execvp(options.command[0], options.command)
    except (OSError, ValueError) as e:
        sys.exit('cannot run %s: %s' % (options.command[0], e))


if __name__ == '__main__':
    main()
