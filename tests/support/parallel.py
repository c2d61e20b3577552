"""Spreads a run of whole directories over several processes, if pytest-xdist is installed and nothing was said.

A file of tests stays together: its tests share a namespace, and often a hub. Files that take long come first, so that
no process is left with one of them at the end.
"""
import os

PROCESSES = 6  # on two cores, because hubs and browsers mostly wait; each has a Kubernetes of its own

# What is begun first: these files, each of which takes a minute or more, and then what starts hubs, browsers and
# processes. All others take less time for each test.
SLOWEST_FIRST = ['hub/test_metrics.py', 'hub/test_interrupted_starts.py', 'hub/test_servers.py', 'test_console.py',
                 'hub/test_profiles.py', 'hub/test_ingress_proxy.py', 'test_fuzz.py', 'faults/test_cycles.py',
                 'browser', 'hub', 'security', 'faults', 'localkube', 'cluster', 'contract']


def spread(config):
    """Have pytest-xdist use PROCESSES, unless the command line speaks against it."""
    if hasattr(config, 'workerinput'):  # one of those processes, which know nothing of the command line
        return
    if not config.pluginmanager.hasplugin('xdist') or not is_wanted(config.option, config.args):
        return
    config.option.numprocesses = PROCESSES
    config.option.dist = 'loadfile'
    config.option.loadscopereorder = False  # it would begin with the files that have most tests
    # Containers often have it, for small images. Here, each of hundreds of processes would compile the same modules.
    os.environ.pop('PYTHONDONTWRITEBYTECODE', None)


def is_wanted(option, names):
    """Return whether a run may be spread.

    option: pytest's options. names (list of str): the files, directories and tests to run.
    """
    said = option.numprocesses is not None or option.dist != 'no' or option.tx
    needs_this_process = option.usepdb or option.trace or option.capture == 'no' or option.collectonly
    cluster_is_shared = option.kubeconfig
    return any(map(os.path.isdir, names)) and not (said or needs_this_process or cluster_is_shared)


def slowest_first(items):
    """Sort tests by their file, see SLOWEST_FIRST. The tests of a file keep their order."""
    items.sort(key=lambda item: rank(str(item.fspath)))


def rank(path):
    directory, name = os.path.split(path)
    directory = os.path.basename(directory)
    places = [SLOWEST_FIRST.index(each) for each in ('%s/%s' % (directory, name), name, directory)
              if each in SLOWEST_FIRST]
    return min(places + [len(SLOWEST_FIRST)])
