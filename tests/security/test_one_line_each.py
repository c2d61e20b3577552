"""What users and their containers write makes no lines of its own in the hub's log, nor steers a terminal."""
import logging
import re

import pytest

from kubespawner.messages.errors import HubError, SpawnError, one_line
from tests.cluster.conftest import UNTOUCHED

FORGED = 'oops\n[C 2026-01-01 00:00:00 KubeSpawner] all is lost\r\x1b[2J\x9b31m\x85next\u2028line\u2029\u202etxt\0'
STEERING = re.compile('[\0-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]')


@pytest.mark.parametrize('text, expected', [
    ('all is well', 'all is well'),
    ('ünï çödé 漢字 \U0001f600', 'ünï çödé 漢字 \U0001f600'),
    ('a\nb', 'a b'),
    ('a\r\n\r\nb', 'a b'),
    ('a\tb\vc\fd', 'a b c d'),
    ('a\x85b\u2028c\u2029d', 'a b c d'),
    ('\x1b[31mred', '\\x1b[31mred'),
    ('\x9b31m', '\\x9b31m'),
    ('a\0b\x7f', 'a\\x00b\\x7f'),
    ('\u202egnp.exe', '\\u202egnp.exe'),
    ('\ud800', '\\ud800'),
    (5, '5'),
])
def test_a_text_becomes_one_line_and_nothing_else_changes(text, expected):
    assert one_line(text) == expected


def test_no_character_is_left_that_begins_a_line_or_steers_a_terminal():
    for code in [*range(0x3000), *range(0xd7f0, 0xe010), 0xfeff, 0x10ffff]:
        line = one_line('a%sb' % chr(code))
        assert len(line.splitlines()) == 1 and not STEERING.search(line), hex(code)
        line.encode('utf8')


@pytest.mark.parametrize('error', [SpawnError, HubError])
def test_errors_are_one_line_however_jupyterhub_asks_for_them(error):
    told = error(FORGED, FORGED)
    for text in (str(told), told.log_message, told.jupyterhub_message, told.get_message(), told.reason or ''):
        assert not STEERING.search(text)


def check(records):
    """All that was logged, but for traces, is one line each."""
    messages = [record.getMessage() for record in records if record.name != 'asyncio']
    assert messages
    assert [message for message in messages if STEERING.search(message)] == []


@pytest.mark.gen_test
def test_the_message_with_which_a_container_ends(new_spawner, objects, caplog):
    caplog.set_level(logging.DEBUG)
    spawner = new_spawner('ann', **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    yield objects.until(lambda: spawner.pod_reflector.get(spawner.pod_name))
    waiting = {'name': 'notebook', 'ready': False, 'image': 'i', 'imageID': '', 'restartCount': 1,
               'state': {'waiting': {'reason': 'CrashLoopBackOff', 'message': FORGED}},
               'lastState': {'terminated': {'exitCode': 1, 'reason': 'Error', 'message': FORGED}}}
    objects.set_status(spawner.pod_name, phase='Pending', containerStatuses=[waiting])
    yield objects.until(lambda: 'all is lost' in caplog.text)
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted', message=FORGED)
    with pytest.raises(SpawnError) as e:
        yield start
    assert 'all is lost' in str(e.value) and not STEERING.search(str(e.value))
    check(caplog.records)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_what_a_pod_says_of_itself_that_does_not_start_in_time(new_spawner, objects, caplog):
    spawner = new_spawner('bea', **UNTOUCHED)
    spawner.start_timeout = 2
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, phase='Pending', conditions=[
        {'type': 'Ready', 'status': 'False', 'reason': 'Custom', 'message': FORGED}])
    with pytest.raises(SpawnError) as e:
        yield start
    assert 'all is lost' in str(e.value) and not STEERING.search(str(e.value))
    yield spawner.stop(now=True)


@pytest.mark.parametrize('path', ['/pods$', '/pods/jupyter-', '/persistentvolumeclaims/', r'/pods\?'])
@pytest.mark.gen_test
def test_the_message_of_an_answer(kube, new_spawner, caplog, path):
    kube.fail(path=path, status=503, times=3, message=FORGED)
    spawner = new_spawner('cat', user_storage_pvc_ensure=True, user_storage_capacity='1Gi', **UNTOUCHED)
    spawner.start_timeout = 4
    try:
        yield spawner.poll()
        yield spawner.start()
    except Exception as e:
        assert not STEERING.search(str(e))
    check(caplog.records)
    kube.clear_faults()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_the_names_of_users_and_servers(new_spawner, caplog):
    caplog.set_level(logging.DEBUG)
    spawner = new_spawner(FORGED, FORGED, **UNTOUCHED)
    spawner.start_timeout = 1
    with pytest.raises(SpawnError) as e:
        yield spawner.start()
    assert not STEERING.search(str(e.value))
    yield spawner.poll()
    yield spawner.stop(now=True)
    yield spawner.stop(now=True)
    check(caplog.records)
