"""What a client does that wants localkube to stop answering, or to take all memory: it goes on."""
import json
import socket
import ssl

import pytest

from kubespawner.localkube import LocalKube, connections, streams

from .conftest import Client

CONFIGMAPS = '/api/v1/namespaces/default/configmaps'


@pytest.fixture
def kube():
    with LocalKube(kubelet=False) as kube:
        yield kube


def connect(kube):
    connection = socket.create_connection(('127.0.0.1', int(kube.url.rpartition(':')[2])), timeout=20)
    return ssl._create_unverified_context().wrap_socket(connection) if kube.url.startswith('https') else connection


def is_up(kube):
    return Client(kube).call('GET', CONFIGMAPS)[0] == 200


def send(connection, kube, head, body=b''):
    text = '%s\r\nHost: x\r\nAuthorization: Bearer %s\r\n' % (head, kube.token)
    connection.sendall(text.encode() + b'Content-Length: %d\r\n\r\n' % len(body) + body)


def test_of_the_connections_that_wait_the_oldest_go(kube, monkeypatch):
    monkeypatch.setattr(connections, 'MOST_IDLE', 5)
    waiting = [connect(kube) for _ in range(10)]
    try:
        assert waiting[0].recv(1) == b''  # closed
        assert is_up(kube)
        send(waiting[-1], kube, 'GET /version HTTP/1.1')
        assert waiting[-1].recv(20).startswith(b'HTTP/1.1 200')
    finally:
        for connection in waiting:
            connection.close()


def test_a_watch_is_not_a_connection_that_waits(kube, monkeypatch):
    monkeypatch.setattr(connections, 'MOST_IDLE', 5)
    watch = connect(kube)
    send(watch, kube, 'GET %s?watch=true HTTP/1.1' % CONFIGMAPS)
    assert watch.recv(20).startswith(b'HTTP/1.1 200')
    waiting = [connect(kube) for _ in range(10)]
    assert waiting[0].recv(1) == b''
    assert Client(kube).call('POST', CONFIGMAPS, {'metadata': {'name': 'seen'}})[0] == 201
    received = b''
    while b'"seen"' not in received:
        piece = watch.recv(4096)
        assert piece, 'the watch has ended'
        received += piece
    for connection in waiting + [watch]:
        connection.close()


def test_watch_of_a_client_that_does_not_read_ends(kube, monkeypatch):
    monkeypatch.setattr(streams, 'LARGEST_BACKLOG', 2 ** 20)
    client = Client(kube)
    watch = connect(kube)
    send(watch, kube, 'GET %s?watch=true HTTP/1.1' % CONFIGMAPS)
    assert watch.recv(20)
    for i in range(40):
        body = {'metadata': {'name': 'large-%d' % i}, 'data': {'key': 'x' * 500000}}
        assert client.call('POST', CONFIGMAPS, body)[0] == 201
    received = 0
    with pytest.raises((AssertionError, OSError)):  # it breaks off, before the 20 MB are there
        while True:
            piece = watch.recv(65536)
            assert piece
            received += len(piece)
    assert received < 15 * 10 ** 6 and is_up(kube)


@pytest.mark.parametrize('head', [
    'GET /version HTTP/1.1\r\nX: ' + 'x' * 200000,
    'GET /version?' + 'x' * 200000 + ' HTTP/1.1',
    'GET /version HTTP/1.1\r\n' + '\r\n'.join('X-%d: y' % i for i in range(20000)),
    'POST %s HTTP/1.1\r\nContent-Length: 99999999999' % CONFIGMAPS,
    'POST %s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff' % CONFIGMAPS,
    '\x00\x01\x02', 'GET', 'GET /version HTTP/9.9',
])
def test_request_that_is_too_large_or_none_harms_nobody_else(kube, head):
    connection = connect(kube)
    try:
        send(connection, kube, head)
    except OSError:
        pass  # it has closed the connection
    assert is_up(kube)
    connection.close()


def test_body_that_is_far_too_large_harms_nobody_else(kube):
    connection = connect(kube)
    try:
        send(connection, kube, 'POST %s HTTP/1.1' % CONFIGMAPS, b'x' * (20 * 2 ** 20))
    except OSError:
        pass
    assert is_up(kube)
    connection.close()


def test_long_list_comes_in_pieces_to_a_client_that_reads_slowly(kube):
    client = Client(kube)
    for i in range(10):
        assert client.call('POST', CONFIGMAPS, {'metadata': {'name': 'n%d' % i}, 'data': {'k': 'x' * 400000}})[0] == 201
    connection = connect(kube)
    send(connection, kube, 'GET %s HTTP/1.1\r\nConnection: close' % CONFIGMAPS)
    assert is_up(kube)
    text = b''
    while True:
        piece = connection.recv(65536)
        if not piece:
            break
        text += piece
    assert len(json.loads(text.partition(b'\r\n\r\n')[2].decode())['items']) >= 10
