"""What users see in a real browser: Chromium, driven by playwright.

Without Chromium, or on a Python that playwright does not support, these tests are skipped.
`UPDATE_SCREENSHOTS=1` takes the screenshots of the documentation again.
"""
import json
import os
import shutil
import signal
import sys
import threading

import pytest
from kubernetes import client, config

from kubespawner.commands.demo.network import any_free_port
from tests.hub.conftest import hub, more, pytest_runtest_makereport  # noqa: F401 (fixtures and a hook)
from tests.running_demo import RunningDemo

SCREENSHOTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'screenshots')

# As root in a container, and without looking for anything outside this machine.
FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']

PHONE = {'viewport': {'width': 375, 'height': 667}, 'is_mobile': True, 'has_touch': True}

PATIENCE = 60000  # milliseconds for what a page is to show, on a busy machine


@pytest.fixture(scope='module')
def chromium():
    """A running Chromium. It ends with the module, because its driver has an event loop in this thread."""
    api = pytest.importorskip('playwright.sync_api')
    path = shutil.which('chromium') or shutil.which('google-chrome')
    if path is None:
        pytest.skip('there is no Chromium; Debian has it in the package chromium')
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """`visit(url, username, password='any', **context)` returns a page on which a user has logged in to a hub.

    context: what kind of browser it is, see playwright's `new_context`.
    """
    contexts = []

    def visit(url, username, password='any', **context):
        contexts.append(chromium.new_context(**context))
        contexts[-1].set_default_timeout(PATIENCE)
        page = contexts[-1].new_page()
        page.goto(url + '/hub/login')
        page.get_by_label('Username').fill(username)
        page.get_by_label('Password').fill(password)
        page.get_by_role('button', name='Sign in').click()
        page.wait_for_url(lambda url: '/login' not in url)
        return page

    yield visit
    for context in contexts:
        context.close()


def pods(core, namespace, username):
    """Return the pods of a user, a list of dicts."""
    response = core.list_namespaced_pod(namespace=namespace, _preload_content=False,
                                        label_selector='hub.jupyter.org/username=' + username)
    return json.loads(response.data.decode('utf8'))['items']


class Demo(RunningDemo):
    """A demo that runs. core (CoreV1Api): its cluster."""

    def __init__(self, command):
        super().__init__(command)
        self.core = client.CoreV1Api(config.new_client_from_config(config_file=self.kubeconfig))
        self.reader = threading.Thread(target=lambda: self.printed.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def pod(self, username):
        """Return the pod of a user as a dict, None if there is none."""
        found = pods(self.core, 'default', username)
        return found[0] if found else None


@pytest.fixture(scope='module')
def demo(chromium):
    """The demo as a newcomer starts it."""
    demo = Demo([sys.executable, '-m', 'kubespawner.demo', '--port', str(any_free_port())])
    try:
        yield demo
    finally:
        demo.process.send_signal(signal.SIGTERM)
        demo.process.wait(60)


@pytest.fixture
def screenshot():
    """`screenshot(page, name)` takes a screenshot for the documentation, if that is wanted."""
    def screenshot(page, name):
        if os.environ.get('UPDATE_SCREENSHOTS'):
            page.wait_for_timeout(1000)  # until nothing moves any more
            page.screenshot(path=os.path.join(SCREENSHOTS, name + '.png'))

    return screenshot
