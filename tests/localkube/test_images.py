"""Images behave as their names say."""
import time

import pytest

from kubespawner.localkube.images import Image, InvalidImageName

from .conftest import status


def test_missing_image(client):
    name = client.create_pod(image='localkube/missing:1')
    pod = client.wait_for_reason(name, 'ErrImagePull')
    assert pod['status']['phase'] == 'Pending'
    assert status(pod)['state']['waiting']['message'].endswith('docker.io/localkube/missing:1: not found')
    pod = client.wait_for_reason(name, 'ImagePullBackOff')
    assert status(pod)['state']['waiting']['message'] == 'Back-off pulling image "localkube/missing:1"'
    assert {'Error: ErrImagePull', 'Error: ImagePullBackOff'} <= {message for _, message, _ in client.events(name)}


def test_missing_image_that_may_not_be_pulled(client):
    name = client.create_pod(image='localkube/missing', imagePullPolicy='Never')
    client.wait_for_reason(name, 'ErrImageNeverPull')


def test_image_that_ends_at_once(client):
    pod = client.wait_for_phase(client.create_pod(image='localkube/crash', command=['ignored']), 'Failed')
    assert status(pod)['state']['terminated']['exitCode'] == 1


def test_slow_image(client):
    begin = time.monotonic()
    name = client.create_pod(image='localkube/slow:1', command=['true'])
    client.wait_for_phase(name, 'Succeeded')
    assert time.monotonic() - begin >= 1


def test_name_that_no_image_can_have(client):
    name = client.create_pod(image='Not An Image')
    pod = client.wait_for_reason(name, 'InvalidImageName')
    assert "couldn't parse image reference" in status(pod)['state']['waiting']['message']


@pytest.mark.parametrize('name, reference', [
    ('busybox', 'docker.io/library/busybox:latest'), ('a/b:1', 'docker.io/a/b:1'),
    ('quay.io/a/b', 'quay.io/a/b:latest'), ('localhost:5000/a', 'localhost:5000/a:latest'),
    ('a@sha256:' + 'f' * 64, 'docker.io/library/a@sha256:' + 'f' * 64)])
def test_full_name_of_an_image(name, reference):
    assert Image(name).reference == reference


@pytest.mark.parametrize('name', ['', 'UPPER', 'a:b:c', 'a/', '-a', 'a b', 'a:', 'a@sha256:1', 'a//b'])
def test_invalid_names(name):
    with pytest.raises(InvalidImageName):
        Image(name)
