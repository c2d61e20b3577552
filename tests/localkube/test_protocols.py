"""The protocols of connections to pods and of kubectl create, without a server."""
import struct
import zlib

import pytest

from kubespawner.localkube import errors, protobuf, spdy


class Connection(object):
    """The client's side of a SPDY session: what it sends, and what it has received."""

    def __init__(self):
        self.streams = []
        self.sent = []
        self.session = spdy.Session(self.sent.append, self.streams.append)
        self._deflate = zlib.compressobj(zdict=spdy.DICTIONARY)

    def open(self, number, flags=0, **headers):
        block = struct.pack('>I', len(headers)) + b''.join(
            spdy.with_length(text) for pair in headers.items() for text in pair)
        block = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return spdy.control(spdy.SYN_STREAM, struct.pack('>IIH', number, 0, 0) + block, flags)


def data(number, content, flags=0):
    return struct.pack('>II', number, flags << 24 | len(content)) + content


@pytest.fixture
def connection():
    return Connection()


def test_the_dictionary_of_headers_is_that_of_spdy_3():
    assert (len(spdy.DICTIONARY), zlib.adler32(spdy.DICTIONARY)) == (1423, 0xe3c6a7c2)


def test_streams_have_the_headers_that_the_client_has_sent(connection):
    connection.session.receive(connection.open(1, streamType='stdin'))
    connection.session.receive(connection.open(3, streamType='error', port='80'))
    assert [(each.number, each.headers) for each in connection.streams] == [
        (1, {'streamtype': 'stdin'}), (3, {'streamtype': 'error', 'port': '80'})]


@pytest.mark.parametrize('size', [1, 3, 7, 1000])
def test_frames_may_arrive_in_pieces(connection, size):
    received = []
    connection.session.on_stream = lambda stream: setattr(stream, 'on_data', received.append)
    frames = connection.open(1) + data(1, b'one') + data(1, b'two') + data(5, b'of no stream')
    for start in range(0, len(frames), size):
        connection.session.receive(frames[start:start + size])
    assert received == [b'one', b'two']


def test_the_end_of_a_stream_is_told_once_its_data_is(connection):
    history = []

    def take(stream):
        stream.on_data = history.append
        stream.on_end = lambda: history.append('end')
    connection.session.on_stream = take
    connection.session.receive(connection.open(1) + data(1, b'last', spdy.FIN))
    assert history == [b'last', 'end']


def test_a_ping_is_answered(connection):
    ping = spdy.control(spdy.PING, struct.pack('>I', 1))
    connection.session.receive(ping)
    assert connection.sent == [ping]


@pytest.mark.parametrize('frame', [
    spdy.control(spdy.SYN_STREAM, b'short'), spdy.control(spdy.SYN_STREAM, b'\0' * 10 + b'not compressed'),
    struct.pack('>II', 1, 0xffffff)])
def test_what_is_not_spdy_is_an_error(connection, frame):
    with pytest.raises(spdy.ProtocolError):
        connection.session.receive(frame)


# protobuf

def envelope(kind, body, api_version='v1'):
    return protobuf.MAGIC + field(1, field(1, api_version.encode()) + field(2, kind.encode())) + field(2, body)


def field(number, content):
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def test_a_configmap_in_protobuf():
    body = field(1, field(1, b'name')) + field(2, field(1, b'key') + field(2, b'value')) + field(2, field(1, b'empty'))
    assert protobuf.decode(envelope('ConfigMap', body)) == {
        'kind': 'ConfigMap', 'apiVersion': 'v1', 'metadata': {'name': 'name'}, 'data': {'key': 'value', 'empty': ''}}


def test_bytes_in_protobuf_are_base64_in_json():
    body = field(2, field(1, b'key') + field(2, b'\xff\0'))
    assert protobuf.decode(envelope('Secret', body))['data'] == {'key': '/wA='}


def test_a_kind_without_field_numbers_is_415():
    with pytest.raises(errors.ApiError) as e:
        protobuf.decode(envelope('Pod', b''))
    assert e.value.code == 415 and 'use JSON' in str(e.value)


@pytest.mark.parametrize('body', [
    b'', b'{}', protobuf.MAGIC + b'\xff', protobuf.MAGIC + b'\x0a\x7f', envelope('ConfigMap', b'\x0a\x05a'),
    envelope('ConfigMap', b'\x0f'), envelope('ConfigMap', b'\x08\x01'), envelope('ConfigMap', field(1, b'\x08\x01')),
    envelope('ConfigMap', field(1, field(1, b'\xff'))), envelope('ConfigMap', field(2, b'\x08\x01')),
    envelope('Secret', field(2, b'\x10\x01')), protobuf.MAGIC + field(1, b'\x10\x01')])
def test_what_is_not_protobuf_is_400(body):
    with pytest.raises(errors.ApiError) as e:
        protobuf.decode(body)
    assert e.value.code == 400
