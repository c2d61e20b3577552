"""The configuration file of --config, which the hub's process loads: what is wrong with it, and in which line."""
import sys
import traceback
from contextlib import contextmanager

MARK = 'kubespawner demo: '  # begins the line of the hub's log that says what is wrong


def problem(path, name, error):
    """Return where in the file at `path`, and how, it raised an error, as in "NAME, line 3: NameError: …"."""
    what = '%s: %s' % (type(error).__name__, error)
    if isinstance(error, SyntaxError):
        where = name if error.filename in (None, path) else error.filename
        return '%s, line %d: %s: %s' % (where, error.lineno or 1, type(error).__name__, error.msg)
    lines = [frame[1] for frame in traceback.extract_tb(error.__traceback__) if frame[0] == path]
    return '%s, line %d: %s' % (name, lines[-1], what) if lines else '%s: %s' % (name, what)


def check_syntax(path):
    """Return what is wrong with the file before it is run, as `problem` does; None if it is Python."""
    try:
        with open(path, 'rb') as f:
            compile(f.read(), path, 'exec')
    except (OSError, ValueError, SyntaxError) as e:
        return problem(path, path, e)


@contextmanager
def explained(path, name):
    """End the hub with one sentence if the block, which loads the file, raises an error.

    path (str): the file's, absolute. name (str): the path as the user wrote it.
    """
    try:
        yield
    except Exception as e:
        print(MARK + problem(path, name, e).replace('\n', ' '), file=sys.stderr, flush=True)
        sys.exit(1)
