"""The console script as a process: what it prints where, and how it ends, whatever the code of an operator does."""
import json
import os

import pytest
import yaml

from kubespawner.commands import console

from .support import preloaded

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVIRONMENT = dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS='ignore')  # those of libraries, about old Pythons
SCRIPT = 'from kubespawner.commands.console import script; script()'

OURS = '''
import atexit, os, sys, threading
c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_ip = '0.0.0.0'
c.KubeSpawner.hub_connect_ip = '192.0.2.10'
c.KubeSpawner.image = 'example.org/image:1'
c.KubeSpawner.namespace = 'ns'
'''
PRINTING = OURS + '''
os.system('echo said by a program of the file')
def profiles(spawner):
    os.write(1, b'said by the profiles\\n')
    return []
def hook(spawner):
    os.system('echo said by a program of the hook')
c.KubeSpawner.profile_list = profiles
c.KubeSpawner.pre_spawn_hook = hook
'''

COMMANDS = [(['manifest'], yaml.safe_load), (['doctor', '--offline', '--json'], json.loads)]


@pytest.fixture
def run(tmp_path):
    """`run(text, *words)` returns the exit code, standard output and standard error of the script, for a file."""
    def call(text, *words):
        (tmp_path / 'jupyterhub_config.py').write_text(text)
        printed = tmp_path / 'stdout', tmp_path / 'stderr'
        process = preloaded.start(['-c', SCRIPT] + list(words), str(tmp_path), ENVIRONMENT, *map(str, printed))
        try:
            code = process.wait(120)
        finally:
            process.kill()
        return (code,) + tuple(path.read_text() for path in printed)

    return call


@pytest.mark.parametrize('words, parse', COMMANDS)
def test_what_programs_of_the_configuration_print_is_not_part_of_the_output(run, words, parse):
    code, out, err = run(PRINTING, *words)
    assert 'said' not in out and isinstance(parse(out), dict)
    assert set(err.splitlines()) == {
        'said by a program of the file', 'said by the profiles', 'said by a program of the hook'}
    assert code == 0


@pytest.mark.parametrize('words', [words for words, _ in COMMANDS])
def test_a_thread_that_never_ends_does_not_keep_the_command_running(run, words):
    code, out, err = run(OURS + 'threading.Thread(target=threading.Event().wait).start()', *words)
    assert (code, err) == (0, '')
    assert out


def test_what_the_configuration_does_at_the_end_of_the_process_is_done(run):
    code, _, err = run(OURS + "atexit.register(lambda: sys.stderr.write('removed'))", 'manifest')
    assert (code, err) == (0, 'removed')


@pytest.mark.parametrize('where', ['raise KeyboardInterrupt', '''
def hook(spawner):
    raise KeyboardInterrupt
c.KubeSpawner.pre_spawn_hook = hook
'''])
@pytest.mark.parametrize('words', [words for words, _ in COMMANDS])
def test_an_interrupted_command_says_so_without_a_traceback(run, words, where):
    code, out, err = run(OURS + where, *words)
    assert (code, out, err) == (console.INTERRUPTED, '', 'kubespawner %s: interrupted.\n' % words[0])
