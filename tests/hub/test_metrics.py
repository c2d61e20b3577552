"""The metrics of a real hub, scraped while faults happen: each alert of the documentation fires in one, and only then.

Without `promtool` of Prometheus on the PATH, only the values are tested of which the alerts are made.
"""
import time

import jupyterhub
import pytest
import requests
from jupyterhub.app import JupyterHub

from tests import documentation
from tests.support import alerts
from tests.support.scripted_pods import SCRIPTED, ScriptedPods, answering

from .browser import until
from .conftest import Hub, directory_of_hub

pytestmark = pytest.mark.skipif(jupyterhub.version_info < (0, 9), reason='this JupyterHub has no metrics')

TOKEN = 'token-of-prometheus-in-the-tests'

CONFIG = """
c.KubeSpawner.port = {port}
c.KubeSpawner.k8s_api_request_retry_timeout = 10
c.PodReflector.give_up_seconds = {give_up_seconds}
c.Spawner.start_timeout = 15
c.Spawner.poll_interval = 600
"""

AUTHENTICATION = documentation.block('python', 'read:metrics').replace('the output of openssl rand -hex 32', TOKEN)
if jupyterhub.version_info < (2, 0):
    AUTHENTICATION = 'c.JupyterHub.authenticate_prometheus = False\n' * hasattr(JupyterHub, 'authenticate_prometheus')


@pytest.fixture(scope='module')
def port():
    with answering('127.0.0.1') as port:
        yield port


@pytest.fixture
def pods(core, namespace):
    """The pods of the module's namespace; none is left when the test has ended."""
    pods = ScriptedPods(core, namespace)
    yield pods
    pods.delete_all()
    until(lambda: not pods.pods(), 120, 'an empty namespace')


@pytest.fixture
def new_hub(kube, namespace, port, pods):
    """`new_hub(give_up_seconds)` returns a `Hub`, to be started by `with`."""
    with directory_of_hub() as directory:
        yield lambda give_up_seconds=300: Hub(directory, namespace, more=SCRIPTED + AUTHENTICATION + CONFIG.format(
            port=port, give_up_seconds=give_up_seconds))


def text_of(hub):
    response = requests.get(hub.url + '/hub/metrics', headers={'Authorization': 'token ' + TOKEN}, timeout=30)
    response.raise_for_status()
    return response.text


def scrape(hub):
    """Return what Prometheus would read of a hub now, see `alerts.samples`."""
    return alerts.samples(text_of(hub))


@pytest.fixture
def firing(tmpdir):
    """`firing(scrapes)` returns the names of the alerts that fire; None if there is no Prometheus to say so."""
    return lambda scrapes: alerts.firing(scrapes, str(tmpdir)) if alerts.PROMTOOL else None


def starts(scrape, outcome):
    return alerts.value(scrape, 'kubespawner_starts_total', outcome=outcome)


def start(hub, pods, user, conditions=()):
    """Start a server, whose pod has these conditions besides; return when it is counted."""
    before = starts(scrape(hub), 'success')
    user.begin()
    until(lambda: pods.pods(), 60, 'the pod')
    name, = pods.uids()
    if conditions:
        pods.core.patch_namespaced_pod_status(name=name, namespace=pods.namespace, _preload_content=False, body={
            'status': {'conditions': conditions}})
    pods.run()
    until(lambda: starts(scrape(hub), 'success') > before, 60, 'the start')


def stop(pods, user):
    user.stop()
    until(lambda: not pods.pods(), 60, 'the end of the pod')


def test_a_hub_without_faults_counts_what_it_does_names_nobody_and_nothing_fires(new_hub, pods, kube, firing):
    with new_hub() as hub:
        user, scrapes = hub.user('ann-with-a-name'), [scrape(hub)]
        for _ in range(2):
            start(hub, pods, user)
            stop(pods, user)
            scrapes.append(scrape(hub))
        text, last = text_of(hub), scrapes[-1]
        assert alerts.value(last, 'kubespawner_starts_total') == starts(last, 'success') == 2
        assert alerts.value(last, 'kubespawner_stops_total', outcome='success') == 2
        assert alerts.value(last, 'kubespawner_failures_total') == 0
        for step in ('created', 'running', 'answering'):
            assert alerts.value(last, 'kubespawner_start_step_duration_seconds_count', step=step) == 2
        assert alerts.value(last, 'kubespawner_api_request_duration_seconds_count', verb='create', kind='Pod',
                            code='201') == 2
        assert alerts.value(last, 'kubespawner_watch_lists_total', kind='Pod') == 1
        own = [line for line in text.splitlines() if line.startswith('kubespawner_')]
        assert own and not [line for line in own if 'ann' in line or pods.namespace in line]
        assert firing(scrapes) in (set(), None)


def test_a_watch_that_hears_nothing_fires_before_the_hub_exits_and_no_more_when_it_hears_again(
        new_hub, pods, kube, firing):
    def silence():
        return alerts.value(scrape(hub), 'kubespawner_watch_last_contact_seconds', kind='Pod')

    with new_hub(give_up_seconds=40) as hub:
        start(hub, pods, hub.user('ann'))
        scrapes = [scrape(hub)]
        assert alerts.value(scrapes[0], 'kubespawner_watch_give_up_seconds', kind='Pod') == 40
        assert alerts.value(scrapes[0], 'kubespawner_cached_objects', kind='Pod') == 1
        kube.drop(path='/pods', times=10 ** 6)
        kube.cut_watches()
        until(lambda: silence() > 21, 39, 'a long silence')
        scrapes.append(scrape(hub))
        assert alerts.value(scrapes[1], 'kubespawner_watch_restarts_total', kind='Pod', cause='error') > 1
        assert alerts.value(scrapes[1], 'kubespawner_api_request_duration_seconds_count', verb='watch', kind='Pod',
                            code='connection') > 1
        kube.clear_faults()
        name, = pods.uids()
        pods.core.patch_namespaced_pod(name=name, namespace=pods.namespace, _preload_content=False,
                                       body={'metadata': {'annotations': {'example.org/changed': 'yes'}}})
        until(lambda: silence() < 21, 60, 'the watch')
        assert firing(scrapes[:1]) in (set(), None)
        assert 'KubeSpawnerWatchSilent' in (firing(scrapes) or {'KubeSpawnerWatchSilent'})
        assert 'KubeSpawnerWatchSilent' not in (firing(scrapes + [scrape(hub)]) or set())


def test_requests_that_fail_fire_though_their_retries_succeed(new_hub, pods, kube, firing):
    with new_hub() as hub:
        user = hub.user('ann')
        start(hub, pods, user)
        stop(pods, user)
        scrapes = [scrape(hub)]
        for _ in range(2):
            kube.fail(method='POST', path='/pods$', status=503, times=3)
            start(hub, pods, user)
            stop(pods, user)
            scrapes.append(scrape(hub))
        for name in ('kubespawner_api_request_duration_seconds_count', 'kubespawner_api_request_retries_total'):
            assert alerts.value(scrapes[-1], name, verb='create', kind='Pod', code='503') == 6
        assert alerts.value(scrapes[-1], 'kubespawner_failures_total') == 0
        assert firing(scrapes) in ({'KubeSpawnerRequestsFail'}, None)


def test_starts_that_fail_fire_and_say_why(new_hub, pods, kube, firing):
    with new_hub() as hub:
        user = hub.user('ann')
        start(hub, pods, user)
        stop(pods, user)
        scrapes = [scrape(hub)]
        for number in (1, 2):
            kube.fail(method='POST', path='/pods$', status=403, reason='Forbidden', message='no %s for ann' % number)
            user.begin()
            until(lambda: starts(scrape(hub), 'failure') == number, 60, 'the failure')  # noqa: B023
            until(lambda: not user.servers(), 60, 'the end of the start')
            scrapes.append(scrape(hub))
        assert alerts.value(scrapes[-1], 'kubespawner_failures_total', verb='start', fault='cluster', cause='api',
                            reason='Forbidden') == 2
        assert alerts.value(scrapes[-1], 'kubespawner_starts_total', outcome='failure', cause='api') == 2
        assert firing(scrapes) in ({'KubeSpawnerStartsFail'}, None)


def test_a_pod_that_waits_long_for_a_node_fires(new_hub, pods, kube, firing):
    with new_hub() as hub:
        user, scrapes = hub.user('ann'), [scrape(hub)]
        for _ in range(2):
            late = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 100))
            start(hub, pods, user, [{'type': 'PodScheduled', 'status': 'True', 'lastTransitionTime': late},
                                    {'type': 'Ready', 'status': 'True', 'lastTransitionTime': late}])
            stop(pods, user)
            scrapes.append(scrape(hub))
        steps = 'kubespawner_start_step_duration_seconds_'
        assert alerts.value(scrapes[-1], steps + 'count', step='scheduled') == 2
        assert alerts.value(scrapes[-1], steps + 'bucket', step='scheduled', le='60.0') == 0
        assert alerts.value(scrapes[-1], steps + 'sum', step='running') == 0
        assert firing(scrapes) in ({'KubeSpawnerStartsSlow'}, None)


def test_a_pod_that_stays_when_it_is_deleted_fires(new_hub, pods, kube, core, namespace, firing):
    with new_hub() as hub:
        user = hub.user('ann')
        start(hub, pods, user)
        scrapes = [scrape(hub)]
        name, = pods.uids()
        core.patch_namespaced_pod(name=name, namespace=namespace, _preload_content=False,
                                  body={'metadata': {'finalizers': ['example.org/stays']}})
        user._send('DELETE', user.url + user._server_api(''))
        until(lambda: alerts.value(scrape(hub), 'kubespawner_stops_total', outcome='failure') == 1, 60, 'the failure')
        scrapes.append(scrape(hub))
        assert alerts.value(scrapes[-1], 'kubespawner_failures_total', verb='stop', cause='time') == 1
        assert firing(scrapes) in ({'KubeSpawnerStopsFail'}, None)


@pytest.mark.parametrize('ready', ['before', 'after'])
def test_a_start_that_the_end_of_its_hub_interrupts_is_counted_once_by_the_next_hub(new_hub, pods, ready):
    with new_hub() as hub:
        hub.user('ann').begin()
        until(lambda: pods.pods(), 60, 'the pod')
        until(lambda: alerts.value(scrape(hub), 'kubespawner_cached_objects', kind='Pod') == 1, 60, 'the watch')
        assert alerts.value(scrape(hub), 'kubespawner_starts_total') == 0
        hub.kill()
        if ready == 'before':
            pods.run()
        hub.launch()
        if ready == 'after':
            until(lambda: 'waiting for it' in hub.logged(), 60, 'the new hub to find the pod')
            pods.run()
        hub.wait()
        until(lambda: starts(scrape(hub), 'success') == 1, 60, 'the start')
        stop(pods, hub.user('ann'))
        assert alerts.value(scrape(hub), 'kubespawner_starts_total') == 1
