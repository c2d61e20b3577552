"""Neither the hub's token for Kubernetes nor a server's token for the hub is in a log, an error or a repr."""
import logging
import os
import traceback

import pytest
import yaml

from kubespawner.kube import api, clients
from tests.cluster.conftest import UNTOUCHED

OF_THE_SERVER = '3c0ffee5-of-the-server'
OF_THE_OPERATOR = 'pa55word-of-a-database'
CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@pytest.fixture
def tokens(cluster):
    """What must not be seen."""
    with open(os.environ['KUBECONFIG']) as f:
        users = yaml.safe_load(f)['users']
    return [OF_THE_SERVER, OF_THE_OPERATOR] + [user['user']['token'] for user in users if 'token' in user['user']]


@pytest.fixture
def server(new_spawner, caplog):
    """`server(username, **traits)` returns a spawner whose server has secrets; everything is logged."""
    def new(username, **traits):
        environment = {'DATABASE': OF_THE_OPERATOR, 'Z': OF_THE_OPERATOR}
        spawner = new_spawner(username, environment=environment, **dict(CLAIM, **traits))
        spawner.api_token = OF_THE_SERVER
        return spawner

    caplog.set_level(logging.DEBUG)
    return new


def check(tokens, *texts):
    for text in texts:
        assert not [token for token in tokens if token in text]


def everything_about(error):
    return ''.join(traceback.format_exception(type(error), error, error.__traceback__)) + repr(error)


@pytest.mark.gen_test
def test_of_a_server_that_starts_runs_and_is_stopped(server, node, tokens, caplog):
    spawner = server('ann')
    yield spawner.start()
    yield spawner.poll()
    yield spawner.stop(now=True)
    assert caplog.records
    check(tokens, caplog.text, repr(spawner), repr(spawner.get_state()), repr(spawner.pod_reflector),
          repr(spawner.pod_reflector.resources))


@pytest.mark.gen_test
def test_the_secrets_are_where_they_belong(server, objects):
    pod = yield objects.created_by(server('bea', **UNTOUCHED))
    assert OF_THE_SERVER in str(pod['spec']) and OF_THE_OPERATOR in str(pod['spec'])
    check([OF_THE_SERVER, OF_THE_OPERATOR], str(pod['metadata']), str(pod['status']))


@pytest.mark.parametrize('traits', [
    {'singleuser_extra_container_config': {'env_from': 5}},
    {'singleuser_extra_container_config': {'env_from': [{'prefix': ['x']}]}},
    {'singleuser_extra_container_config': {'lifecycle': 'x'}},
    {'singleuser_extra_labels': {'not a label': 'x'}},
    {'singleuser_image_spec': ''},
    {'volume_mounts': [{'name': 'nobody', 'mountPath': '/x'}]},
    {'modify_pod_hook': lambda spawner, pod: pod.spec.containers[0].env.append({'name': 5, 'value': 'x'}) or pod},
    {'modify_pod_hook': lambda spawner, pod: pod.spec.containers[0].env.append(object()) or pod},
    {'modify_pod_hook': lambda spawner, pod: None},
])
@pytest.mark.gen_test
def test_of_a_pod_that_is_refused(server, objects, tokens, caplog, traits):
    with pytest.raises(Exception) as e:
        yield server('cat', **dict(UNTOUCHED, **traits)).start()
    check(tokens, caplog.text, everything_about(e.value))


QUOTING = (
    'Pod in version "v1" cannot be handled as a Pod: v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: v1.Container.'
    'EnvFrom: []v1.EnvFromSource: decode slice: expect [ or n, but found 5, error found in #10 byte of ...|'
    '"value":"{0}"}}],"envFrom":5,|..., bigger context ...|{{"name":"Z","value":"{0}"}}],"envFrom":5,"ima|...')


@pytest.mark.gen_test
def test_of_a_pod_that_the_answer_quotes_as_old_servers_do(kube, server, namespace, tokens, caplog):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=400, message=QUOTING.format(OF_THE_OPERATOR))
    with pytest.raises(Exception) as e:
        yield server('dan', **UNTOUCHED).start()
    assert 'decode slice: expect [ or n, but found 5' in str(e.value)
    check(tokens, caplog.text, everything_about(e.value))


@pytest.mark.parametrize('status', [401, 403, 404, 422, 500, 503])
@pytest.mark.gen_test
def test_of_an_answer_that_is_an_error(kube, server, tokens, caplog, status):
    kube.fail(path='/namespaces/', status=status, times=1000)
    spawner = server('eve')
    spawner.start_timeout = 2
    with pytest.raises(Exception) as e:
        yield spawner.start()
    check(tokens, caplog.text, everything_about(e.value))


@pytest.mark.gen_test
def test_of_a_connection_that_breaks(kube, server, tokens, caplog):
    kube.drop(path='/namespaces/', times=1000)
    spawner = server('fay')
    spawner.start_timeout = 2
    with pytest.raises(Exception) as e:
        yield spawner.start()
    check(tokens, caplog.text, everything_about(e.value))


@pytest.mark.gen_test
def test_of_a_request(server, tokens):
    manifest = yield server('gil').get_pod_manifest()
    request = api.create('pod', 'n', manifest)
    error = api.ApiError(request, 422, 'Invalid', 'it is invalid')
    check(tokens, repr(request), str(request), '%s' % (request,), repr(error), str(error), repr(error.args))


def test_of_the_clients(server, tokens):
    core = server('hal').api
    check(tokens, repr(core), repr(core.api_client), repr(core.api_client.configuration), repr(clients.shared_client))
