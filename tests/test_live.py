"""Starts are compared with what a cluster has: what is read, and what is told of it. The API server is a fake."""
import pytest

from kubespawner.commands.cluster import Answer, NoAnswer, path_of
from kubespawner.commands.live import Comparison
from kubespawner.commands.rehearsal.start import Rehearsal


class Api:
    """An API server with these objects, and answers of other kinds; see `Cluster`."""

    host = 'https://api'

    def __init__(self, objects=(), answers=()):
        self.answers, self.asked = dict(answers), []
        for obj in objects:
            self.answers['%s/%s' % (path_of(obj), obj['metadata']['name'])] = Answer(200, obj, [])

    def get(self, path):
        self.asked.append(path)
        return self.answers.get(path, Answer(404, {}, []))


def pod_of(profile=None, image='a'):
    metadata = {'name': 'jupyter-ann', 'namespace': 'users'}
    if profile:
        metadata['annotations'] = {'hub.jupyter.org/profile': profile}
    return {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': metadata,
            'spec': {'containers': [{'name': 'notebook', 'image': image}]}}


SECRET = {'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'a', 'namespace': 'users'}, 'data': {'a': 'YQ=='}}
NAMESPACE = {'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'users'}}
PERMISSIONS = {'/api/v1/namespaces/users/secrets/a': Answer(403, {'message': 'secrets "a" is forbidden.'}, []),
               '/api/v1/namespaces/users': Answer(403, {}, [])}


def test_a_right_that_is_missing_is_named_once_as_a_line_for_the_role_and_the_rest_is_compared():
    comparison = Comparison(Api([pod_of()], PERMISSIONS))
    for _ in range(2):
        diff, = comparison.differences(Rehearsal([NAMESPACE, SECRET, pod_of(image='b')], None))
        assert '-  - image: a' in diff
    assert comparison.refused == [
        'Namespace users may not be read. Add to the rules of the ClusterRole of the user of the context: '
        '- {apiGroups: [""], resources: ["namespaces"], verbs: ["get"]}',
        'Secret a in namespace users may not be read: secrets "a" is forbidden. Add to the rules of the Role of the '
        'user of the context: - {apiGroups: [""], resources: ["secrets"], verbs: ["get"]}']


@pytest.mark.parametrize('version, kind, path', [
    ('networking.k8s.io/v1', 'Ingress', '/apis/networking.k8s.io/v1/namespaces/users/ingresses'),
    ('networking.k8s.io/v1', 'NetworkPolicy', '/apis/networking.k8s.io/v1/namespaces/users/networkpolicies'),
    ('example.org/v1', 'BackupPolicy', '/apis/example.org/v1/namespaces/users/backuppolicies'),
    ('example.org/v1', 'Gateway', '/apis/example.org/v1/namespaces/users/gateways'),
    ('example.org/v1', 'widgets', '/apis/example.org/v1/namespaces/users/widgets'),
    ('batch/v1', 'Job', '/apis/batch/v1/namespaces/users/jobs'),
    ('v1', 'Endpoints', '/api/v1/namespaces/users/endpoints'), ('v1', 'Pod', '/api/v1/namespaces/users/pods')])
def test_an_object_of_each_kind_is_read_where_the_api_has_it(version, kind, path):
    obj, api = {'apiVersion': version, 'kind': kind, 'metadata': {'name': 'a', 'namespace': 'users'}}, Api()
    Comparison(api).differences(Rehearsal([obj], None))
    assert api.asked == [path + '/a']


@pytest.mark.parametrize('status', [401, 429, 500])
def test_an_api_server_that_cannot_answer_is_told(status):
    api = Api([], {'/api/v1/namespaces/users/pods/jupyter-ann': Answer(status, {'message': 'no'}, [])})
    with pytest.raises(NoAnswer) as e:
        Comparison(api).differences(Rehearsal([pod_of()], None))
    assert str(e.value) == 'Pod jupyter-ann in namespace users cannot be read: https://api answers %d: no' % status


@pytest.mark.parametrize('profiles, live, differences, notes', [
    ([None], None, [1], []),
    ([None, None], None, [1, 1], ['does not say of which profile']),
    (['small', 'large'], None, [1, 1], ['does not say of which profile']),
    (['small', 'large', 'huge'], 'large', [0, 1, 0], ['is of the profile large, and is compared with that one only'])])
def test_a_pod_is_compared_with_its_own_profile_if_it_says_which(profiles, live, differences, notes):
    api = Api([pod_of(live, image='old')])
    comparison = Comparison(api)
    found = [len(comparison.differences(Rehearsal([pod_of(profile)], None))) for profile in profiles]
    assert found == differences and len(api.asked) == 1
    assert len(comparison.notes) == len(notes) and all(map(str.__contains__, comparison.notes, notes))


def test_an_object_whose_name_kubernetes_makes_up_is_not_compared():
    job = {'apiVersion': 'batch/v1', 'kind': 'Job', 'metadata': {'generateName': 'job-', 'name': 'job-x'}}
    comparison = Comparison(Api([pod_of()]))
    assert comparison.differences(Rehearsal([job, pod_of()], None)) == []
    assert comparison.notes == ['Job job-… has another name with each start, and is not compared.']


def test_secrets_that_only_the_cluster_has_are_hidden():
    live, ours = pod_of(), pod_of()
    live['spec']['containers'][0].update(args=['--key=opener'], env=[
        {'name': 'MY_KEY', 'value': 'opener'}, {'name': 'URL', 'value': 'db://u:sesame@h/'}])
    secret = dict(SECRET, data={'b': 'c2VzYW1l'})
    diff = ''.join(Comparison(Api([live, secret])).differences(Rehearsal([SECRET, ours], None)))
    assert '-    - name: MY_KEY' in diff and '-  b: PGhpZGRlbj4=' in diff and '+  a: PGhpZGRlbj4=' in diff
    assert not any(text in diff for text in ('opener', 'sesame', 'c2VzYW1l', 'YQ=='))
