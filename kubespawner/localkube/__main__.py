"""`python -m kubespawner.localkube`: the command line. Runs on the main thread, which is the loop thread."""
import argparse
import logging
import os
import signal
import sys

from tornado.ioloop import IOLoop

from . import TOKEN, node, releases
from .cluster import Cluster

NOTICE = """\
localkube is a tool for development. Pods are processes on this machine that run as %(user)s, and nothing isolates
them. Give access only to people to whom you would give a shell.
API server: %(url)s
Kubeconfig: %(kubeconfig)s"""
TRY = 'Try: kubectl --kubeconfig %s get pods'


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog='python -m kubespawner.localkube',
        description='Run a one-node Kubernetes in one process, for development. Pods are processes on this machine. '
                    'Press Ctrl-C to stop it.',
        epilog='The environment variable %s sets the bearer token of the API. Without it the token is random.' % TOKEN)
    parser.add_argument('--kubeconfig', required=True, metavar='FILE',
                        help='write a kubeconfig for this cluster to FILE')
    parser.add_argument('--port', type=int, default=0,
                        help='port of the API on 127.0.0.1; 0 means any free port (default: %(default)s)')
    parser.add_argument('--data', metavar='DIR',
                        help='keep the files of claims in DIR (default: remove them when localkube stops)')
    parser.add_argument('--backoff', type=float, default=10, metavar='SECONDS',
                        help='seconds before the second restart of a container that fails, doubled for each '
                             'further restart (default: %(default)s)')
    parser.add_argument('--no-kubelet', dest='kubelet', action='store_false',
                        help='serve the API, but do not run pods (default: run pods)')
    parser.add_argument('--no-mounts', dest='mounts', action='store_false',
                        help='do not give pods mount namespaces (default: do, if this machine allows it)')
    parser.add_argument('--rbac', action='store_true',
                        help='give users the rights of roles, and no others (default: give them all rights)')
    parser.add_argument('--user', dest='users', action='append', default=[], metavar='NAME[=GROUP,...]',
                        help='write a kubeconfig for another user to FILE-NAME; may be repeated')
    parser.add_argument('--node-labels', type=node.labels, metavar='NAME=VALUE,...',
                        help='labels of the node, which node selectors of pods look for')
    parser.add_argument('--node-taints', type=node.taints, metavar='KEY=VALUE:EFFECT,...',
                        help='taints of the node, which pods have to tolerate')
    parser.add_argument('--node-allocatable', type=node.allocatable, metavar='RESOURCE=QUANTITY,...',
                        help='what the node has for pods, such as cpu=4,memory=8Gi,pods=20 (default: what this machine '
                             'has, and 110 pods)')
    parser.add_argument('--version', type=known_release, default='%d.%d' % releases.TODAY, metavar='RELEASE',
                        help='answer as this release of Kubernetes, %d.%d or newer (default: %%(default)s)'
                             % releases.OLDEST)
    parser.add_argument('--until-eof', action='store_true', help='also stop at the end of standard input')
    return parser.parse_args(arguments)


def known_release(text):
    try:
        releases.parse(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e))
    return text


def main(arguments=None):
    options = vars(parse(arguments))
    os.umask(0o077)  # so that other users cannot read the files of localkube
    options['token'] = os.environ.pop(TOKEN, None)
    until_eof = options.pop('until_eof')
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s')
    loop = IOLoop(make_current=True)
    try:
        cluster = Cluster(**options)
    except (OSError, ValueError) as e:
        sys.exit('localkube cannot start: %s' % e)
    print(NOTICE % {'user': 'user %d' % os.getuid(), 'url': cluster.url, 'kubeconfig': cluster.kubeconfig}, flush=True)
    for name, path in cluster.user_kubeconfigs.items():
        print('Kubeconfig of %s: %s' % (name, path), flush=True)
    if cluster.url.startswith('https:'):  # otherwise kubectl does not send its token
        print(TRY % cluster.kubeconfig, flush=True)

    def end(*ignored):
        loop.add_callback_from_signal(stop)

    def stop():
        loop.add_future(cluster.stop(), lambda done: loop.stop())

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    if until_eof:
        loop.add_handler(sys.stdin.fileno(), lambda fd, events: end() if not os.read(fd, 4096) else None, loop.READ)
    loop.start()
    loop.close()


if __name__ == '__main__':
    main()
