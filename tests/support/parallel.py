"""Spreads a run of whole directories over several processes, if pytest-xdist is installed and nothing was said.

A file of tests stays together: its tests share a namespace, and often a hub. Files that take long come first, so that
no process is left with one of them at the end; files that mostly wait are spread among those that compute.
"""
import os

PROCESSES = 5  # on two cores, because many tests mostly wait; each has a Kubernetes of its own

# Begun first: what takes a minute or more, what starts hubs and browsers, and what else takes half a minute.
FIRST = ['hub/test_metrics.py', 'hub/test_ingress_proxy.py', 'cluster/test_doctor_and_role.py',
         'faults/test_hub_restarts.py', 'browser', 'hub', 'test_doctor.py', 'faults/test_answers.py',
         'test_manifest.py', 'faults/test_watch.py', 'cluster/test_profiles.py', 'security/test_demo.py',
         'compat/test_subclasses.py', 'cluster/test_addresses.py', 'localkube/test_kubectl.py', 'test_fuzz.py',
         'faults/test_server_killed.py', 'test_layers.py']
MOSTLY_WAIT = ['faults', 'cluster']  # spread over what follows, so that others compute meanwhile


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


def put_in_order(items):
    """Sort tests by their file, so that all processes are busy until the end. The tests of a file keep their order."""
    paths = list(dict.fromkeys(str(item.fspath) for item in items))
    places = {path: place for place, path in enumerate(sorted(paths, key=begun_first(paths)))}
    items.sort(key=lambda item: places[str(item.fspath)])


def begun_first(paths):
    """Return the key to sort files by: first those of FIRST, then those that mostly wait evenly among all others."""
    keys = {path: (rank(path), 0) for path in paths}
    others = [path for path in paths if rank(path) == len(FIRST)]
    for wait in (True, False):
        alike = [path for path in others if (directory_of(path) in MOSTLY_WAIT) is wait]
        keys.update((path, (len(FIRST), number / len(alike))) for number, path in enumerate(alike))
    return keys.get


def rank(path):
    directory, name = directory_of(path), os.path.basename(path)
    places = [FIRST.index(each) for each in ('%s/%s' % (directory, name), name, directory) if each in FIRST]
    return min(places + [len(FIRST)])


def directory_of(path):
    return os.path.basename(os.path.dirname(path))
