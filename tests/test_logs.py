"""The last lines of the log of a server that failed, without a cluster."""
import base64
import logging

import pytest
from tornado.ioloop import IOLoop

from kubespawner.lifecycle.logs import LONGEST_SHOWN, MOST_BYTES, MOST_LINES, SECONDS, ServerLogs, secrets_of
from kubespawner.messages.errors import Cause, SpawnError
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, after, at_once, pod_in, refused, requests_to

LOGS, READ = 'read_namespaced_pod_log', 'read_namespaced_pod'
TOKEN = '0123456789abcdef'
WHOLE = dict(pod_in(), spec={
    'containers': [{'name': 'notebook', 'env': [{'name': 'JUPYTERHUB_API_TOKEN', 'value': TOKEN}]}],
    'initContainers': [{'name': 'init', 'env': [{'name': 'PASSWORD', 'value': 'hunter2'}]}]})
ERROR = SpawnError('Pod a failed to start.', 'Error', Cause.CONTAINER, 'container notebook: Error. exit code 3: no '
                   + TOKEN, 'exit code 3: no ' + TOKEN, 'Your server exited.')


def logs(*answers, run=at_once):
    fake = FakeApi(**{LOGS: list(answers), READ: [WHOLE]})
    return ServerLogs(requests_to(fake, run), 'hubs', 'a', LOG), fake


def added(server, pod=None):
    return server.add_to(ERROR, pod or pod_in(), 'notebook', secrets_of(WHOLE))


def written(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@with_fake_time
def test_the_last_line_is_in_the_error_and_the_last_lines_are_in_the_hubs_log(caplog):
    server, fake = logs('first\nModuleNotFoundError: no module\n\n')
    error = yield added(server)
    assert error.details.endswith('no ***. The last line of its log: ModuleNotFoundError: no module.')
    assert (error.hint, error.sentence, error.k8s_reason, error.cause) == (
        ERROR.hint, ERROR.sentence, ERROR.k8s_reason, ERROR.cause)
    assert written(caplog) == ['Log of pod a, container notebook: first',
                               'Log of pod a, container notebook: ModuleNotFoundError: no module']
    (_, asked), = fake.asked
    assert (asked['tail_lines'], asked['limit_bytes'], asked['container']) == (MOST_LINES, MOST_BYTES, 'notebook')


@with_fake_time
def test_no_secret_of_any_container_and_no_control_character_is_read_anywhere(caplog):
    server, _ = logs('\x1b[31mtoken %s\x1b[0m, hunter2\r\u2028\x00\u202e' % TOKEN)
    error = yield added(server)
    for text in [str(error), error.k8s_message, error.jupyterhub_message] + written(caplog):
        assert TOKEN not in text and 'hunter2' not in text and text.isprintable()
    assert 'token ***' in str(error)


@pytest.mark.parametrize('text', [
    'x' * MOST_BYTES * 2, 'x\n' * MOST_BYTES, 'first\n' + 'y' * (MOST_BYTES - 10) + TOKEN[:4],
    'y' * (MOST_BYTES - 4) + TOKEN[:4]])
@with_fake_time
def test_what_is_read_is_bounded_and_a_line_that_is_cut_off_shows_no_piece_of_a_token(text, caplog):
    error = yield added(logs(text)[0])
    assert len(str(error)) < len(str(ERROR)) + LONGEST_SHOWN + 50
    assert len(written(caplog)) <= MOST_LINES and all(len(line) < 1100 for line in written(caplog))
    assert TOKEN[:4] not in str(error) and TOKEN[:4] not in caplog.text


@with_fake_time
def test_the_run_that_ended_is_read_first_and_the_other_one_if_there_is_no_such_run():
    restarted = pod_in()
    restarted['status']['containerStatuses'][0]['lastState'] = {'terminated': {'exitCode': 3}}
    for pod, first in ((restarted, True), (pod_in(), False)):
        server, fake = logs(refused(400, 'BadRequest'), 'at last')
        assert 'at last' in str((yield added(server, pod)))
        assert [asked['previous'] for _, asked in fake.asked] == [first, not first]


@pytest.mark.parametrize('answer, said', [
    (refused(403, 'Forbidden'), 'right to get pods/log'), (refused(404, 'NotFound'), ''), ('', ''), ('\n\n', ''),
    (refused(503, 'Unavailable'), 'could not be read')])
@with_fake_time
def test_without_a_log_the_error_stays_as_it_is_but_for_secrets(answer, said, caplog):
    error = yield added(logs(answer)[0])
    assert error.details == 'container notebook: Error. exit code 3: no ***.' and said in caplog.text


@with_fake_time
def test_a_log_that_takes_long_is_not_waited_for(caplog):
    error = yield added(logs('late', run=after(60))[0])
    assert 'late' not in str(error) and IOLoop.current().time() - START < SECONDS + 1
    assert 'could not be read in' in caplog.text


@with_fake_time
def test_the_secrets_of_a_pod_that_this_process_has_not_made_are_read_first(caplog):
    server, fake = logs('token ' + TOKEN)
    assert (yield server.write(pod_in(), 'notebook')) == ['token ***']
    assert [method for method in fake.methods] == [READ, LOGS]
    server, fake = logs('token ' + TOKEN)
    fake.answers[READ] = [refused(404, 'NotFound')]
    assert (yield server.write(pod_in(), 'notebook')) == [] and LOGS not in fake.methods
    fake.answers[READ] = [refused(403, 'Forbidden')]
    assert (yield server.write(pod_in(), 'notebook')) == [] and LOGS not in fake.methods


@with_fake_time
def test_what_a_secret_has_is_masked_whatever_the_secret_is_called(caplog):
    reference = {'valueFrom': {'secretKeyRef': {'name': 'called-as-last-year', 'key': 'token'}}}
    whole = dict(pod_in(), spec={'containers': [
        {'name': 'notebook', 'env': [dict(reference, name='JUPYTERHUB_API_TOKEN')]}]})
    secret = {'metadata': {'name': 'called-as-last-year', 'uid': 's1'},
              'data': {'token': base64.b64encode(TOKEN.encode('ascii')).decode('ascii')}}
    server, fake = logs('token ' + TOKEN)
    fake.answers.update({READ: [whole], 'read_namespaced_secret': [secret, refused(404, 'NotFound')]})
    assert (yield server.write(pod_in(), 'notebook')) == ['token ***']
    assert dict(fake.asked)['read_namespaced_secret']['name'] == 'called-as-last-year'
    assert (yield server.write(pod_in(), 'notebook')) == []  # nobody knows any more what must not be read
    assert TOKEN not in caplog.text
