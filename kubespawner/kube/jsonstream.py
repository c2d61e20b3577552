"""JSON that arrives in pieces: the lines of a watch, the items of a list.

Here belongs finding the values in a stream of bytes and decoding them one by one, so that no decoding holds up other
threads for long. What they mean does not. Pure; any thread.
"""
import codecs
import json
import re
from typing import Any, Iterable, Iterator, Tuple

_decode = json.JSONDecoder().raw_decode
AFTER_A_VALUE = frozenset(',:]} \t\r\n')
LONGEST_LINE = 2 ** 24  # bytes; etcd keeps no object that is a tenth of it
_space = re.compile(r'[ \t\r\n]*')


class Garbled(ValueError):
    """What arrived is not what it should be."""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the non-empty lines in the byte strings `chunks`, as bytes. Half a line at the end is dropped.

    Raises Garbled for one that does not end.
    """
    rest = b''
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b'\n')
        for line in complete:
            if line.strip():
                yield line
        if len(rest) > LONGEST_LINE:
            raise Garbled('a line of more than %d bytes' % LONGEST_LINE)


def value(data: bytes) -> Any:
    """Return the JSON value that is in a byte string. Raises Garbled."""
    try:
        return json.loads(data.decode('utf8'))
    except (ValueError, RecursionError) as e:
        raise Garbled('%s: %.200r' % (e, data))


def members(chunks: Iterable[bytes]) -> Iterator[Tuple[str, Any]]:
    """Yield (key, value) for each member of the JSON object in the byte strings `chunks`.

    For a member `items` that is a list, (key, item) for each of its items. Raises Garbled for what is no such
    object, and for one that ends too early.
    """
    text = _Text(chunks)
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
    """The text of a stream: as much as has arrived and is not used up."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder('utf8')()
        self._text, self._at = '', 0

    def _read_on(self):
        chunk = next(self._chunks, None)
        if chunk is None:
            raise Garbled('the JSON ends too early, after: ' + self._text[self._at:][-200:])
        try:
            self._text, self._at = self._text[self._at:] + self._decoder.decode(chunk), 0
        except UnicodeDecodeError as e:
            raise Garbled(str(e))

    def next(self) -> str:
        """Return the next character that is not white space. It stays the next."""
        while True:
            self._at = _space.match(self._text, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._at < len(self._text):
                return self._text[self._at]
            self._read_on()

    def take(self, character: str) -> None:
        """Go past this character, which must be the next."""
        if self.next() != character:
            raise Garbled('no %s but: %s' % (character, self._text[self._at:][:200]))
        self._at += 1

    def value(self) -> Any:
        """Return the next value, and go past it."""
        self.next()
        while True:
            try:
                value, end = _decode(self._text, self._at)
                if self._text[end:end + 1] in AFTER_A_VALUE:  # otherwise it was the beginning of a number
                    self._at = end
                    return value
            except ValueError:  # it has not arrived as a whole
                pass
            except RecursionError as e:
                raise Garbled(str(e))
            self._read_on()
