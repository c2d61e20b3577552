"""The watch is cut, silent, garbled: the cache is what the server has soon after, never older, and without a list."""
import json
import os

import pytest
import yaml
from tornado import gen

from kubespawner.kube import clients
from kubespawner.kube.reflector import version_of
from tests.support.waits import until_on_loop

from .conftest import LABELS, RECOVERY, until_right, until_watching, versions

LONG = 40000  # bytes of an annotation: more than one record of TLS


def use_up(pods):
    """Do what is done to pods in a life: create, change, delete."""
    names = set(pods.all())
    pods.create('later' if 'later' not in names else 'last')
    for name in names:
        pods.change(name)
        pods.delete(name)


# Cut

@pytest.mark.gen_test
def test_a_watch_that_is_cut_after_each_event_misses_none(reflector, proxy, asked, pods):
    yield until_watching(reflector, asked, pods)
    for change in [lambda: pods.create('a'), lambda: pods.change('a'), lambda: pods.delete('a')] * 3:
        change()
        yield until_right(reflector, pods)
        proxy.cut()
    assert asked.count('list') == 1


@pytest.mark.gen_test
def test_a_watch_that_is_reset_misses_nothing(reflector, proxy, asked, pods):
    yield until_watching(reflector, asked, pods)
    proxy.reset()
    use_up(pods)
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


@pytest.mark.gen_test
def test_an_event_that_is_cut_in_its_middle_comes_again(reflector, proxy, asked, pods):
    yield until_watching(reflector, asked, pods)
    proxy.cut(after=LONG // 2)
    pods.create('long', annotation='x' * LONG)
    yield until_right(reflector, pods)
    assert asked.count('list') == 1
    assert asked.count('watch') >= 2


@pytest.mark.gen_test
def test_a_list_that_is_cut_in_its_middle_is_asked_for_again(reflector, proxy, asked, pods):
    for name in 'abcd':
        pods.create(name, annotation='x' * LONG)
    proxy.cut(after=3 * LONG)
    reflector.start()
    yield until_right(reflector, pods)
    assert asked.count('list') == 2


@pytest.mark.gen_test
def test_after_an_outage_the_cache_is_right_at_once_and_without_a_list(reflector, proxy, asked, pods):
    yield until_watching(reflector, asked, pods)
    proxy.refuse()
    use_up(pods)
    yield until_on_loop(lambda: len(asked) >= 6)  # the pauses have grown
    tries = len(asked)
    yield gen.sleep(2)
    assert len(asked) - tries < 20
    proxy.resume()
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


@pytest.mark.gen_test
def test_a_connection_that_is_half_open_is_noticed_within_the_idle_time_out(
        reflector, proxy, asked, pods, monkeypatch):
    monkeypatch.setattr('kubespawner.kube.reflector.IDLE_TIMEOUT', 1)
    yield until_watching(reflector, asked, pods, lists=None)  # on a busy machine, it may have watched twice by then
    proxy.stall()
    use_up(pods)
    watches = asked.count('watch')
    yield until_on_loop(lambda: asked.count('watch') > watches, RECOVERY + 1)
    proxy.resume()
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


# Garbled: what only localkube can be told to send

def line(kind, pod):
    return json.dumps({'type': kind, 'object': pod}) + '\n'


def pod(name='strange', uid='u', version='3', **metadata):
    return {'kind': 'Pod', 'metadata': dict(metadata, name=name, uid=uid, resourceVersion=version, labels=LABELS)}


STATUS = {'kind': 'Status', 'status': 'Failure', 'message': 'says the server'}
BOOKMARK = line('BOOKMARK', {'kind': 'Pod', 'metadata': {'resourceVersion': '3', 'creationTimestamp': None}})

# name: (what the watch begins with, whether it ends then, how many lists that takes, what a warning says)
INSERTED = {
    'half a line': ('{"type":"ADDED","object":{"metada', True, 0, None),
    'nothing': ('', True, 0, None),
    'empty lines': ('\n\n \r\n', True, 0, None),
    'bookmarks only': (BOOKMARK * 3, True, 0, None),
    'an unknown type': (line('RENAMED\x1b', pod()) * 3, False, 0, r'RENAMED\x1b'),
    'garbage': ('<html>502 Bad Gateway</html>\n', False, 1, 'Bad Gateway'),
    'no UTF-8': ('\udcff\udcfe\n', False, 1, r'\xff'),
    'nesting without an end': ('[' * 100000 + '\n', False, 1, 'Garbled'),
    'no object': ('[1]\n', False, 1, '[1]'),
    'no type': ('{"object":{}}\n', False, 1, "{'object': {}}"),
    'an object that is none': (line('ADDED', None), False, 1, 'None'),
    'an object without metadata': (line('MODIFIED', {'kind': 'Pod'}), False, 1, "{'kind': 'Pod'}"),
    'a name that is none': (line('ADDED', pod(name=None)), False, 1, 'None'),
    'a uid that is none': (line('ADDED', pod(uid=['u'])), False, 1, "['u']"),
    'a version that is none': (line('ADDED', pod(version='x')), False, 1, "'x'"),
    'a version without end': (line('BOOKMARK', pod(version=float('inf'))), False, 0, None),
    'a line without end': ('x' * 2 * LONG, False, 1, 'a line is longer than'),
    'an error 410': (line('ERROR', dict(STATUS, code=410)), True, 1, None),
    'an error 500': (line('ERROR', dict(STATUS, code=500)), True, 1, 'says the server'),
    'an error that is none': ('{"type":"ERROR","object":7}\n', True, 1, '7'),
}


@pytest.mark.parametrize('name', sorted(INSERTED))
@pytest.mark.gen_test
def test_whatever_a_watch_says_the_cache_is_right_soon_after(
        kube, reflector, asked, pods, caplog, monkeypatch, name):
    monkeypatch.setattr('kubespawner.kube.jsonstream.LONGEST_LINE', LONG)
    text, end, lists, warning = INSERTED[name]
    yield until_watching(reflector, asked, pods)
    kube.insert_into_watches(text, path=reflector.namespace, end=end)
    kube.cut_watches()
    use_up(pods)
    yield until_right(reflector, pods)
    if end:
        yield until_on_loop(lambda: len(asked) >= 4)  # the next watch has begun
    use_up(pods)
    yield until_right(reflector, pods)
    assert asked.count('list') == 1 + lists
    assert not [record for record in caplog.records if record.exc_info]
    if warning:
        assert len([record for record in caplog.records if warning in record.getMessage()]) == 1


@pytest.mark.gen_test
def test_a_watch_that_ends_at_once_again_and_again_misses_nothing(kube, reflector, asked, pods):
    yield until_watching(reflector, asked, pods)
    kube.insert_into_watches('', path=reflector.namespace, times=6, end=True)
    kube.cut_watches()
    use_up(pods)
    yield until_on_loop(lambda: len(asked) >= 8)
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


@pytest.mark.gen_test
def test_watches_that_tell_of_nothing_are_settled_by_a_list_before_the_reflector_gives_up(
        kube, reflector, asked, pods):
    reflector.give_up_seconds = 10
    yield until_watching(reflector, asked, pods)
    kube.insert_into_watches('', path=reflector.namespace, times=1000, end=True)
    kube.cut_watches()
    use_up(pods)
    yield until_right(reflector, pods)
    assert asked.count('list') == 2
    assert not reflector.failed


@pytest.mark.gen_test
def test_a_server_whose_lists_take_long_gets_few_of_them_when_its_watches_fail(
        kube, reflector, asked, pods, monkeypatch):
    seconds = 0.2  # that a list takes
    monkeypatch.setattr('kubespawner.kube.reflector.LONGEST_PAUSE', 0.2)
    monkeypatch.setattr('random.uniform', lambda low, high: high)
    kube.delay(method='GET', path=r'^(?!.*watch=).*/%s/pods\?' % reflector.namespace, seconds=seconds, times=1000)
    kube.fail(method='GET', path='/%s/pods.*watch=' % reflector.namespace, status=500, times=1000)
    reflector.start()
    yield until_on_loop(lambda: asked.count('list') == 4)
    third, fourth = [moment for verb, moment in zip(asked, asked.times) if verb == 'list'][2:]
    assert fourth - third > 0.8


@pytest.mark.gen_test
def test_a_server_that_asks_for_time_gets_it(kube, reflector, asked, pods):
    yield until_watching(reflector, asked, pods)
    kube.fail(method='GET', path='/%s/pods.*watch=' % reflector.namespace, status=429, headers={'Retry-After': '2'})
    kube.cut_watches()
    yield until_on_loop(lambda: len(asked) == 4)
    assert asked.times[3] - asked.times[2] >= 2  # from the refused watch to the next
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


@pytest.mark.parametrize('header', ['nan', 'inf', '-1', 'soon'])
@pytest.mark.gen_test
def test_a_watch_is_tried_with_our_own_pauses_when_the_server_asks_for_one_that_is_none(
        kube, reflector, asked, pods, header):
    yield until_watching(reflector, asked, pods)
    kube.fail(method='GET', path='/%s/pods.*watch=' % reflector.namespace, status=429, times=3,
              headers={'Retry-After': header})
    kube.cut_watches()
    yield until_on_loop(lambda: len(asked) == 6)
    pods.create('second')
    yield until_right(reflector, pods)
    assert len(asked) == 6


# Stale

@gen.coroutine
def told(kube, reflector, text):
    """Have a watch say `text`, and keep all else back; return when the reflector has heard it."""
    kube.stall_watches()
    newest = max([version for _, version in versions(reflector.resources).values()])
    marker = pod(name='marker', uid='marker', version=str(newest + 1000))
    kube.insert_into_watches(text + line('ADDED', marker), path=reflector.namespace)
    kube.cut_watches()
    yield until_on_loop(lambda: 'marker' in reflector.resources)
    del reflector.resources['marker']


@pytest.mark.gen_test
def test_events_that_come_in_another_order_end_with_what_the_server_has(kube, reflector, asked, pods):
    yield until_watching(reflector, asked, pods)
    pods.create('changed')
    pods.create('deleted')
    yield until_right(reflector, pods)
    kube.stall_watches()
    changed, deleted = [], []
    for _ in range(2):
        pods.change('changed')
        pods.change('deleted')
        changed.append(pods.all()['changed'])
        deleted.append(pods.all()['deleted'])
    pods.delete('deleted')
    pods.create('made')
    made = pods.all()['made']
    gone = dict(deleted[1], metadata=dict(
        deleted[1]['metadata'], resourceVersion=str(version_of(made) - 1)))
    yield told(kube, reflector, ''.join([
        line('ADDED', made), line('DELETED', gone), line('DELETED', gone), line('MODIFIED', changed[1]),
        line('MODIFIED', deleted[1]), line('MODIFIED', changed[0]), line('MODIFIED', deleted[0]), line('ADDED', made)]))
    assert versions(reflector.resources) == versions(pods.all())
    kube.resume_watches()
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


@pytest.mark.gen_test
def test_what_was_before_the_list_is_not_believed_after_it(kube, reflector, asked, pods):
    pods.create('old')
    old = pods.all()['old']
    pods.delete('old')
    yield until_watching(reflector, asked, pods)
    yield told(kube, reflector, line('ADDED', old) + line('MODIFIED', old))
    assert set(reflector.resources) == {'first'}


@pytest.mark.gen_test
def test_what_a_direct_request_found_gone_does_not_come_back(kube, reflector, asked, pods):
    yield until_watching(reflector, asked, pods)
    kube.stall_watches()
    pods.change('first')
    late = pods.all()['first']
    pods.delete('first')
    pods.create('marker')
    reflector.forget(reflector.get('first'))
    assert reflector.get('first') is None
    reflector.upsert(late)
    assert reflector.get('first') is None
    kube.insert_into_watches(line('MODIFIED', late) + line('ADDED', pods.all()['marker']), path=reflector.namespace)
    kube.cut_watches()
    yield until_on_loop(lambda: 'marker' in reflector.resources)
    assert set(reflector.resources) == {'marker'}
    kube.resume_watches()
    pods.create('first')
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


@pytest.mark.gen_test
def test_what_was_thought_to_be_gone_by_mistake_comes_back_with_a_list(kube, reflector, asked, pods):
    yield until_watching(reflector, asked, pods)
    reflector.forget(reflector.get('first'))
    kube.insert_into_watches('garbage\n', path=reflector.namespace)
    kube.cut_watches()
    yield until_right(reflector, pods)
    assert asked.count('list') == 2


@pytest.mark.gen_test
def test_a_pod_that_gets_its_labels_back_comes_back(reflector, asked, pods, core, namespace):
    yield until_watching(reflector, asked, pods)
    for component, expected in [('other', []), ('singleuser-server', ['first'])] * 2:
        core.patch_namespaced_pod(name='first', namespace=namespace, _preload_content=False, body={
            'metadata': {'labels': {'component': component}}})
        yield until_on_loop(lambda expected=expected: list(reflector.resources) == expected)
    yield until_right(reflector, pods)
    assert asked.count('list') == 1


# Refused tokens

@pytest.fixture
def kubeconfig(proxy):
    """A function that has KubeSpawner's kubeconfig hold another token from now on; None is the one that is right."""
    path = os.environ['KUBECONFIG']
    with open(path) as f:
        right = f.read()

    def write(token):
        content = yaml.safe_load(right)
        if token:
            content['users'][0]['user'] = {'token': token}
        with open(path, 'w') as f:
            yaml.safe_dump(content, f)

    return write


@pytest.mark.gen_test
def test_a_token_that_was_replaced_is_read_again_though_nobody_else_asks(
        kubeconfig, reflector, asked, pods, caplog):
    kubeconfig('expired')
    reflector.start()
    yield until_on_loop(lambda: 'Unauthorized' in caplog.text)
    kubeconfig(None)
    yield until_watching(reflector, asked, pods, lists=None)


@pytest.mark.gen_test
def test_a_configuration_that_was_loaded_while_a_request_was_under_way_is_not_loaded_once_more(
        kubeconfig, proxy, reflector, asked, pods, monkeypatch, caplog):
    kubeconfig('expired')
    core, loads, load_config = clients.shared_client('CoreV1Api'), [], clients.load_config
    monkeypatch.setattr(clients, 'load_config', lambda: loads.append('load') or load_config())
    proxy.stall()
    reflector.start()
    yield until_on_loop(lambda: proxy.accepted)
    kubeconfig(None)
    clients.renew(core, clients.configuration_of(core), reflector.log)
    assert loads == ['load']
    proxy.resume()
    yield until_watching(reflector, asked, pods, lists=None)
    assert 'Unauthorized' in caplog.text
    assert loads == ['load']
