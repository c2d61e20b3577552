"""The browser of the tests: it asks a kernel again if what that has said is lost on the way."""
import json

import pytest
import websocket

from tests.hub import browser
from tests.hub.browser import AnswerLost, Browser

BUSY, IDLE = ('status', {'execution_state': 'busy'}), ('status', {'execution_state': 'idle'})
RESULT = 'execute_result', {'data': {'text/plain': '42'}}


class Channel:
    """A websocket to a kernel whose answers lose something: `arriving` has what arrives of each."""

    def __init__(self, arriving):
        self.arriving, self.requests, self.messages = list(arriving), [], []

    def send(self, text):
        self.requests.append(json.loads(text))
        self.messages = list(self.arriving.pop(0))

    def recv(self):
        if not self.messages:
            raise websocket.WebSocketTimeoutException
        kind, content = self.messages.pop(0)
        return json.dumps({'parent_header': self.requests[-1]['header'], 'msg_type': kind, 'content': content})

    def settimeout(self, seconds):
        pass

    def close(self):
        pass


@pytest.fixture
def run(monkeypatch):
    """`run(arriving)` runs code, and returns what the browser makes of its answers, and how often it has asked."""
    def run_code(arriving):
        channel = Channel(arriving)
        monkeypatch.setattr(websocket, 'create_connection', lambda *args, **kwargs: channel)
        ann = Browser('http://127.0.0.1:8000', 'ann')
        ann.session.cookies.set('any', 'one')
        return ann.run('kernel', '6*7'), len(channel.requests)

    return run_code


@pytest.mark.parametrize('arriving, result, asked', [
    ([[BUSY, RESULT, IDLE]], '42', 1),
    ([[RESULT, IDLE]], '42', 1),
    ([[BUSY, IDLE]], None, 1),
    ([[IDLE], [BUSY, RESULT, IDLE]], '42', 2),
    ([[IDLE], [IDLE], [BUSY, IDLE]], None, 3),
    ([[], [BUSY, RESULT, IDLE]], '42', 2),
    ([[BUSY], [BUSY, RESULT, IDLE]], '42', 2),
])
def test_what_arrives_without_its_beginning_or_not_at_all_is_asked_for_again(run, arriving, result, asked):
    assert run(arriving) == (result, asked)


def test_it_does_not_ask_for_ever(run, monkeypatch):
    monkeypatch.setattr(browser, 'PATIENCE', 0)
    with pytest.raises(AnswerLost):
        run([[IDLE]])


def test_the_error_of_the_code_is_raised_at_once(run):
    with pytest.raises(RuntimeError, match='no such name'):
        run([[BUSY, ('error', {'evalue': 'no such name'})]])
