"""localkube answers as today's Kubernetes, or as an older release on request."""
import pytest

from kubespawner.localkube import LocalKube

from .conftest import Client


@pytest.mark.parametrize('options, minor, beta', [({}, '36', 404), ({'version': '1.20'}, '20', 200)])
@pytest.mark.parametrize('child', [False, True], ids=['thread', 'child'])
def test_release_is_todays_or_the_one_asked_for(child, options, minor, beta):
    with LocalKube(kubelet=False, child=child, **options) as kube:
        client = Client(kube)
        assert client.call('GET', '/version')[1]['minor'] == minor
        assert client.call('GET', '/apis/extensions/v1beta1/ingresses')[0] == beta


@pytest.mark.parametrize('version', ['1.19', '1.99', 'x', '2.0'])
def test_release_that_it_does_not_know_is_refused(version):
    with pytest.raises(ValueError, match='answers as Kubernetes 1.20 to 1.36'):
        LocalKube(kubelet=False, version=version).start()
