"""Of an object its fields are kept that were asked for, and equal strings are one."""
from kubespawner.kube import prune

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


def test_equal_strings_of_different_objects_are_one():
    first, second = [prune.prune({key + 'y': [value + 'z']}, {}) for key, value in ['ab', 'ab']]
    assert list(first)[0] is list(second)[0] and first['ay'][0] is second['ay'][0]
