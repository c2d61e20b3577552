"""The API server answers with errors or not at all for a while: start, stop and claims heal, and the log says how."""
import re
import socket

import pytest
from tornado import gen
from tornado.ioloop import IOLoop

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}
LONG = {'environment': {'LONG': 'x' * 40000}}  # more than one record of TLS
DEADLINE = 40  # seconds from the end of a fault until all has healed, pauses included
SOON = 20  # seconds for what ends after two or three; other limits would end it after 30 or more

# What a start and a stop ask for, once each: method, path.
CALLS = [
    ('GET', '/persistentvolumeclaims/claim-'),
    ('POST', '/persistentvolumeclaims$'),
    ('POST', '/pods$'),
    ('DELETE', '/pods/jupyter-'),
]


def tries_told_of(caplog):
    """Return the lines of the log that tell of a try that failed, and of the next."""
    return [record.getMessage() for record in caplog.records if 'Trying again' in record.getMessage()]


def asked_for(kube, method, path):
    """Return how many requests there were."""
    return len([1 for made, uri in kube.requests() if made == method and re.search(path, uri.partition('?')[0])])


@pytest.mark.parametrize('status', [500, 502, 503, 504])
@pytest.mark.gen_test
def test_calls_that_fail_some_times_heal_and_each_try_is_told_of(
        kube, node, new_spawner, objects, caplog, status, namespace):
    spawner = new_spawner('user-%d' % status, **CLAIM)
    yield spawner.poll()
    kube.clear_faults()
    for method, path in CALLS:
        kube.fail(method=method, path=namespace + path, status=status, times=2, message='says the server')
    started = IOLoop.current().time()
    yield spawner.start()
    assert spawner.pod_name in [pod['metadata']['name'] for pod in objects.pods()]
    yield spawner.stop(now=True)
    assert IOLoop.current().time() - started < DEADLINE
    assert [asked_for(kube, method, path) for method, path in CALLS] == [3] * len(CALLS)
    assert objects.pods() == []
    assert objects.claim(spawner.pvc_name)
    told = tries_told_of(caplog)
    assert len(told) == 2 * len(CALLS)
    assert all(str(status) in line and 'says the server' in line for line in told)


@pytest.mark.gen_test
def test_each_call_waits_as_long_as_the_server_asks(kube, node, new_spawner, objects, namespace, caplog):
    spawner = new_spawner('ann')
    yield spawner.poll()
    calls = CALLS[2:]
    for method, path in calls:
        kube.fail(method=method, path=namespace + path, status=429, headers={'Retry-After': '1'}, times=2)
    for verb in (spawner.start, spawner.stop):
        started = IOLoop.current().time()
        yield verb()
        assert 2 <= IOLoop.current().time() - started < DEADLINE
    assert len(tries_told_of(caplog)) == 2 * len(calls)
    assert objects.pods() == []


@pytest.mark.parametrize('header', ['nan', 'inf', '-inf', '-1', 'soon', 'Sun, 06 Nov 1994 12:00:00 GMT'])
@pytest.mark.gen_test
def test_a_server_that_asks_for_a_pause_that_is_none_is_asked_with_our_own_pauses(kube, new_spawner, namespace, header):
    spawner = new_spawner('ann', k8s_api_request_retry_timeout=2)
    path = '/%s/pods/jupyter-ann' % namespace
    yield spawner.poll()
    kube.fail(method='GET', path=path, status=429, headers={'Retry-After': header}, times=10 ** 6)
    made = len(kube.requests())
    assert (yield spawner.poll()) is None
    tries = [asked for _, asked in kube.requests()[made:] if path in asked]
    assert 1 < len(tries) < 12


@pytest.mark.gen_test
def test_a_retry_after_beyond_the_deadline_is_not_waited_for(kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann')
    spawner.start_timeout = 3
    kube.fail(method='POST', path=namespace + '/pods$', status=429, headers={'Retry-After': '3600'}, times=100)
    started = IOLoop.current().time()
    with pytest.raises(Exception, match='429'):
        yield spawner.start()
    assert IOLoop.current().time() - started < SOON
    assert objects.pods() == []


def no_name_service(proxy, monkeypatch):
    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', getaddrinfo)
    proxy.reset()


# What happens to connections for a while, and a word of what the log says about it.
OUTAGES = {
    'refused': (lambda proxy, _: proxy.refuse(), 'refused'),
    'closed without an answer': (lambda proxy, _: proxy.greet(b''), 'Kubernetes could not'),
    'no TLS': (lambda proxy, _: proxy.greet(b'HTTP/1.1 400 Bad Request\r\n\r\nspeak up\r\n'), 'SSL'),
    'no name service': (no_name_service, 'Name or service not known'),
}


@pytest.mark.parametrize('verb', ['start', 'stop', 'poll'])
@pytest.mark.parametrize('outage', sorted(OUTAGES))
@pytest.mark.gen_test
def test_what_an_outage_meets_heals_when_it_ends(
        proxy, node, new_spawner, objects, caplog, monkeypatch, outage, verb):
    begin, word = OUTAGES[outage]
    spawner = new_spawner('ann', **CLAIM)
    yield spawner.poll()
    if verb == 'stop':
        yield spawner.start()
    with monkeypatch.context() as names:
        begin(proxy, names)
        future = getattr(spawner, verb)()
        yield objects.until(lambda: len(tries_told_of(caplog)) >= 2)
    proxy.resume()
    ended = IOLoop.current().time()
    result = yield gen.with_timeout(ended + DEADLINE, future)
    if verb == 'poll':
        assert result == 1
    assert any(word in line for line in tries_told_of(caplog))
    assert len(objects.pods()) == (verb == 'start')
    yield spawner.stop(now=True)
    assert objects.pods() == []


@pytest.mark.parametrize('after', [0, 300, 20000])
@pytest.mark.gen_test
def test_answers_that_end_in_their_middle_leave_one_pod_that_runs(proxy, node, new_spawner, objects, after):
    spawner = new_spawner('ann', **LONG)
    yield spawner.poll()
    proxy.cut(after=after, times=2)
    yield gen.with_timeout(IOLoop.current().time() + DEADLINE, spawner.start())
    assert len(objects.pods()) == 1
    assert (yield spawner.poll()) is None
    proxy.cut(after=after, times=2)
    yield gen.with_timeout(IOLoop.current().time() + DEADLINE, spawner.stop(now=True))
    assert objects.pods() == []


@pytest.mark.gen_test
def test_connections_that_are_reset_again_and_again_delay_a_start_and_a_stop_only(
        proxy, node, new_spawner, objects):
    spawner = new_spawner('ann', **CLAIM)
    yield spawner.poll()
    for verb in (spawner.start, spawner.stop):
        future = verb()
        for _ in range(5):
            proxy.reset()
            yield gen.sleep(0.1)
        yield gen.with_timeout(IOLoop.current().time() + DEADLINE, future)
    assert objects.pods() == []


@pytest.mark.gen_test
def test_an_answer_that_is_no_json_is_asked_for_again(kube, node, new_spawner, objects, namespace, caplog):
    spawner = new_spawner('ann')
    yield spawner.poll()
    kube.fail(method='POST', path=namespace + '/pods$', status=502, message='<html>\n2020-01-01 forged\x1b[2J</html>')
    yield spawner.start()
    told, = tries_told_of(caplog)
    assert '\n' not in told and '\x1b' not in told
    yield spawner.stop(now=True)


@pytest.mark.parametrize('verb', ['start', 'stop'])
@pytest.mark.gen_test
def test_an_outage_without_end_ends_a_start_and_a_stop_in_time(proxy, node, new_spawner, objects, verb):
    spawner = new_spawner('ann')
    yield spawner.poll()
    if verb == 'stop':
        yield spawner.start()
    spawner.start_timeout = 2
    proxy.refuse()
    started = IOLoop.current().time()
    # The second is said if a further try has begun, but not ended, in time.
    with pytest.raises(Exception, match='jupyter-ann.*(refused|does not answer)'):
        yield gen.with_timeout(started + 30, getattr(spawner, verb)())
    assert IOLoop.current().time() - started < SOON
    proxy.resume()
    yield spawner.stop(now=True)
    assert objects.pods() == []


@pytest.mark.parametrize('verb', ['start', 'stop'])
@pytest.mark.gen_test
def test_a_server_that_never_answers_ends_a_start_and_a_stop_in_time(proxy, node, new_spawner, verb):
    spawner = new_spawner('ann')
    yield spawner.poll()
    if verb == 'stop':
        yield spawner.start()
    spawner.start_timeout = 2
    proxy.stall()
    started = IOLoop.current().time()
    with pytest.raises(Exception, match='jupyter-ann'):
        yield gen.with_timeout(started + 30, getattr(spawner, verb)())
    assert IOLoop.current().time() - started < SOON
    proxy.resume()
    spawner.start_timeout = 60
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_that_has_just_started_may_refuse_before_it_has_read_its_roles(kube, node, new_spawner, namespace):
    spawner = new_spawner('ann')
    for status in (503, 403):
        kube.fail(method='POST', path=namespace + '/pods$', status=status, times=1)
    yield spawner.start()
    yield spawner.stop(now=True)
