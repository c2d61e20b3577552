"""Of an object its fields are kept that were asked for, and equal strings are one."""
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner.kube import key_sharing, prune

POD = {'kind': 'Pod', 'metadata': {'name': 'a', 'labels': {'x': 'y'}, 'deletionTimestamp': None},
       'spec': {'nodeName': 'n', 'containers': [{'name': 'c', 'image': 'i'}, {'name': 'd'}]}, 'status': None}


def kept(*paths):
    return prune.prune(POD, prune.tree_of(paths))


def test_fields_are_kept_as_a_whole_or_in_part():
    assert kept('metadata', 'spec.nodeName') == {
        'metadata': {'name': 'a', 'labels': {'x': 'y'}}, 'spec': {'nodeName': 'n'}}


def test_a_field_of_a_list_is_kept_of_each_item():
    assert kept('spec.containers.image', 'spec.containers.ports') == {'spec': {'containers': [{'image': 'i'}, {}]}}


def test_the_whole_of_a_field_includes_its_parts():
    assert kept('spec', 'spec.nodeName') == kept('spec.nodeName', 'spec') == {'spec': POD['spec']}


def test_without_paths_all_is_kept_but_what_is_null():
    assert kept() == {'kind': 'Pod', 'metadata': {'name': 'a', 'labels': {'x': 'y'}}, 'spec': POD['spec']}


def test_a_field_that_is_not_there_is_not_there():
    assert kept('status.podIP', 'metadata.finalizers', 'spec.nodeName.deeper') == {
        'metadata': {}, 'spec': {'nodeName': 'n'}}


@pytest.mark.parametrize('most_classes', [0, key_sharing.MOST_CLASSES])
def test_equal_strings_of_different_objects_are_one(monkeypatch, most_classes):
    monkeypatch.setattr(key_sharing, 'classes', {})
    monkeypatch.setattr(key_sharing, 'MOST_CLASSES', most_classes)
    first, second = [prune.prune({key + 'y': [value + 'z']}, {}) for key, value in ['ab', 'ab']]
    assert list(first)[0] is list(second)[0] and first['ay'][0] is second['ay'][0]


def test_objects_take_less_memory_because_they_share_their_keys_even_if_some_had_nulls_before(monkeypatch):
    monkeypatch.setattr(key_sharing, 'classes', {})
    keys = ['key %d' % number for number in range(8)]
    prune.prune(dict({key: 1 for key in keys}, **{keys[3]: None}), {})
    one = prune.prune({key: 1 for key in keys}, {})
    other = prune.prune({key: 1 for key in keys if key != keys[3]}, {})
    assert all(sys.getsizeof(each) < 0.75 * sys.getsizeof(dict(each.items())) for each in (one, other))


# Against the last state


def test_what_has_not_changed_is_taken_from_the_last_state_of_the_object():
    tree = prune.tree_of(['metadata', 'spec.containers.image', 'status'])
    before = prune.prune(POD, tree)
    after = prune.prune(dict(json.loads(json.dumps(POD)), status={'phase': 'Running', 'podIP': None}), tree, before)
    assert after == {'metadata': before['metadata'], 'spec': before['spec'], 'status': {'phase': 'Running'}}
    assert after['metadata'] is not POD['metadata'] and after['metadata']['labels'] is before['metadata']['labels']


@given(st.data())
def test_whatever_the_last_state_was_nothing_of_it_stays_that_is_gone(data):
    json_values = st.recursive(
        st.none() | st.booleans() | st.text(max_size=2),
        lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from('abc'), values, max_size=3))
    tree = prune.tree_of(data.draw(st.lists(st.sampled_from(['a', 'a.b', 'b', 'c.a']), max_size=3)))
    before, now = [data.draw(st.dictionaries(st.sampled_from('abc'), json_values, max_size=3)) for _ in range(2)]
    assert prune.prune(now, tree, prune.prune(before, tree)) == prune.prune(now, tree)


# Managed fields, before they are decoded


def written(value):
    """Return JSON as the API server writes it."""
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def managed(*managers):
    """Return managed fields with an entry for each name in `managers`."""
    return [{'manager': manager, 'operation': 'Update', 'fieldsType': 'FieldsV1',
             'fieldsV1': {'f:spec': {'k:{"name":"a"}': {'.': {}, 'f:image': {}}}}} for manager in managers]


def without_them(value):
    """Return an object without its managed fields."""
    return dict(value, metadata={key: item for key, item in value['metadata'].items() if key != 'managedFields'})


def test_managed_fields_of_each_object_are_left_out():
    pods = [{'metadata': {'name': name, 'managedFields': managed('hub', 'kubelet')}, 'spec': {}} for name in 'ab']
    event = {'type': 'MODIFIED', 'object': pods[0]}
    assert json.loads(prune.without_managed_fields(written(event))) == dict(event, object=without_them(pods[0]))
    listed = prune.without_managed_fields(written({'items': pods, 'kind': 'PodList'}))
    assert json.loads(listed) == {'items': [without_them(pod) for pod in pods], 'kind': 'PodList'}


def test_a_piece_in_which_managed_fields_do_not_end_is_left_as_it_is():
    text = written({'metadata': {'name': 'a', 'managedFields': managed('hub')}, 'spec': {}})
    begin, end = text.index(',"managedFields"'), text.index(',"spec"')
    for length in range(begin, end + len(',"')):
        assert prune.without_managed_fields(text[:length]) == text[:length]


TRICKY = st.lists(st.sampled_from([
    ',"managedFields":[{"manager":', ']},"spec":', ']},', ']}', '[', ']', '{', '}', '"', '\\', ',', ':', 'a', '\u00e9',
])).map(''.join)


@given(st.dictionaries(TRICKY, TRICKY, max_size=3), st.lists(TRICKY, min_size=1, max_size=2), TRICKY)
def test_nothing_else_is_left_out_whatever_strings_contain(labels, managers, value):
    pod = {'metadata': {'name': value, 'labels': labels, 'managedFields': managed(*managers)}, 'spec': {'x': [value]},
           'status': labels}
    assert json.loads(prune.without_managed_fields(written(pod))) in (pod, without_them(pod))


@given(TRICKY, st.sampled_from(['finalizers', 'ownerReferences']))
def test_lists_before_and_after_managed_fields_stay(value, key):
    pod = {'metadata': {key: [value], 'managedFields': managed('hub')}, 'spec': {'list': [{'x': [1]}]}}
    assert json.loads(prune.without_managed_fields(written(pod))) == without_them(pod)
