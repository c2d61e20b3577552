import pytest
from jupyterhub import orm
from jupyterhub.objects import Server

from kubespawner.parts import addresses
from kubespawner.parts.addresses import Address

OLD, NEW = Address('http', '10.0.0.1', 8888), Address('http', '10.0.0.2', 8888)


@pytest.mark.parametrize('url, address', [
    ('http://10.0.0.1:8888', OLD),
    ('http://a.b', Address('http', 'a.b', 80)),
    ('https://a.b/c', Address('https', 'a.b', 443)),
    ('http://[fd00::1]:8888', Address('http', 'fd00::1', 8888)),
])
def test_an_address_is_read_from_a_url(url, address):
    assert addresses.parse_url(url) == address
    assert addresses.parse_url(str(address)) == address


@pytest.mark.parametrize('url', ['', None, 5, 'ftp://a.b', 'a.b:80', 'http://', 'http://a:port'])
def test_what_is_no_url_is_an_error_and_no_memory(url):
    with pytest.raises(ValueError):
        addresses.parse_url(url)
    assert addresses.remembered(url) is None


@pytest.mark.parametrize('host', ['10.0.0.1', 'a.b', 'fd00::1'])
def test_an_address_that_is_recorded_is_in_the_database_and_in_the_url(host):
    row = orm.Server(ip='', port=1, proto='http', base_url='/', cookie_name='')
    server = Server(orm_server=row)
    assert addresses.recorded(server) is None
    address = Address('https', host, 8000)
    addresses.record(server, address)
    assert addresses.recorded(Server(orm_server=row)) == address
    assert addresses.parse_url(server.url) == address


@pytest.mark.parametrize('on_record, given, actual, outdated', [
    (None, None, NEW, True),  # a start that was interrupted
    (None, OLD, NEW, True),
    (OLD, OLD, NEW, True),  # the pod got another address
    (OLD, OLD, OLD, False),
    (OLD, None, NEW, False),  # perhaps a subclass knows better
    (OLD, NEW, NEW, False),
])
def test_a_record_gives_way_only_if_it_is_ours_or_none(on_record, given, actual, outdated):
    assert addresses.is_outdated(on_record, given, actual) is outdated
