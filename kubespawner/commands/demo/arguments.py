"""The command line of the demo. Pure."""
import argparse
import os


def parse(argv):
    """Return the arguments of the demo as a namespace; exit with a message for those that do not make sense."""
    parser = argparse.ArgumentParser(prog='kubespawner demo', description=(
        'Run JupyterHub on 127.0.0.1 with KubeSpawner. It uses localkube, a one-node Kubernetes in one process whose '
        'pods are processes on this machine, or a cluster of your own.'))
    parser.add_argument('--port', type=int, default=8000,
                        help='port of the hub (default: 8000); if it is in use, the demo takes the next free port')
    parser.add_argument('--kubeconfig', metavar='FILE', help='use the cluster of this kubeconfig in place of localkube')
    parser.add_argument('--context', metavar='NAME', help='context of the kubeconfig (default: its current context)')
    parser.add_argument('--hub-ip', metavar='ADDRESS',
                        help='address of this machine at which the pods of the cluster reach the hub (default: the '
                             'address from which this machine reaches the cluster)')
    parser.add_argument('--image', help='image of the notebook servers on a cluster (default: jupyterhub/singleuser '
                                        "with the hub's version as its tag)")
    parser.add_argument('--config', metavar='FILE', help="configuration file of JupyterHub, for example with "
                                                         "c.KubeSpawner.profile_list, to load after the demo's own")
    parser.add_argument('--debug', action='store_true', help='show the whole logs of the hub and the proxy')
    arguments = parser.parse_args(argv)
    if arguments.config and not os.path.isfile(arguments.config):
        parser.error('--config %s: the file does not exist' % arguments.config)
    if not (arguments.kubeconfig or arguments.context) and (arguments.hub_ip or arguments.image):
        parser.error('--hub-ip and --image need --kubeconfig or --context')
    return arguments
