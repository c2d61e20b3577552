"""What users see in their browser when their server cannot be started."""
import os

import pytest
import yaml

from .browser import Browser, until

IMAGE = 'not a valid <b>image</b>!'


@pytest.fixture(scope='module')
def more():
    """A pod that cannot be; and what must not be shown is noted."""
    return '''
def modify_pod(spawner, pod):
    with open('tokens', 'a') as f:
        f.write(spawner.api_token + chr(10))
    pod.spec.containers[0].image = %r
    return pod


c.KubeSpawner.modify_pod_hook = modify_pod
''' % IMAGE


@pytest.fixture
def secrets(hub, cluster):
    """`secrets()` returns what nobody may read: tokens of servers, and those with which the API is talked to."""
    def secrets():
        with open(os.path.join(hub.directory, 'tokens')) as f:
            found = f.read().split()
        for kubeconfig in {cluster.kubeconfig, os.environ['KUBECONFIG']}:
            with open(kubeconfig) as f:
                found += [user['user']['token'] for user in yaml.safe_load(f)['users'] if 'token' in user['user']]
        return found

    return secrets


def test_a_failure_is_told_in_kubernetes_words_and_tells_no_secret(hub, secrets):
    user = Browser(hub.url, 'typo')
    seen = [user.send_login().text]  # old hubs start the server at the login
    user.session.get(user.url + '/hub/home', timeout=60)

    def told():
        seen.extend(user.session.get(user.url + path, timeout=60).text
                    for path in ('/hub/spawn', '/hub/spawn-pending/typo'))
        return [page for page in seen if 'InvalidImageName' in page]

    until(told, 60, 'the page that tells the reason')
    assert 'not a valid &lt;b&gt;image&lt;/b&gt;!' in told()[0]
    assert [page for page in seen if '<b>image' in page] == []
    assert len(secrets()) >= 2
    assert [secret for secret in secrets() for text in seen + [hub.logged()] if secret in text] == []
