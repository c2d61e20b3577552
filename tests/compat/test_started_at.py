"""What `start` returns to subclasses: the URL of releases since 2021, and the pair of those before."""
import json
from urllib.parse import urlparse

import pytest
from jupyterhub import version_info
from tornado import gen

from tests.compat.test_names import spawner_with
from tests.fake_time import with_fake_time

URL = 'http://10.0.0.1:8888'

pytestmark = pytest.mark.skipif(version_info < (0, 9), reason='JupyterHub takes no URL before 0.9')


@gen.coroutine
def unpacks(self):
    ip, port = yield super(type(self), self).start()
    return ip, port + 0


@gen.coroutine
def indexes(self):
    result = yield super(type(self), self).start()
    return result[0], result[1]


async def parses(self):
    parsed = urlparse(await super(type(self), self).start())
    return '%s://%s:%d' % (parsed.scheme, parsed.hostname, parsed.port)


async def replaces(self):
    return (await super(type(self), self).start()).replace('http:', 'http:') + ''


async def slices(self):
    url = await super(type(self), self).start()
    assert isinstance(url, str) and url.startswith('http') and len(url) == len(URL) and '10.0' in url
    return url[:5] + url[5:]


@pytest.mark.parametrize('start, expected', [
    (unpacks, ('10.0.0.1', 8888)), (indexes, ('10.0.0.1', 8888)), (parses, URL), (replaces, URL), (slices, URL)])
@with_fake_time
def test_a_subclass_reads_what_start_returns_as_in_its_year(start, expected):
    assert (yield gen.convert_yielded(spawner_with({'start': start}).start())) == expected


@with_fake_time
def test_it_is_equal_to_both_and_written_as_a_url():
    result = yield spawner_with().start()
    assert result == URL and result == ('10.0.0.1', 8888) and not result != ('10.0.0.1', 8888)
    assert result != ('10.0.0.1', 8889) and result != 'http://10.0.0.1:8889'
    assert str(result) == '%s' % result == '{}'.format(result) == URL
    assert json.dumps(result) == json.dumps(URL) and {result: 1}[URL] == 1
