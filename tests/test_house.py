"""The rules of the house: which room imports which, and that each says what belongs in it."""
import ast
import os
import subprocess
import sys

import pytest

import kubespawner

HOUSE = os.path.dirname(kubespawner.__file__)

# What a module may import of the package; everything that is not named here may import nothing of it.
MAY_IMPORT = {
    '__init__': {'spawner'},
    'spawner': {'addresses', 'attempt', 'choosing', 'claims', 'manifests', 'pods', 'waiting', 'podstatus', 'progress',
                'hints', 'api', 'reflector', 'requests', 'startup_watch', 'clients', 'eras', 'errors', 'server_names'},
    'addresses': {'attempt', 'configuration', 'api', 'errors', 'pods', 'podstatus', 'waiting'},
    'attempt': {'pods', 'podstatus', 'errors', 'waiting'},
    'hints': {'errors'},
    'podstatus': {'errors'},
    'choosing': {'profiles', 'manifests', 'templates', 'waiting', 'eras', 'errors', 'traitlets'},
    'profiles': {'errors', 'naming'},
    'startup_watch': {'waiting', 'errors'},
    'progress': {'configuration', 'events', 'podstatus', 'story', 'waiting'},
    'events': {'reflector', 'cache', 'clients', 'jsonstream'},
    'story': {'errors'},
    'waiting': {'api', 'errors', 'podstatus'},
    'pods': {'manifests', 'waiting', 'api', 'errors'},
    'claims': {'manifests', 'api', 'errors', 'naming'},
    'manifests': {'templates', 'configuration', 'clients', 'naming', 'objects'},
    'templates': {'configuration', 'clients', 'naming', 'server_names'},
    'server_names': {'naming'},
    'requests': {'api'},
    'configuration': {'objects', 'traitlets'},
    'api': {'clients', 'errors', 'retry'},
    'objects': {'clients'},  # the models, made equal on all clients; nothing that talks to an API
    'reflector': {'cache', 'clients', 'errors', 'jsonstream', 'retry'},
    'cache': {'clients', 'compact'},
    'traitlets': {'clients'},
    'utils': {'naming'},
    'demo': {'localkube', '__init__'},
    'demo_login': set(),
    'demo_proxy': set(),
}


def modules(directory):
    for folder, _, files in os.walk(directory):
        for name in files:
            if name.endswith('.py'):
                yield os.path.join(folder, name)


def imported_rooms(path):
    """Return which modules directly below kubespawner the module at `path` imports."""
    package = os.path.relpath(path, os.path.dirname(HOUSE)).split(os.sep)[:-1]
    for node in ast.walk(ast.parse(open(path, encoding='utf8').read())):
        if isinstance(node, ast.Import):
            names = [alias.name.split('.') for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split('.') if node.module else [])
            names = [base + [alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == 'kubespawner':
                yield name[1] if len(name) > 1 and exists(name[1]) else '__init__'


def exists(room):
    return os.path.exists(os.path.join(HOUSE, room)) or os.path.exists(os.path.join(HOUSE, room + '.py'))


ALL = sorted(os.path.relpath(path, HOUSE) for path in modules(HOUSE))


@pytest.mark.parametrize('path', ALL)
def test_a_room_imports_only_what_it_may(path):
    room = path.split(os.sep)[0].replace('.py', '')
    allowed = MAY_IMPORT.get(room, set()) | {room}
    assert set(imported_rooms(os.path.join(HOUSE, path))) <= allowed


@pytest.mark.parametrize('path', ALL)
def test_a_module_begins_by_saying_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(open(os.path.join(HOUSE, path), encoding='utf8').read()))


def imported_packages(nodes):
    for node in nodes:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            yield name.split('.')[0]


def test_localkube_needs_the_standard_library_and_tornado_only():
    """What it imports in a function, it can do without."""
    allowed = set(getattr(sys, 'stdlib_module_names', ())) | {'tornado'}
    if 'json' not in allowed:
        pytest.skip('this Python does not tell what its standard library is')
    for path in modules(os.path.join(HOUSE, 'localkube')):
        tree = ast.parse(open(path, encoding='utf8').read())
        assert set(imported_packages(tree.body)) <= allowed, path
        assert set(imported_packages(ast.walk(tree))) <= allowed | {'jsonpatch', 'trustme'}, path


def test_the_spawner_does_not_load_what_only_the_demo_needs():
    code = 'import kubespawner, sys; print([m for m in sys.modules if "localkube" in m or "demo" in m])'
    assert subprocess.check_output([sys.executable, '-c', code]).strip() == b'[]'
