"""The part of the hub's log that the demo shows on the terminal: logins, starts, warnings and errors. Pure.

The log itself is a file. Tracebacks are in it, but not on the terminal.
"""
import re
from collections import namedtuple

LINE = re.compile(r'\[(?P<level>[DIWEC]) [^\]]*\] (?P<text>.*)')
LEVELS = {'W': 'warning', 'E': 'error', 'C': 'error'}  # those that are shown, with the style

# What lines of the log mean, in all versions of JupyterHub: expression, what to print, style, change
MEANINGS = [(re.compile(expression), text, style, change) for expression, text, style, change in [
    (r'User logged in: (?P<user>.+)', '{user} has logged in.', 'plain', None),
    (r'(?P<user>.+) is pending spawn$', '', 'plain', 'begin'),
    (r'User (?P<user>.+) took (?P<seconds>\d+\.\d)\d* seconds to start', "{user}'s server is ready after {seconds} s.",
     'done', 'end'),
    (r"(Not starting|Unhandled error starting) (?P<user>.+?)'s server ?: (?P<reason>.*)",
     "The start of {user}'s server failed: {reason}", 'error', 'end'),
    (r"(?P<user>.+)'s server failed to start in (?P<seconds>\d+)",
     "The start of {user}'s server failed: it took more than {seconds} s.", 'error', 'end'),
]]

# What a demo's hub logs as a warning or an error, though nothing is wrong or another line says it better
NOISE = re.compile('|'.join([
    r'\d\d\d (GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) /', 'Running JupyterHub without SSL', 'Received signal ',
    'Skipping XSRF check ', 'Failing suspected API request to not-running server', 'Unhandled error starting server ',
    r'User \S+ is slow to (start|become responsive|be added)']))


Shown = namedtuple('Shown', 'text style change user')
Shown.__doc__ += """: what a line means.

text (str): to print; '' prints nothing. style (str): of `output.STYLES`.
change (str or None): 'begin' or 'end' of the start of `user`'s server.
"""


def shown(line):
    """Return what to show of a line of the log as a Shown, None for nothing."""
    found = LINE.match(line)
    if not found:
        return None
    text, level = found.group('text'), found.group('level')
    for expression, wanted, style, change in MEANINGS:
        match = expression.match(text)
        if match:
            return Shown(wanted.format(**match.groupdict()), style, change, match.group('user'))
    if level in LEVELS and not NOISE.match(text):
        return Shown(text, LEVELS[level], None, None)
    return None
