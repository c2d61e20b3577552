"""The layers: which package imports which, and that each module says what belongs in it."""
import ast
import os
import subprocess
import sys

import pytest

import kubespawner

PACKAGE = os.path.dirname(kubespawner.__file__)

# What a package or module may import of the others; what is not named here may import nothing of them.
GROUND = {'messages', 'naming', 'metrics', 'kube'}
MAY_IMPORT = {
    '__init__': {'spawner', 'hub_start'},
    'kube': {'messages', 'metrics'},
    'metrics': {'messages'},
    'arguments': {'kube'},
    'environment': {'naming'},
    'secret_variables': {'environment'},
    'objects': {'kube', 'arguments', 'environment', 'related_objects'},  # models; nothing that talks to an API
    'related_objects': {'kube', 'utils'},
    'profiles': {'messages', 'naming'},
    'traitlets': {'kube'},
    'lifecycle': GROUND,
    'configuration': {'objects', 'traitlets'},
    'parts': GROUND | {'environment', 'secret_variables', 'objects', 'related_objects', 'profiles', 'lifecycle',
                       'configuration', 'traitlets', 'reflector', 'slugs', 'utils'},
    'checks': {'arguments', 'configuration', 'environment', 'kube', 'messages', 'naming', 'profiles'},
    'hub_start': {'checks', 'configuration', 'kube'},
    'halting': set(),
    'garbage_collection': set(),
    'spawner': GROUND | {'garbage_collection', 'halting', 'lifecycle', 'configuration', 'parts', 'reflector'},
    'proxy': GROUND | {'halting', 'lifecycle', 'configuration', 'reflector', 'related_objects', 'spawner'},
    # Names that others import from here
    'clients': {'kube'},
    'reflector': {'kube'},
    'slugs': {'naming'},
    'utils': {'kube', 'naming'},
    # Commands
    'commands': GROUND | {'__init__', 'checks', 'configuration', 'lifecycle', 'objects', 'parts', 'profiles',
                          'proxy', 'localkube'},  # which nothing else imports
    'demo': {'commands'},
}


def modules(directory):
    for folder, _, files in os.walk(directory):
        for name in files:
            if name.endswith('.py'):
                yield os.path.join(folder, name)


def imported_layers(path):
    """Return which modules directly below kubespawner the module at `path` imports."""
    package = os.path.relpath(path, os.path.dirname(PACKAGE)).split(os.sep)[:-1]
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


def exists(name):
    return os.path.exists(os.path.join(PACKAGE, name)) or os.path.exists(os.path.join(PACKAGE, name + '.py'))


ALL = sorted(os.path.relpath(path, PACKAGE) for path in modules(PACKAGE))


@pytest.mark.parametrize('path', ALL)
def test_a_layer_imports_only_what_it_may(path):
    layer = path.split(os.sep)[0].replace('.py', '')
    allowed = MAY_IMPORT.get(layer, set()) | {layer}
    assert set(imported_layers(os.path.join(PACKAGE, path))) <= allowed


@pytest.mark.parametrize('path', ALL)
def test_a_module_begins_by_saying_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(open(os.path.join(PACKAGE, path), encoding='utf8').read()))


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
    for path in modules(os.path.join(PACKAGE, 'localkube')):
        tree = ast.parse(open(path, encoding='utf8').read())
        assert set(imported_packages(tree.body)) <= allowed, path
        assert set(imported_packages(ast.walk(tree))) <= allowed | {'jsonpatch', 'trustme', 'yaml'}, path


def test_the_spawner_does_not_load_what_only_the_demo_needs():
    code = 'import kubespawner.spawner, sys; print(*(name for name in sys.modules if name.startswith("kubespawner.")))'
    loaded = {name.split('.')[1] for name in subprocess.check_output([sys.executable, '-c', code]).decode().split()}
    assert 'spawner' in loaded and not loaded & {'commands', 'demo', 'localkube'}


def test_the_hub_and_the_proxy_of_the_demo_load_nothing_of_the_rest_of_it():
    code = 'import kubespawner.commands.demo.%s, sys; print(*(name for name in sys.modules if "localkube" in name or ' \
        'name.startswith("kubespawner.commands.demo.")))'
    for module, needed in (('login', []), ('guard', []), ('proxy', ['guard', 'relay', 'routes'])):
        loaded = subprocess.check_output([sys.executable, '-c', code % module]).decode().split()
        assert sorted(loaded) == ['kubespawner.commands.demo.' + name for name in sorted([module] + needed)]


at_once = pytest.mark.skipif(sys.version_info < (3, 7), reason='this Python imports all of a package at once')


@at_once
def test_the_package_loads_the_spawner_only_when_it_is_asked_for_or_in_a_hub():
    code = '%s; import sys; print("kubespawner.spawner" in sys.modules, "kubernetes" in sys.modules)'
    for imports, loaded in (('import kubespawner', False), ('import kubespawner.commands.demo.proxy', False),
                            ('import jupyterhub.app, kubespawner', True),
                            ('from kubespawner import *; KubeSpawner', True)):
        printed = subprocess.check_output([sys.executable, '-c', code % imports]).decode().split()
        assert printed[0] == str(loaded), imports
        assert 'commands' not in imports or printed[1] == 'False'


@at_once
@pytest.mark.parametrize('command', ['doctor', 'manifest'])
def test_help_is_printed_before_jupyterhub_is_loaded(command):
    code = 'import atexit, sys; from kubespawner.commands import console; ' \
        'atexit.register(lambda: print("loaded:", "jupyterhub" in sys.modules)); console.command([%r, "--help"])'
    printed = subprocess.check_output([sys.executable, '-c', code % command]).decode()
    assert printed.startswith('usage: kubespawner ' + command) and printed.endswith('loaded: False\n')


@at_once
def test_public_modules_are_attributes_of_the_package():
    code = 'import kubespawner; print(*(getattr(kubespawner, name).__name__ for name in kubespawner.PUBLIC_MODULES))'
    names = subprocess.check_output([sys.executable, '-c', code]).decode().split()
    assert names == ['kubespawner.' + name for name in kubespawner.PUBLIC_MODULES]
    assert not hasattr(kubespawner, 'nonsense')
