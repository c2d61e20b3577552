"""Incremental JSON decoding of a stream of bytes: the lines of a watch, and the items of a list.

Values are decoded one by one, so that decoding does not block other threads for long. What the values mean does not
belong here; a function `shorten` that is called with the text before it is decoded may know, and leave some of it out.
Pure; any thread.
"""
import codecs
import json
import re
from typing import Any, Callable, Iterable, Iterator, Tuple

_decode = json.JSONDecoder().raw_decode
AFTER_A_VALUE = frozenset(',:]} \t\r\n')
LONGEST_LINE = 2 ** 24  # bytes, more than ten times the size of the largest object that etcd accepts
_space = re.compile(r'[ \t\r\n]*')


class Garbled(ValueError):
    """The server sent something unexpected."""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the non-empty lines in the byte strings `chunks`, as bytes. Drop an incomplete line at the end.

    Raises Garbled if a line is too long.
    """
    rest = b''
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b'\n')
        for line in complete:
            if line.strip():
                yield line
        if len(rest) > LONGEST_LINE:
            raise Garbled('a line is longer than %d bytes' % LONGEST_LINE)


def value(data: bytes, shorten: Callable[[str], str] = str) -> Any:
    """Return the JSON value in a byte string. Raises Garbled."""
    try:
        return json.loads(shorten(data.decode('utf8')))
    except (ValueError, RecursionError) as e:
        raise Garbled('%s: %.200r' % (e, data))


def members(chunks: Iterable[bytes], shorten: Callable[[str], str] = str) -> Iterator[Tuple[str, Any]]:
    """Yield (key, value) for each member of the JSON object in the byte strings `chunks`.

    If the value of `items` is a list, yield ('items', item) for each of its items instead. Raises Garbled if the bytes
    are not a complete JSON object.

    shorten (callable): gets pieces of the text. A piece begins anywhere; what has not been decoded is part of the next.
    """
    text = _Text(chunks, shorten)
    text.take('{')
    while text.next() != '}':
        key = text.value()
        text.take(':')
        if key == 'items' and text.next() == '[':
            for item in _items(text):
                yield key, item
        else:
            yield key, text.value()
        if text.next() != '}':
            text.take(',')


def _items(text: '_Text') -> Iterator[Any]:
    text.take('[')
    while text.next() != ']':
        yield text.value()
        if text.next() != ']':
            text.take(',')
    text.take(']')


class _Text:
    """The decoded text of a stream. It contains what has arrived and has not been consumed."""

    def __init__(self, chunks: Iterable[bytes], shorten: Callable[[str], str]) -> None:
        self._chunks, self._shorten = iter(chunks), shorten
        self._decoder = codecs.getincrementaldecoder('utf8')()
        self._text, self._at = '', 0

    def _read_on(self):
        chunk = next(self._chunks, None)
        if chunk is None:
            raise Garbled('the JSON is incomplete, and ends with: ' + self._text[self._at:][-200:])
        try:
            self._text, self._at = self._shorten(self._text[self._at:] + self._decoder.decode(chunk)), 0
        except UnicodeDecodeError as e:
            raise Garbled(str(e))

    def next(self) -> str:
        """Return the next character that is not white space, without consuming it."""
        while True:
            self._at = _space.match(self._text, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._at < len(self._text):
                return self._text[self._at]
            self._read_on()

    def take(self, character: str) -> None:
        """Consume the next character, which must be this one."""
        if self.next() != character:
            raise Garbled('expected %s, but got: %s' % (character, self._text[self._at:][:200]))
        self._at += 1

    def value(self) -> Any:
        """Consume and return the next value."""
        self.next()
        while True:
            try:
                value, end = _decode(self._text, self._at)
                if self._text[end:end + 1] in AFTER_A_VALUE:  # otherwise this may be only the beginning of a number
                    self._at = end
                    return value
            except ValueError:  # the value has not arrived completely
                pass
            except RecursionError as e:
                raise Garbled(str(e))
            self._read_on()
