"""The code blocks of README.rst and docs/, for tests that run them, and what makes the settings reference."""
import glob
import os
import re
import sys
import textwrap

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
DOCS = os.path.join(ROOT, 'docs')

sys.path.append(DOCS)
import settings_reference  # noqa: E402, F401

PAGES = [os.path.join(ROOT, 'README.rst')] + sorted(glob.glob(os.path.join(DOCS, '*.rst')))


def text_of(path):
    with open(path, encoding='utf8') as f:
        return f.read()


def blocks(language):
    """Return all code blocks of a language, as (name of the page, text)."""
    pattern = re.compile(r'\.\. code-block:: %s\n\n((?:    .*\n|\n)+)' % language)
    found = [(os.path.basename(page), text) for page in PAGES for text in pattern.findall(text_of(page))]
    return [(page, textwrap.dedent(text)) for page, text in found]


def block(language, containing):
    """Return the only code block of a language that contains certain words."""
    found = [text for _, text in blocks(language) if containing in text]
    assert len(found) == 1, '%d blocks contain %r' % (len(found), containing)
    return found[0]
