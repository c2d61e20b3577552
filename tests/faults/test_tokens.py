"""A token that the API server no longer takes: the configuration is loaded again, once, and the call repeated."""
import pytest
import yaml

from kubespawner.kube import clients


@pytest.mark.gen_test
def test_a_kubeconfig_with_a_new_token_is_read_again(cluster, kube, new_spawner, use_kubeconfig, tmpdir):
    with open(cluster.kubeconfig) as f:
        valid = f.read()
    kubeconfig = tmpdir.join('kubeconfig')
    kubeconfig.write(valid.replace(kube.token, 'expired'))
    use_kubeconfig(kubeconfig)
    spawner = new_spawner('ann')
    assert spawner.api.api_client.configuration.api_key
    kubeconfig.write(valid)
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_service_accounts_new_token_is_read_again(cluster, kube, new_spawner, monkeypatch, tmpdir):
    token = tmpdir.join('token')
    token.write('expired')
    as_in_a_pod(kube, cluster, token, monkeypatch)
    spawner = new_spawner('ann')
    assert spawner.api.api_client.configuration.host == kube.url
    token.write(kube.token)
    yield spawner.start()
    yield spawner.stop(now=True)


def as_in_a_pod(kube, cluster, token, monkeypatch):
    """Have the client find the files and variables that a pod of a service account has."""
    with open(cluster.kubeconfig) as f:
        certificate = yaml.safe_load(f)['clusters'][0]['cluster']['certificate-authority']
    monkeypatch.setattr('kubernetes.config.incluster_config.SERVICE_TOKEN_FILENAME', str(token))
    monkeypatch.setattr('kubernetes.config.incluster_config.SERVICE_CERT_FILENAME', certificate)
    host, _, port = kube.url.partition('//')[2].partition(':')
    monkeypatch.setenv('KUBERNETES_SERVICE_HOST', host)
    monkeypatch.setenv('KUBERNETES_SERVICE_PORT', port)
    clients.forget()


@pytest.mark.gen_test
def test_a_token_that_stays_refused_is_told_after_one_more_try(kube, new_spawner, objects, namespace):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=401, times=1000, message='Unauthorized')
    with pytest.raises(Exception, match='401 Unauthorized'):
        yield new_spawner('ann').start()
    creates = [path for method, path in kube.requests() if method == 'POST' and path.endswith('/%s/pods' % namespace)]
    assert len(creates) == 2
