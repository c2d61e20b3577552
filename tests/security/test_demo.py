"""The demo gives nothing to whoever has neither its link nor its password: other users, and pages of other sites."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
from urllib.parse import urlparse

import pytest
import requests
import yaml

from kubespawner.commands.demo.network import any_free_port
from kubespawner.localkube import LocalKube, directories
from tests.hub.browser import Browser
from tests.running_demo import RunningDemo

pytest.importorskip('jupyterlab')
websocket = pytest.importorskip('websocket')

NOBODY = 65534


@pytest.fixture(scope='module')
def demo():
    """A demo in which ann has a server and a kernel. `code` is what her kernel can run; `ann` is her browser."""
    demo = RunningDemo([sys.executable, '-m', 'kubespawner.demo', '--port', str(any_free_port())])
    try:
        demo.ann = Browser(demo.url, 'ann')
        demo.ann.session.get(demo.link('ann'), timeout=60).raise_for_status()
        demo.ann.begin(profile='plain')
        demo.ann.wait_for()
        demo.kernel = demo.ann.new_kernel()
        assert demo.ann.run(demo.kernel, '6 * 7') == '42'
        yield demo
    finally:
        demo.process.send_signal(signal.SIGINT)
        demo.process.communicate(timeout=60)


@pytest.fixture
def stranger(demo):
    """A browser that has not logged in."""
    return Browser(demo.url, 'ann')


def is_in(browser):
    """Return whether the hub takes the browser for a user."""
    return browser.session.get(browser.url + '/hub/home', allow_redirects=False, timeout=60).status_code == 200


# The link and the password

def test_the_link_leads_to_the_hub_and_its_token_does_not_linger(demo, stranger):
    response = stranger.session.get(demo.link('bob'), timeout=60, allow_redirects=False)
    assert response.status_code == 302 and demo.token not in response.headers['Location']
    assert response.headers['Referrer-Policy'] == 'no-referrer' and response.headers['Cache-Control'] == 'no-store'
    assert is_in(stranger)


def test_a_link_with_another_name_makes_one_another_user(demo, stranger):
    for name in ('bob', 'eve'):
        stranger.session.get(demo.link(name), timeout=60).raise_for_status()
        assert name in stranger.session.get(demo.url + '/hub/home', timeout=60).text


def test_the_password_lets_any_name_in(demo):
    assert is_in(Browser(demo.url, 'carol').log_in(demo.password))


@pytest.mark.parametrize('password', ['', 'any', 'ann', '\ud800', '\xe4', 'x' * 10000])
def test_another_password_lets_nobody_in(stranger, password):
    response = stranger.send_login(password.encode('utf8', 'surrogatepass'))
    assert response.status_code < 500 and not is_in(stranger)


@pytest.mark.parametrize('query', ['', '?token=', '?token=any', '?token=%C3%A4', '?password=', '?token=a&token=b'])
def test_another_token_lets_nobody_in(demo, stranger, query):
    response = stranger.session.get(demo.url + '/hub/login/ann' + query, timeout=60)
    assert response.status_code == 403 and 'not the link that the demo has printed' in response.text
    assert not is_in(stranger)


def test_secrets_are_long_and_differ_from_each_other(demo):
    assert len(demo.token) >= 128 // 4 and len(demo.password.replace('-', '')) >= 64 // 5
    assert demo.token != demo.password


def test_the_log_of_the_hub_does_not_have_the_token(demo):
    log = os.path.join(os.path.dirname(directory(demo, 'jupyterhub_config.py')), 'hub.log')
    with open(log) as f:
        text = f.read()
    assert '/hub/login/ann' in text and demo.token not in text and demo.password not in text


# What there is besides the form

@pytest.mark.parametrize('path', [
    '/hub/home', '/hub/spawn', '/hub/token', '/hub/admin', '/hub/api/users', '/hub/api/users/ann', '/hub/api/user',
    '/hub/api/proxy', '/hub/api/info', '/hub/api/services', '/user/ann/', '/user/ann/lab', '/user/ann/api/contents',
    '/user/ann/api/kernels', '/user/ann/api/terminals', '/user/ann/terminals/websocket/1',
])
@pytest.mark.parametrize('headers', [{}, {'Authorization': 'token any'}], ids=['without a token', 'with another'])
def test_a_stranger_sees_no_more_than_the_form(demo, path, headers):
    response = requests.get(demo.url + path, headers=headers, timeout=60)
    assert response.status_code in (401, 403, 404) or urlparse(response.url).path == '/hub/login'


def test_a_stranger_opens_no_channel_to_a_kernel(demo):
    assert refused(demo, 'api/kernels/%s/channels' % demo.kernel, origin=demo.url)


def test_a_stranger_does_not_get_at_the_proxy_or_the_cluster(demo):
    with open(directory(demo, 'jupyterhub_config.py')) as f:
        api = re.search(r"api_url = '(.*)'", f.read()).group(1)
    with open(demo.kubeconfig) as f:
        cluster = yaml.safe_load(f)['clusters'][0]['cluster']['server']
    for headers in ({}, {'Authorization': 'token any'}, {'Authorization': 'Bearer any'}):
        assert requests.get(api + '/api/routes', headers=headers, timeout=60).status_code == 403
        for path in ('/healthz', '/api/v1/pods', '/api/v1/secrets', '/localkube/requests'):
            response = requests.get(cluster + path, headers=headers, timeout=60, verify=False)
            assert response.status_code in (401, 405), path


def directory(demo, name):
    """Return the path of a file that the demo says that it has written."""
    return next(line.split()[-1] for line in demo.printed if line.rstrip().endswith(name))


# Other sites

@pytest.mark.parametrize('path', ['/hub/login', '/hub/api', '/user/ann/api', '/hub/static/favicon.ico'])
@pytest.mark.parametrize('host', ['example.org', 'example.org:%d', '127.0.0.1', '127.0.0.1:1', 'localhost.:%d', '',
                                  '127.0.0.1.example.org:%d', '127.0.0.1:%d.example.org', '0.0.0.0:%d', '127.1:%d'])
def test_a_request_to_another_host_is_refused(demo, path, host):
    host = host.replace('%d', str(urlparse(demo.url).port))
    response = demo.ann.session.get(demo.url + path, headers={'Host': host}, timeout=60)
    assert response.status_code == 403 and 'The demo answers at ' + demo.url in response.text


def test_localhost_is_another_name_of_the_demo(demo):
    url = demo.url.replace('127.0.0.1', 'LocalHost')
    assert requests.get(demo.url + '/hub/login', headers={'Host': url[len('http://'):]}, timeout=60).status_code == 200


@pytest.mark.parametrize('origin', ['http://example.org', 'null', 'https://127.0.0.1:%d', 'http://127.0.0.1:1',
                                    'http://127.0.0.1', 'http://localhost:%d.example.org', 'file://'])
def test_a_request_from_another_site_is_refused_though_the_user_is_logged_in(demo, origin):
    origin = origin.replace('%d', str(urlparse(demo.url).port))
    for path in ('/hub/home', '/user/ann/api/kernels'):
        response = demo.ann.session.get(demo.url + path, headers={'Origin': origin}, timeout=60)
        assert response.status_code == 403 and 'pages of other sites' in response.text
    cookie = requests.Request('GET', demo.ann.server_url() + 'api', cookies=demo.ann.session.cookies)
    cookie = demo.ann.session.prepare_request(cookie).headers['Cookie']
    assert refused(demo, 'api/kernels/%s/channels' % demo.kernel, origin=origin, cookie=cookie)
    assert not refused(demo, 'api/kernels/%s/channels' % demo.kernel, origin=demo.url, cookie=cookie)


def refused(demo, path, **arguments):
    """Return whether a websocket at ann's server is not opened."""
    try:
        url = demo.ann.server_url().replace('http', 'ws', 1) + path
        websocket.create_connection(url, timeout=60, **arguments).close()
    except websocket.WebSocketBadStatusException:
        return True
    return False


# Other users of the machine

AS_NOBODY = r"""
import glob, http.client, json, os, socket, ssl, sys
uid, paths, ports = json.loads(sys.argv[1])
os.setgroups([]); os.setgid(uid); os.setuid(uid)
found = {'read': [], 'commands': [], 'answers': []}
for path in paths:
    try:
        found['read'].append([path, os.listdir(path) if os.path.isdir(path) else open(path).read()])
    except OSError:
        pass
for name in ('cmdline', 'environ'):
    for path in glob.glob('/proc/[0-9]*/' + name):
        try:
            found['commands'].append(open(path, errors='replace').read())
        except OSError:
            pass
for host, port in ports:
    for kind in (http.client.HTTPConnection, http.client.HTTPSConnection):
        more = {'context': ssl._create_unverified_context()} if kind is http.client.HTTPSConnection else {}
        try:
            connection = kind(host, port, timeout=10, **more)
            for path in ('/', '/api/v1/secrets', '/api/routes', '/hub/api/users', '/user/ann/api/kernels',
                         '/user/ann/api/contents', '/user/ann/api/terminals'):
                connection.request('GET', path)
                response = connection.getresponse()
                response.read()
                found['answers'].append([port, path, response.status, response.getheader('Location')])
            break
        except (OSError, http.client.HTTPException):
            pass
print(json.dumps(found))
"""


@pytest.fixture(scope='module')
def seen_by_another_user(demo):
    """What a process of another user finds out: read, commands, answers. It is told where everything is."""
    if os.geteuid() != 0:
        pytest.skip('only root can become another user')
    where = [os.path.dirname(demo.kubeconfig), os.path.dirname(directory(demo, 'jupyterhub_config.py'))]
    where += [variable.partition('=')[2] for variable in environments(demo)
              if variable.startswith('JUPYTER_RUNTIME_DIR=')]
    assert len(where) > 2
    paths = [path for top in where for folder, _, files in os.walk(top)
             for path in [folder] + [os.path.join(folder, name) for name in files] if not is_socket(path)]
    script = json.dumps([NOBODY, paths, listening(demo.process.pid)])
    python = os.path.realpath(sys.executable)
    done = subprocess.run(['/usr/bin/python3' if os.path.exists('/usr/bin/python3') else python, '-c', AS_NOBODY,
                           script], stdout=subprocess.PIPE, universal_newlines=True, timeout=120, cwd='/')
    assert done.returncode == 0
    return json.loads(done.stdout)


def is_socket(path):
    return not os.path.isfile(path) and not os.path.isdir(path)


def read(path):
    try:
        with open(path, 'rb') as f:
            return f.read()
    except OSError:
        return b''


def environments(demo):
    """Return the variables of all processes of a demo, as NAME=value."""
    return [variable for pid in children(demo.process.pid)
            for variable in read('/proc/%d/environ' % pid).decode('utf8', 'replace').split('\0')]


def children(pid):
    """Return the pids of a process and of everything below it."""
    parents = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        fields = read('/proc/%s/stat' % name).rpartition(b')')[2].split()
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def listening(pid):
    """Return [(address, port)] of all TCP ports at which a process or something below it listens."""
    inodes = set()
    for each in children(pid):
        for descriptor in os.listdir('/proc/%d/fd' % each):
            try:
                inodes.add(os.readlink('/proc/%d/fd/%s' % (each, descriptor))[len('socket:['):-1])
            except OSError:
                pass
    with open('/proc/net/tcp') as f:
        fields = [line.split() for line in f]
    found = [each[1].split(':') for each in fields if each[3] == '0A' and each[9] in inodes]
    return [(socket.inet_ntoa(int(address, 16).to_bytes(4, sys.byteorder)), int(port, 16)) for address, port in found]


def test_another_user_reads_no_file_of_the_demo(seen_by_another_user):
    assert seen_by_another_user['read'] == []


def test_another_user_sees_no_secret_in_the_list_of_processes(demo, seen_by_another_user):
    with open(demo.kubeconfig) as f:
        secrets = [demo.token, demo.password, yaml.safe_load(f)['users'][0]['user']['token']]
    secrets += [variable.partition('=')[2] for variable in environments(demo)
                if re.match('(CONFIGPROXY_AUTH|JUPYTERHUB_API|JPY_API|KUBESPAWNER_DEMO)_', variable)]
    assert len(set(secrets)) >= 5
    seen = '\n'.join(seen_by_another_user['commands'])
    assert 'kubespawner.demo' in seen
    assert not [secret for secret in secrets if secret in seen]


def test_another_user_gets_nothing_at_any_port(demo, seen_by_another_user):
    ports = {port for _, port in listening(demo.process.pid)}
    answers = seen_by_another_user['answers']
    assert len(ports & {port for port, _, _, _ in answers}) == 5  # proxy, its API, hub, localkube, ann's server
    for port, path, status, location in answers:
        assert status in (400, 401, 403, 404) or (location or '').startswith(('/hub/', '/user/ann/')), (port, path)


def test_kernels_do_not_publish_at_ports(demo):
    """What a kernel shows could be read there by everybody: it has a Unix socket instead."""
    for address, port in listening(demo.process.pid):
        with socket.create_connection((address, port), timeout=10) as sock:
            sock.settimeout(1)
            sock.sendall(b'\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL' + b'\0' * 48)
            try:
                greeting = sock.recv(64)
            except OSError:
                continue
            if greeting.startswith(b'\xff'):  # ZeroMQ: one port remains, at which the kernel only listens to itself
                sock.sendall(b'\4\x19\5READY\x0bSocket-Type\0\0\0\3SUB')
                assert b'PUB' not in sock.recv(200)


LISTENING_AS_NOBODY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sock = socket.socket()
sock.bind(('127.0.0.1', 0))
sock.listen(1)
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_the_proxy_sends_nothing_to_a_port_that_another_user_took_first():
    from kubespawner.commands.demo.guard import is_of_another_user
    if os.geteuid() != 0:
        pytest.skip('only root can become another user')
    with subprocess.Popen(['/usr/bin/env', 'python3', '-c', LISTENING_AS_NOBODY], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as squatter, socket.socket() as mine:
        port = int(squatter.stdout.readline())
        mine.bind(('127.0.0.1', 0))
        assert is_of_another_user('http://127.0.0.1:%d/hub/' % mine.getsockname()[1])  # nobody answers there
        mine.listen(1)
        assert not is_of_another_user('http://127.0.0.1:%d/hub/' % mine.getsockname()[1])
        assert is_of_another_user('http://127.0.0.1:%d/hub/' % port)
        assert not is_of_another_user('http://192.0.2.1:%d/hub/' % port)  # a pod of a real cluster
        squatter.stdin.close()


# Directories and files

@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.delenv('XDG_RUNTIME_DIR', raising=False)
    return tmp_path


def test_a_runtime_directory_of_ones_own_is_used(home, monkeypatch):
    runtime = home / 'runtime'
    runtime.mkdir(0o700)
    monkeypatch.setenv('XDG_RUNTIME_DIR', str(runtime))
    assert directories.private() == str(runtime)


def test_a_runtime_directory_that_others_can_enter_is_not_used(home, monkeypatch):
    runtime = home / 'runtime'
    runtime.mkdir()
    for mode in (0o755, 0o710, 0o701, 0o777):
        runtime.chmod(mode)
        monkeypatch.setenv('XDG_RUNTIME_DIR', str(runtime))
        assert directories.private() == str(home / '.cache' / 'kubespawner')


def test_a_link_or_an_open_directory_in_the_place_of_ones_own_is_refused(home):
    cache = home / '.cache'
    cache.mkdir()
    (cache / 'kubespawner').symlink_to(home)
    with pytest.raises(PermissionError, match='not a link'):
        directories.private()
    (cache / 'kubespawner').unlink()
    (cache / 'kubespawner').mkdir()
    (cache / 'kubespawner').chmod(0o755)
    with pytest.raises(PermissionError, match='mode 700'):
        directories.private()


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can give directories away')
def test_a_directory_of_another_user_is_refused(home):
    private = directories.private()
    os.chown(private, NOBODY, NOBODY)
    with pytest.raises(PermissionError):
        directories.private()
    with pytest.raises(PermissionError, match='belongs to another user'):
        directories.make_private(private)


def test_what_a_killed_process_left_goes_and_what_looks_like_it_stays(home):
    code = 'import os; from kubespawner.localkube import directories; print(directories.temporary("x")); os._exit(0)'
    left = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()
    elsewhere = left.replace(left.split('-')[-3], '00000000')  # of another machine with the same home
    os.mkdir(elsewhere)
    dangling = left[:-len(left.split('-')[-1])] + 'link'
    os.symlink('/nowhere', dangling)
    mine = directories.temporary('x')
    assert not os.path.exists(left) and os.path.isdir(elsewhere) and os.stat(mine).st_mode & 0o777 == 0o700


def test_a_localkube_keeps_its_data_from_others_in_a_directory_that_was_open(tmp_path):
    data = tmp_path / 'data'
    data.mkdir()
    data.chmod(0o755)
    with LocalKube(kubeconfig=str(tmp_path / 'kubeconfig'), data=str(data), kubelet=False) as kube:
        assert os.stat(str(data)).st_mode & 0o777 == 0o700
        assert os.stat(str(data / 'lock')).st_mode & 0o777 == 0o600
        assert os.stat(kube.kubeconfig).st_mode & 0o777 == 0o600
        assert len(kube.token) >= 128 // 4


def test_a_localkube_writes_no_kubeconfig_where_others_could_put_theirs(tmp_path):
    tmp_path.chmod(0o1777)
    with pytest.raises(PermissionError, match='other users can write'):
        LocalKube(kubeconfig=str(tmp_path / 'kubeconfig'), kubelet=False).start()


def test_the_token_of_a_localkube_is_not_on_its_command_line():
    with LocalKube(child=True, token='of-this-test', kubelet=False) as kube:
        assert kube.token == 'of-this-test'
        assert b'of-this-test' not in read('/proc/%d/cmdline' % kube.pid)
