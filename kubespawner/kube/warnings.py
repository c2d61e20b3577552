"""The API server's warnings in its responses: unknown fields, deprecated versions, Pod Security. Any thread.

It sends such warnings in `Warning` headers (RFC 7234): a code, an agent, and a quoted text. Each text is logged once.
"""
import re
from typing import Any, List

from ..messages.errors import one_line
from .once import Once

LONGEST = 500  # characters of a text

_WARNING = re.compile(r'\b[0-9]{3} \S+ "((?:[^"\\]|\\.)*)"')

_once = Once()


def texts_in(headers: Any) -> List[str]:
    """Return the texts of the warnings in the headers of an answer, each one line.

    headers (mapping or None): with a method `getlist` if a header may come several times.
    """
    getlist = getattr(headers, 'getlist', None)
    values = getlist('Warning') if getlist else [(headers or {}).get('Warning')]
    found = [text for value in values for text in _WARNING.findall(str(value or ''))]
    return [one_line(re.sub(r'\\(.)', r'\1', text))[:LONGEST] for text in found]


def log_once(headers: Any, log: Any, request: Any) -> None:
    """Log the warnings in the headers of the response to a request, unless they have been logged before."""
    for text in texts_in(headers):
        if _once.is_new(text):
            log.warning('Kubernetes warns of the request to %r: %s', request, text)
