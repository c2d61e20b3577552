"""The pages for a hub on this machine and for a hub beside a cluster: what they print is run as it stands there.

Different are only the ports, because others may use those that are printed, how long a server may take, because other
tests keep this machine busy, and what each test says.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager

import jupyterhub
import pytest

from kubespawner.commands.demo.network import any_free_port
from kubespawner.localkube import LocalKube
from tests import documentation

from .browser import Browser, until

pytest.importorskip('jupyterlab')
pytest.importorskip('websocket')
pytestmark = pytest.mark.skipif(jupyterhub.version_info < (5, 0), reason='the pages are for JupyterHub of today')

PROXY = """#!/bin/sh
exec %s -m kubespawner.commands.demo.proxy "$@"
""" % sys.executable
AROUND_README = """
load_subconfig('readme.py')
c.JupyterHub.authenticator_class = 'dummy'
c.Authenticator.allow_all = True
c.DummyAuthenticator.password = 'secret'
print('Log in with any username and the password secret', flush=True)
"""
PASSWORD = re.compile(r'Log in with any username and the password (\w+)')


def printed(page, language):
    """Return the code blocks of a page, without those that install something."""
    return [text for name, text in documentation.blocks(language) if name == page and ' install ' not in text]


@pytest.fixture
def running(monkeypatch):
    """`running(script, until_exists)` runs a shell script in the reader's directory until the test ends.

    running.directory (str): the reader's directory, which is also the home, with the virtual environment in .venv.
    """
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        os.symlink(sys.prefix, os.path.join(directory, '.venv'))
        monkeypatch.chdir(directory)
        monkeypatch.setenv('HOME', directory)
        monkeypatch.setenv('PYTHONPATH', os.path.abspath(documentation.ROOT))
        monkeypatch.delenv('XDG_RUNTIME_DIR', raising=False)

        def running(script, log):
            return stack.enter_context(process(script, os.path.join(directory, log)))

        running.directory = directory
        yield running


@contextmanager
def process(script, log):
    with open(log, 'w') as f, subprocess.Popen(['bash', '-e'], stdin=subprocess.PIPE, stdout=f, stderr=f,
                                               start_new_session=True) as bash:
        bash.stdin.write(script.encode('utf8'))
        bash.stdin.close()
        try:
            yield bash
        finally:
            os.killpg(bash.pid, signal.SIGTERM)
            print(contents(log)[-20000:])  # is shown if the test has failed


def contents(path):
    with open(path) as f:
        return f.read()


def use(running, script):
    """Start the hub with the printed script; assert that a user gets a notebook server, and 42 from its kernel."""
    port, hub_port, api_port = [any_free_port() for _ in range(3)]
    log = os.path.join(running.directory, 'hub.log')
    hub = running(script.rstrip() + ' --JupyterHub.bind_url=http://127.0.0.1:%d --JupyterHub.hub_port=%d '
                  '--ConfigurableHTTPProxy.api_url=http://127.0.0.1:%d '
                  '--KubeSpawner.start_timeout=300 --KubeSpawner.http_timeout=180\n'
                  % (port, hub_port, api_port), 'hub.log')
    user = Browser('http://127.0.0.1:%d' % port, 'ann')

    def answers():
        assert hub.poll() is None, contents(log)
        return user.session.get(user.url + '/hub/login', timeout=5).status_code == 200

    until(answers, 90, 'the hub')
    user.log_in(PASSWORD.search(contents(log)).group(1))
    user.start()
    assert user.run(user.new_kernel(), '6 * 7') == '42', contents(log)
    user.stop()


def test_a_hub_on_this_machine_runs_as_printed(running):
    localkube, hub = printed('on-this-machine.rst', 'bash')
    configuration, = printed('on-this-machine.rst', 'python')
    with open('jupyterhub_config.py', 'w') as f:
        f.write(configuration)
    running(localkube, 'localkube.log')
    until(lambda: os.path.exists('.localkube/config'), 60, 'localkube')
    use(running, hub)


def with_proxy(monkeypatch):
    """Put the demo's proxy where a hub looks for its own."""
    os.mkdir('bin')
    with open('bin/configurable-http-proxy', 'w') as f:
        f.write(PROXY)
    os.chmod('bin/configurable-http-proxy', 0o755)
    monkeypatch.setenv('PATH', os.path.abspath('bin') + os.pathsep + os.environ['PATH'])


def test_a_hub_beside_a_cluster_runs_as_printed(running, monkeypatch):
    """The cluster is a localkube, the proxy is the demo's, and servers may run as the user of the test."""
    hub, = printed('beside-a-cluster.rst', 'bash')
    configuration, = printed('beside-a-cluster.rst', 'python')
    with open('jupyterhub_config.py', 'w') as f:
        f.write(configuration.replace('192.0.2.10', '127.0.0.1'))
    with_proxy(monkeypatch)
    if os.geteuid() == 0:
        hub = hub.rstrip() + " --KubeSpawner.args=--allow-root --KubeSpawner.fs_gid=0"
    with LocalKube() as kube:
        monkeypatch.setenv('KUBECONFIG', kube.kubeconfig)
        create_namespace(kube, 'jupyterhub')
        use(running, hub)


def test_the_hub_of_the_readme_runs_as_printed(running, monkeypatch):
    """It is in no pod, but its Service exists. Who may log in, and the proxy, are the test's."""
    with open('readme.py', 'w') as f:
        f.write(printed('README.rst', 'python')[0])
    with open('jupyterhub_config.py', 'w') as f:
        f.write(AROUND_README)
    with_proxy(monkeypatch)
    script = '.venv/bin/jupyterhub' + (' --KubeSpawner.args=--allow-root' if os.geteuid() == 0 else '')
    with LocalKube() as kube:
        monkeypatch.setenv('KUBECONFIG', kube.kubeconfig)
        core_of(kube).create_namespaced_service(namespace='default', _preload_content=False, body={
            'metadata': {'name': 'hub'}, 'spec': {'ports': [{'port': 8081}]}})
        use(running, script)


def create_namespace(kube, name):
    core_of(kube).create_namespace({'metadata': {'name': name}}, _preload_content=False)


def core_of(kube):
    from kubernetes import client, config
    return client.CoreV1Api(config.new_client_from_config(config_file=kube.kubeconfig))
