"""Pods in the reflector, as culling scripts, dashboards and subclasses of any year read them. No cluster is needed."""
import copy
from datetime import datetime, timedelta, timezone

import pytest

from kubespawner.kube.clients import Resource
from kubespawner.spawner import PodReflector
from tests.support.fakes import pod_in

CREATED = '2020-01-02T03:04:05Z'


def cached(**settings):
    """Return a pod as the reflector has it."""
    pod = pod_in('Running')
    pod['metadata']['creationTimestamp'] = pod['status']['startTime'] = CREATED
    pod['spec'] = {'nodeName': 'n1', 'volumes': [{'name': 'home'}], 'containers': [
        {'name': 'notebook', 'image': 'a/b:1', 'resources': {'limits': {'memory': '1G'}}}]}
    reflector = PodReflector(namespace='hubs', **settings)
    reflector.upsert(pod)
    return reflector.pods['a']


def test_the_image_of_a_container_is_there_in_both_ways():
    pod = cached()
    assert pod['spec']['containers'][0]['image'] == pod.spec.containers[0].image == 'a/b:1'


def test_timestamps_are_datetimes_as_in_models_and_strings_under_their_keys():
    pod = cached()
    assert pod.metadata.creation_timestamp == pod.status.start_time == datetime(2020, 1, 2, 3, 4, 5, 0, timezone.utc)
    assert datetime.now(timezone.utc) - pod.metadata.creation_timestamp > timedelta(days=365)
    assert pod['metadata']['creationTimestamp'] == pod.metadata.creationTimestamp == CREATED
    assert pod.metadata.deletion_timestamp is None


@pytest.mark.parametrize('text', ['', 'never', '9' * 30])
def test_what_is_no_timestamp_stays_as_it_is(text):
    assert Resource(startTime=text).start_time == text


@pytest.mark.parametrize('read', [
    lambda pod: pod.spec.volumes,
    lambda pod: pod.spec.containers[0].resources,
    lambda pod: pod['spec'] and pod.spec.service_account_name,
])
def test_the_attribute_of_a_field_that_is_not_kept_says_how_to_keep_it(read):
    with pytest.raises(AttributeError, match='further_fields'):
        read(cached())


def test_the_attribute_of_a_field_that_is_kept_is_none_if_the_pod_has_none():
    pod = cached()
    assert pod.spec.restart_policy is pod.spec.init_containers is pod.spec.containers[0].ports is None
    assert pod.status.message is pod.metadata.owner_references is pod.kind is None


def test_further_fields_are_there():
    pod = cached(further_fields=['spec.containers.resources', 'spec.volumes'])
    assert pod.spec.containers[0].resources.limits['memory'] == '1G' and pod.spec.volumes[0].name == 'home'
    assert pod.spec.volumes[0].host_path is None


@pytest.mark.parametrize('duplicate', [copy.copy, copy.deepcopy, lambda pod: pod.to_dict()])
def test_copies_have_what_is_kept(duplicate):
    pod = cached()
    assert duplicate(pod) == pod and duplicate(pod).spec.node_name == 'n1'
