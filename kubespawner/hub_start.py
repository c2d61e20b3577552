"""Checking the configuration when the hub starts, and not only when the first user logs in.

JupyterHub has no hook for that, and a hub without users creates no spawner when it starts. But every version first
imports the spawner class. Later it calls its own method `init_spawners`, when the configuration has been read and
nothing has been started. So importing this package in the process of a hub wraps that method. A JupyterHub without the
method starts unchecked; mistakes are then found when a server starts.

When the check runs belongs here; what it checks is in `checks`. Everything runs on the main thread.
"""
import functools
import sys

from .checks import find_problems
from .configuration import Configuration
from .kube import clients


def check_when_hub_starts():
    """Let the hub of this process, if it is one, check its configuration before it starts anything."""
    hub_class = getattr(sys.modules.get('jupyterhub.app'), 'JupyterHub', None)
    init_spawners = getattr(hub_class, 'init_spawners', None)
    if init_spawners is None:
        return

    @functools.wraps(init_spawners)
    def checked(app, *args, **kwargs):
        check(app)
        return init_spawners(app, *args, **kwargs)

    hub_class.init_spawners = checked


def check(app):
    """Log all mistakes in the configuration of a JupyterHub application; exit if no server could start."""
    if not issubclass(app.spawner_class, Configuration):  # for instance, a spawner that chooses among others
        return
    try:
        problems = find_problems(app.config, app.spawner_class)
    except Exception:  # whatever it is, servers may start all the same
        app.log.exception('The configuration could not be checked.')
        return
    if not clients.has_config():
        app.log.error('No Kubernetes configuration was found, so servers cannot start: neither the service account of '
                      'a pod, nor a kubeconfig at %s.', clients.kubeconfig_path())
    for problem in problems:
        (app.log.critical if problem.is_fatal else app.log.error)('Configuration: %s', problem.sentence)
    if any(problem.is_fatal for problem in problems):
        app.log.critical('No server could start with this configuration, so the hub does not start.')
        app.exit(1)
