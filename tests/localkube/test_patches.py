"""JSON patches where the package that carries them out is missing."""
import sys

from .conftest import PODS


def test_without_jsonpatch_a_json_patch_is_refused_with_what_to_install(client, name, monkeypatch):
    client.create_pod(name)
    monkeypatch.setitem(sys.modules, 'jsonpatch', None)
    operations = [{'op': 'add', 'path': '/metadata/labels', 'value': {'a': '1'}}]
    code, answer = client.call('PATCH', '%s/%s' % (PODS, name), operations, 'application/json-patch+json')
    assert (code, answer['reason']) == (415, 'UnsupportedMediaType')
    assert 'jsonpatch' in answer['message'] and '[demo]' in answer['message']
    client.delete('%s/%s' % (PODS, name))
