"""A token that cannot be sent is refused, before the HTTP library shows it in an error."""
import traceback

import pytest
from kubernetes import config
from kubernetes.config import incluster_config

from kubespawner.kube import clients
from tests.support.recording_api import KUBECONFIG

SECRET = 'eyJhbGciOi.secret-token'


@pytest.fixture
def kubeconfig(tmpdir, monkeypatch, use_kubeconfig):
    """`kubeconfig(user)` makes a kubeconfig with this user (YAML) the one to use."""
    def write(user):
        path = tmpdir.join('config')
        path.write((KUBECONFIG % 9).replace('{token: secret}', user))
        use_kubeconfig(path)

    monkeypatch.delenv('KUBERNETES_SERVICE_HOST', raising=False)
    return write


@pytest.fixture
def token_file(tmpdir, monkeypatch):
    """The file of a service account's token, in what looks like a pod."""
    tmpdir.join('ca.crt').write('no certificate')
    monkeypatch.setattr(incluster_config, 'SERVICE_TOKEN_FILENAME', str(tmpdir.join('token')))
    monkeypatch.setattr(incluster_config, 'SERVICE_CERT_FILENAME', str(tmpdir.join('ca.crt')))
    monkeypatch.setenv('KUBERNETES_SERVICE_HOST', '127.0.0.1')
    monkeypatch.setenv('KUBERNETES_SERVICE_PORT', '9')
    return tmpdir.join('token')


def header_of(configuration):
    """Return the header that requests are sent with."""
    header, = [setting['value'] for setting in configuration.auth_settings().values() if setting['value']]
    return header


def check_that_it_is_refused_unseen():
    with pytest.raises(config.ConfigException) as e:
        clients.load_config()
    assert 'has a line break or another character in it that no token has' in str(e.value)
    assert 'secret' not in ''.join(traceback.format_exception(e.type, e.value, None))


@pytest.mark.parametrize('inside', [r'\nX-Remote-User: admin\n', r'\r\n x', r'\x1b[2J', r'\u20ac', r'\0', r'\u2028'])
def test_a_token_in_a_kubeconfig_that_cannot_be_sent_is_refused_unseen(kubeconfig, inside):
    kubeconfig('{token: "%s%s%s"}' % (SECRET, inside, SECRET))
    check_that_it_is_refused_unseen()


def test_a_token_of_a_service_account_that_cannot_be_sent_is_refused_unseen(token_file):
    token_file.write(SECRET + '\nnext line')
    check_that_it_is_refused_unseen()


def test_a_line_break_after_a_token_is_none_of_it(kubeconfig, token_file, monkeypatch):
    token_file.write(SECRET + '\n')
    assert header_of(clients.load_config()) == 'bearer ' + SECRET
    monkeypatch.delenv('KUBERNETES_SERVICE_HOST')
    kubeconfig('{tokenFile: "%s"}' % token_file)
    assert header_of(clients.load_config()) == 'Bearer ' + SECRET


def test_a_token_that_is_renewed_is_treated_alike_each_time(token_file, monkeypatch):
    monkeypatch.setattr(clients, 'REFRESH_SECONDS', 0)
    token_file.write(SECRET)
    configuration = clients.load_config()
    for number in range(3):
        token_file.write('%s%d\n' % (SECRET, number))
        assert header_of(configuration) == 'bearer %s%d' % (SECRET, number)
    token_file.write(SECRET + '\nnext line')
    with pytest.raises(config.ConfigException) as e:
        header_of(configuration)
    assert 'secret' not in str(e.value)
