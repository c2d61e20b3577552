"""The README's code blocks, for tests that run what it says."""
import os
import re
import textwrap

README = os.path.join(os.path.dirname(__file__), '..', 'README.rst')


def block(language, containing):
    """Return the README's code block of a language that has certain words in it."""
    with open(README, encoding='utf8') as f:
        blocks = re.findall(r'\.\. code-block:: %s\n\n((?:    .*\n|\n)+)' % language, f.read())
    found = [textwrap.dedent(text) for text in blocks if containing in text]
    assert len(found) == 1
    return found[0]
