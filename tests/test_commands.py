"""The console script and the parts of the demo that need no process."""
import ast
import base64
import io
import os
import re
import socket
import stat
import subprocess
import sys
import threading

import pytest
import yaml

from kubespawner import __version__
from kubespawner.commands import console
from kubespawner.commands.demo import arguments, configuration, files, guard, hub_log, network, output, own_file
from kubespawner.commands.demo.output import DemoError

VALUES = {'port': 1, 'hub_port': 2, 'api_port': 3, 'directory': '/d', 'hub_ip': '10.0.0.1', 'namespace': 'n'}


# The console script

def test_the_console_script_prints_its_version(capsys):
    assert console.command(['--version']) == 0
    assert capsys.readouterr().out == __version__ + '\n'


@pytest.mark.parametrize('argv', [['--help'], ['-h']])
def test_the_console_script_says_what_it_is(capsys, argv):
    assert console.command(argv) == 0
    printed, errors = capsys.readouterr()
    assert printed.startswith('usage: kubespawner demo') and 'Kubernetes pod' in printed and not errors
    assert all('\n  %s ' % name in printed for name in console.COMMANDS)


@pytest.mark.parametrize('argv, problem', [([], ''), (['other'], "kubespawner: there is no command 'other'\n")])
def test_the_console_script_says_how_it_is_used(capsys, argv, problem):
    assert console.command(argv) == 2
    assert capsys.readouterr().err == (
        'usage: kubespawner demo [--help] ...\n       kubespawner doctor [--help] ...\n'
        '       kubespawner manifest [--help] ...\n       kubespawner --version\n' + problem)


def test_the_console_script_hands_the_other_arguments_to_the_command(monkeypatch):
    monkeypatch.setitem(console.COMMANDS, 'demo', lambda argv: argv)
    assert console.command(['demo', '--port', '1']) == ['--port', '1']


@pytest.mark.parametrize('module', ['kubespawner.demo', 'kubespawner.commands.demo.main'])
def test_the_demo_can_be_run_as_a_module(module):
    printed = subprocess.check_output([sys.executable, '-m', module, '--help']).decode()
    assert printed.startswith('usage: kubespawner demo ')


# Arguments

def test_the_demo_has_defaults():
    parsed = arguments.parse([])
    assert (parsed.port, parsed.kubeconfig, parsed.context, parsed.debug) == (8000, None, None, False)


@pytest.mark.parametrize('argv, message', [
    (['--config', '/nowhere'], '--config /nowhere: the file does not exist'),
    (['--image', 'i'], '--hub-ip and --image need --kubeconfig or --context'),
    (['--hub-ip', '10.0.0.1'], '--hub-ip and --image need --kubeconfig or --context'),
])
def test_arguments_that_make_no_sense_are_refused(capsys, argv, message):
    with pytest.raises(SystemExit):
        arguments.parse(argv)
    assert message in capsys.readouterr().err


def test_an_image_can_be_named_for_a_cluster():
    assert arguments.parse(['--context', 'c', '--image', 'i']).image == 'i'


# The configuration of the hub

@pytest.mark.parametrize('settings', [
    configuration.settings_on_localkube('/run'), configuration.settings_on_cluster(None, (5, 2, 1))])
def test_the_configuration_of_the_hub_is_python(settings):
    ast.parse(configuration.configuration(**dict(VALUES, **settings)))


def test_the_configuration_loads_a_file_of_ones_own_at_the_end(tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))
    text = configuration.configuration("it's.py", **dict(VALUES, **configuration.settings_on_localkube('/run')))
    last = ast.parse(text).body[-1].body[0].value
    assert last.func.id == 'load_subconfig'
    assert ast.literal_eval(last.args[0]) == os.path.join(os.path.realpath(str(tmp_path)), "it's.py")


def test_the_image_on_a_cluster_is_of_the_version_of_the_hub():
    assert configuration.settings_on_cluster(None, (5, 2, 1))['image'] == 'jupyterhub/singleuser:5.2'
    assert configuration.settings_on_cluster('mine', (5, 2, 1))['image'] == 'mine'


def test_passwords_can_be_typed_and_differ():
    passwords = {configuration.password() for _ in range(20)}
    assert len(passwords) == 20
    assert all(re.match('([a-z2-9]{4}-){3}[a-z2-9]{4}$', each) and not re.search('[l1o0]', each) for each in passwords)


# A configuration file of one's own

@pytest.mark.parametrize('text, line, what', [
    ('import os\n\nc.Foo = undefined\n', 3, "NameError: name 'undefined' is not defined"),
    ('x = 1\nif x\n  y\n', 2, 'SyntaxError: '),
    ('x = 1\n x\n', 2, 'IndentationError: '),
    ('import no_such_package', 1, 'ModuleNotFoundError: '),
    ('def f():\n    raise ValueError("two\\nlines")\n\nf()\n', 2, 'ValueError: two lines'),
    ('import json\njson.loads("{")\n', 2, 'JSONDecodeError: '),
])
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path, capsys, text, line, what):
    path = tmp_path / 'mine.py'
    path.write_text(text)
    with pytest.raises(SystemExit):
        with own_file.explained(str(path), 'mine.py'):
            exec(compile(path.read_text(), str(path), 'exec'), {'c': None} if 'Foo' not in text else {})
    printed = capsys.readouterr().err
    assert printed.startswith('kubespawner demo: mine.py, line %d: %s' % (line, what)) and printed.count('\n') == 1


@pytest.mark.parametrize('text', ['if x\n  y\n', 'x = (', 'x = "\0"'])
def test_a_file_that_is_not_python_is_found_before_it_is_run(tmp_path, text):
    path = tmp_path / 'mine.py'
    path.write_text(text)
    assert str(path) in own_file.check_syntax(str(path))
    path.write_text('raise ValueError')
    assert own_file.check_syntax(str(path)) is None


# What the terminal shows

@pytest.mark.parametrize('line, shown', [
    ('[I 2026-11-26 22:07:56.169 JupyterHub base:1033] User logged in: bob@example.org',
     ('bob@example.org has logged in.', 'plain', None, 'bob@example.org')),
    ('[I 2026-11-26 22:07:57.686 JupyterHub pages:516] ann lee is pending spawn', ('', 'plain', 'begin', 'ann lee')),
    ('[I 2026-11-26 22:08:04.803 JupyterHub base:1192] User ann took 6.143 seconds to start',
     ("ann's server is ready after 6.1 s.", 'done', 'end', 'ann')),
    ("[E 2026-11-26 22:08:04.803 JupyterHub user:1072] Unhandled error starting ann's server: No more {memory}",
     ("The start of ann's server failed: No more {memory}", 'error', 'end', 'ann')),
    ("[W 2026-11-26 22:08:04.803 JupyterHub user:1058] ann's server failed to start in 60 seconds, giving up.",
     ("The start of ann's server failed: it took more than 60 s.", 'error', 'end', 'ann')),
    ('[W 2026-11-26 22:07:50.841 JupyterHub configurable:214] Config option `prt` not recognized by `JupyterHub`.',
     ('Config option `prt` not recognized by `JupyterHub`.', 'warning', None, None)),
    ('[C 2026-11-26 22:07:50.841 JupyterHub hub_start:45] Configuration: wrong',
     ('Configuration: wrong', 'error', None, None)),
])
def test_a_line_of_the_log_that_concerns_a_newcomer_is_shown(line, shown):
    assert hub_log.shown(line + '\n') == shown


@pytest.mark.parametrize('line', [
    '[I 2026-11-26 22:07:50.841 JupyterHub app:3493] Running JupyterHub version 6.1.1',
    '[W 2026-11-26 22:07:50.841 JupyterHub log:192] 403 GET /hub/api/users (@127.0.0.1) 1.4ms',
    '[D 2026-11-26 22:07:50.841 JupyterHub app:1] any',
    'Traceback (most recent call last):',
    '    raise ValueError',
    '',
])
def test_other_lines_of_the_log_are_not_shown(line):
    assert hub_log.shown(line) is None


def test_in_a_pipe_there_are_plain_lines_only():
    stream = io.StringIO()
    terminal = output.Terminal(stream, is_rich=False)
    terminal.begin('Starting')
    terminal.say('100 % done', 'done')
    terminal.end('Starting')
    assert stream.getvalue() == 'Starting \u2026\n100 % done\n'


def test_on_a_terminal_lines_have_colours_and_what_takes_time_stands_below_them():
    turned = threading.Event()

    class Stream(io.StringIO):
        def write(self, text):
            if re.search(r'Starting \(\d+ s\)', text):
                turned.set()
            return super().write(text)

    stream = Stream()
    terminal = output.Terminal(stream, is_rich=True)
    terminal.begin('Starting')
    assert turned.wait(60)
    terminal.say('done', 'done')
    terminal.end('Starting')
    assert '\r\033[K\033[32mdone\033[0m\n' in stream.getvalue()


def test_one_thread_shows_all_that_takes_time():
    seen, shown = set(), {'first': threading.Event(), 'second': threading.Event()}

    class Stream(io.StringIO):
        def write(self, text):
            seen.add(threading.current_thread())
            for what in shown:
                if what in text:
                    shown[what].set()
            return super().write(text)

    terminal = output.Terminal(Stream(), is_rich=True)
    for what in shown:
        terminal.begin(what)
        assert shown[what].wait(60)
    for what in shown:
        terminal.end(what)
    assert len(seen) == 1


@pytest.mark.parametrize('isatty, environment, rich', [
    (True, {'TERM': 'xterm'}, True), (False, {'TERM': 'xterm'}, False), (True, {'TERM': 'dumb'}, False),
    (True, {}, False), (True, {'TERM': 'xterm', 'NO_COLOR': '1'}, False)])
def test_colours_are_for_terminals_that_want_them(isatty, environment, rich):
    stream = io.StringIO()
    stream.isatty = lambda: isatty
    assert output.is_rich(stream, environment) == rich


# Directories and files

@pytest.mark.parametrize('keeps_logs, left', [(False, None), (True, ['hub.log'])])
def test_only_the_logs_of_the_demo_stay_after_an_error(tmp_path, monkeypatch, removed, keeps_logs, left):
    monkeypatch.setattr(files.directories, 'private', lambda: str(tmp_path))
    path = files.make_directory(removed.append, lambda: keeps_logs)
    for name in ('hub.log', 'secret', 'hub.sqlite'):
        open(os.path.join(path, name), 'w').close()
    os.mkdir(os.path.join(path, 'run'))
    removed.pop()()
    assert (os.listdir(path) if os.path.exists(path) else None) == left


@pytest.fixture
def removed():
    """What is to be called at the end."""
    return []


def test_kernels_have_their_sockets_in_the_directory_of_the_demo(tmp_path, removed, monkeypatch):
    monkeypatch.setattr(files, 'LONGEST_RUNTIME_DIRECTORY', len(str(tmp_path)) + len('/run'))
    path = files.make_runtime_directory(str(tmp_path), removed.append)
    assert path == str(tmp_path / 'run') and os.path.isdir(path) and not removed


def test_kernels_have_their_sockets_elsewhere_if_the_path_is_too_long(tmp_path, removed, monkeypatch):
    monkeypatch.setattr(files, 'LONGEST_RUNTIME_DIRECTORY', 100)
    path = files.make_runtime_directory(str(tmp_path / ('d' * 100)), removed.append)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    removed.pop()()
    assert not os.path.exists(path)


def test_a_temporary_directory_whose_path_is_too_long_is_an_error(tmp_path, removed, monkeypatch):
    monkeypatch.setattr(files, 'LONGEST_RUNTIME_DIRECTORY', 1)
    monkeypatch.setattr(files.tempfile, 'gettempdir', lambda: str(tmp_path))
    with pytest.raises(DemoError, match='set TMPDIR to a shorter one'):
        files.make_runtime_directory(str(tmp_path), removed.append)
    removed.pop()()
    assert os.listdir(str(tmp_path)) == []


KUBECONFIG = {
    'current-context': 'one',
    'contexts': [{'name': 'one'}, {'name': 'two'}],
    'clusters': [{'name': 'c', 'cluster': {'server': 'https://10.0.0.1', 'certificate-authority': 'ca.crt'}}],
    'users': [{'name': 'u', 'user': {'client-certificate': '/abs/u.crt', 'client-key': 'u.key'}}, {'name': 'none'}],
}


@pytest.fixture
def kubeconfig(tmp_path):
    path = tmp_path / 'source'
    path.write_text(yaml.safe_dump(KUBECONFIG))
    return str(path)


@pytest.mark.parametrize('wanted, current', [(None, 'one'), ('two', 'two')])
def test_a_copied_kubeconfig_has_the_context_and_absolute_paths(tmp_path, kubeconfig, wanted, current):
    target = tmp_path / 'target'
    assert files.copy_kubeconfig(kubeconfig, wanted, str(target)) == current
    copied = yaml.safe_load(target.read_text())
    assert copied['current-context'] == current
    assert copied['clusters'][0]['cluster'] == {
        'server': 'https://10.0.0.1', 'certificate-authority': str(tmp_path / 'ca.crt')}
    assert copied['users'][0]['user'] == {'client-certificate': '/abs/u.crt', 'client-key': str(tmp_path / 'u.key')}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_certificates_of_a_copied_kubeconfig_are_in_files_beside_it(tmp_path):
    encoded = base64.b64encode(b'certificate').decode()
    (tmp_path / 'source').write_text(yaml.safe_dump(dict(
        KUBECONFIG, clusters=[{'name': 'c', 'cluster': {'server': 'https://10.0.0.1',
                                                        'certificate-authority-data': encoded}}],
        users=[{'name': 'u', 'user': {'client-certificate-data': encoded, 'client-key-data': encoded}}])))
    target = tmp_path / 'target'
    files.copy_kubeconfig(str(tmp_path / 'source'), None, str(target))
    assert encoded not in target.read_text()
    copied = yaml.safe_load(target.read_text())
    paths = [copied['clusters'][0]['cluster']['certificate-authority'],
             copied['users'][0]['user']['client-certificate'], copied['users'][0]['user']['client-key']]
    assert len(set(paths)) == 3
    for path in paths:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and open(path, 'rb').read() == b'certificate'


def test_a_kubeconfig_without_the_context_is_refused(tmp_path, kubeconfig):
    with pytest.raises(ValueError, match="no context 'three'; its contexts are: one, two"):
        files.copy_kubeconfig(kubeconfig, 'three', str(tmp_path / 'target'))


def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path):
    (tmp_path / 'source').write_text('- one')
    with pytest.raises(ValueError, match='not a kubeconfig'):
        files.copy_kubeconfig(str(tmp_path / 'source'), None, str(tmp_path / 'target'))


# Ports and addresses

def test_a_port_that_is_in_use_is_not_offered():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        assert not network.port_is_free(port)
        offered = network.free_ports(min(port, 65000))
        assert port not in [next(offered) for _ in range(2)]


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='only Linux reserves a port for a server')
def test_a_free_port_is_for_those_who_are_told_of_it():
    port = network.any_free_port()
    for address in ('127.0.0.1', '127.0.0.2', ''):
        with socket.socket() as other, pytest.raises(OSError):
            other.bind((address, port))  # as the system does when it looks for a port that it can give away
    with socket.socket() as told:
        told.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        told.bind(('127.0.0.1', port))
        told.listen(1)
        assert network.port_answers(('127.0.0.1', port))


@pytest.mark.parametrize('port', [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(DemoError, match='must be a number from 1 to 65535'):
        next(network.free_ports(port))


def test_it_is_an_error_if_there_is_no_free_port(monkeypatch):
    monkeypatch.setattr(network, 'port_is_free', lambda port: False)
    with pytest.raises(DemoError, match='no free port from 65000 on'):
        list(network.free_ports(65000))


def test_pods_are_not_given_a_loopback_address():
    try:
        address = network.address_for_pods('https://127.0.0.1:6443')
    except DemoError as e:
        assert '--hub-ip' in str(e)  # a machine without a network
    else:
        assert not address.startswith('127.')


# What the proxy lets through

@pytest.mark.parametrize('port, headers', [
    (8000, {'Host': '127.0.0.1:8000'}),
    (8000, {'Host': 'LocalHost:8000', 'Origin': 'http://127.0.0.1:8000'}),
    (80, {'Host': 'localhost'}),
])
def test_requests_to_the_demo_are_let_through(port, headers):
    assert guard.refusal(headers, port) == ''


@pytest.mark.parametrize('headers', [
    {},
    {'Host': 'example.org'},
    {'Host': '127.0.0.1'},
    {'Host': '127.0.0.1:8001'},
    {'Host': '127.0.0.1:8000', 'Origin': 'http://example.org'},
    {'Host': '127.0.0.1:8000', 'Origin': 'null'},
    {'Host': '127.0.0.1:8000', 'Sec-WebSocket-Origin': 'http://127.0.0.1:8001'},
])
def test_requests_to_other_hosts_or_from_other_sites_are_refused(headers):
    assert guard.refusal(headers, 8000)


def test_a_port_is_of_this_user_only_while_a_process_of_this_user_listens():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        url = 'http://127.0.0.1:%d/hub/' % sock.getsockname()[1]
        assert guard.is_of_another_user(url)
        sock.listen(1)
        assert not guard.is_of_another_user(url)
    assert not guard.is_of_another_user('http://192.0.2.1:1/hub/')  # a pod of a real cluster
