"""Processes of a run that load less: hubs, and notebook servers on localkube."""
import os
import sys

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'stand_in')

# What the notebook servers of the tests have in their environment. They have no JupyterLab, but run code.
VARIABLES = {'PYTHONPATH': STAND_IN, 'JUPYTER_CONFIG_PATH': os.path.join(STAND_IN, 'jupyter')}

# What a hub of the tests is configured with if its servers are processes of this machine.
CONFIG = """
c.KubeSpawner.environment = %r
""" % VARIABLES


def own_process():
    """Have this process, which has not loaded JupyterHub yet, and those that it starts load the stand-ins."""
    sys.path.insert(0, STAND_IN)
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [STAND_IN, os.environ.get('PYTHONPATH')]))
