"""Fixtures of the contract cases."""
import time

import pytest

from .helpers import NODE, PATIENCE, Http, binding, created, names, ok, pod, unique


@pytest.fixture(scope='session')
def http(cluster, tmp_path_factory):
    """Raw calls to the cluster under test, an `Http`."""
    return Http(cluster.kubeconfig, str(tmp_path_factory.mktemp('contract')))


@pytest.fixture(scope='session')
def release(http):
    """The release of the server as a tuple, such as (1, 36). releases.py says what differs between releases."""
    version = ok(http.get('/version'))
    return int(version['major']), int(version['minor'].rstrip('+'))


@pytest.fixture(scope='module')
def namespace(namespace, http):
    """The module's namespace, from when it takes pods until its last pod is gone.

    A real cluster refuses pods until the namespace has its service account. And no kubelet ends a pod that is on a
    made-up node, so that the namespace would never go.
    """
    ready_namespace(http, namespace)
    yield namespace
    empty_namespace(http, namespace)


def ready_namespace(http, namespace):
    """Return when a new namespace takes pods, and has what the cluster's controllers give to each."""
    deadline = time.monotonic() + 3 * PATIENCE
    while True:
        answer = http.post('/api/v1/namespaces/%s/pods' % namespace, pod('probe'), dryRun='All')
        if answer.code == 201 and given(http, 'default') <= given(http, namespace):
            return
        assert time.monotonic() < deadline, 'the namespace is not ready: %s' % (answer,)
        time.sleep(0.1)


def given(http, namespace):
    """What a namespace has of the things that controllers give to each, depending on the release. A set."""
    path = '/api/v1/namespaces/%s/' % namespace
    certificates = {'kube-root-ca.crt'}.intersection(names(http.get(path + 'configmaps').body))
    account = http.get(path + 'serviceaccounts/default').body
    return certificates | ({'a token'} if account.get('secrets') else set())


def empty_namespace(http, namespace):
    pods = '/api/v1/namespaces/%s/pods' % namespace
    for name in names(http.get(pods).body):
        force(http, pods + '/' + name)


def force(http, pod):
    """Have the pod of this path go now, whatever holds it."""
    http.patch(pod, {'metadata': {'finalizers': None}})
    http.delete(pod, gracePeriodSeconds=0)


@pytest.fixture
def other_namespace(http):
    """The name of a second namespace, for one case, ready for pods."""
    name = unique('kubespawner-test')
    created(http.post('/api/v1/namespaces', {'metadata': {'name': name}}))
    ready_namespace(http, name)
    yield name
    empty_namespace(http, name)
    http.delete('/api/v1/namespaces/' + name)


@pytest.fixture
def url(namespace):
    """A function: url('pods', 'x', 'status') is the path of pod x's status in the module's namespace."""
    def path(*parts):
        return '/'.join(('/api/v1/namespaces', namespace) + parts)
    return path


@pytest.fixture
def name():
    """A name that no other case uses."""
    return unique()


@pytest.fixture
def pods(url):
    """The path of the module's pods."""
    return url('pods')


@pytest.fixture
def bound(http, url):
    """A function that creates a pod and binds it to a node on which no kubelet runs; it returns the pod.

    In the end the pods go: a cluster collects pods whose node does not exist, and a later case would see that.
    """
    made = []

    def create(name, **fields):
        created(http.post(url('pods'), pod(name, **fields)))
        made.append(url('pods', name))
        created(http.post(url('pods', name, 'binding'), binding(name)))
        answer = http.get(url('pods', name)).body
        assert answer['spec']['nodeName'] == NODE
        return answer
    yield create
    for path in made:
        force(http, path)


@pytest.fixture
def forget(cluster):
    """A function that has the server forget its history. Where that `works` not, calling it does nothing."""
    def expire():
        if expire.works:
            cluster.kube.expire_history()
    expire.works = cluster.kube is not None
    return expire
