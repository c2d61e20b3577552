"""python -m kubespawner.localkube: a one-node Kubernetes until Ctrl-C, SIGTERM or, if asked to, the end of its input.

What belongs here: the command line. What does not: everything else. Runs on the main thread, which is the loop thread.
"""
import argparse
import logging
import os
import signal
import sys

from tornado.ioloop import IOLoop

from . import TOKEN
from .cluster import Cluster

NOTICE = """\
localkube is a tool for development: pods are processes of this machine with the rights of %(user)s, and nothing is kept
apart. Do not let anyone use it whom you would not give a shell.
API server at %(url)s; its kubeconfig: %(kubeconfig)s"""
TRY = 'Try: kubectl --kubeconfig %s get pods'


def parse(arguments):
    parser = argparse.ArgumentParser(prog='python -m kubespawner.localkube', description=__doc__.partition(':')[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.description = 'A one-node Kubernetes in one process, for development: pods are processes of this machine.'
    parser.epilog = 'The variable %s sets the bearer token of the API; without it, the token is random.' % TOKEN
    parser.add_argument('--kubeconfig', required=True, metavar='FILE', help='write the way to this API into FILE')
    parser.add_argument('--port', type=int, default=0, help='port of the API on 127.0.0.1; 0: any free one')
    parser.add_argument('--data', metavar='DIR', help='keep claims in DIR; without it they go when localkube ends')
    parser.add_argument('--backoff', type=float, default=10, metavar='SECONDS',
                        help='wait before the second restart of a container that fails; doubled each time')
    parser.add_argument('--no-kubelet', dest='kubelet', action='store_false', help='serve the API, run no pods')
    parser.add_argument('--until-eof', action='store_true', help='end when standard input ends')
    return parser.parse_args(arguments)


def main(arguments=None):
    options = vars(parse(arguments))
    os.umask(0o077)  # other users read nothing of what is written
    options['token'] = os.environ.pop(TOKEN, None)
    until_eof = options.pop('until_eof')
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s')
    loop = IOLoop(make_current=True)
    try:
        cluster = Cluster(**options)
    except OSError as e:
        sys.exit('localkube cannot start: %s' % e)
    print(NOTICE % {'user': 'user %d' % os.getuid(), 'url': cluster.url, 'kubeconfig': cluster.kubeconfig}, flush=True)
    if cluster.url.startswith('https:'):  # kubectl sends no token otherwise
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
