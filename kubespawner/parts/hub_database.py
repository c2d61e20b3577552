"""Writing to the hub's database, through JupyterHub's own session, the only one of a hub.

JupyterHub rolls back uncommitted changes whenever it has answered a request, so every change must be committed before
the loop continues. A commit takes a millisecond of CPU, and blocks the hub until the disk has it. A commit of several
changes takes hardly longer than one of a single change, so servers that have something to write at the same time share
a commit.

What is written does not belong here. Everything runs on the IOLoop's thread.
"""
import weakref

from tornado.concurrent import Future
from tornado.ioloop import IOLoop

_waiting = weakref.WeakKeyDictionary()  # session -> (loop, list of (change, future)) of the commit that is to come


def commit(user):
    """Commit the changes. Without a session, do nothing.

    user: JupyterHub's, which has the session; JupyterHub 6 warns when `Spawner.db` is used.
    """
    session = getattr(user, 'db', None)
    if session is not None:
        _commit(session)


def _commit(session):
    """Commit, or roll back and raise the error: until then, a session refuses everything else."""
    try:
        session.commit()
    except Exception:
        session.rollback()
        raise


def commit_together(user, change):
    """In the next iteration of the loop, call `change()`, which changes objects of the database, and commit.

    Returns a future of None, or of the error of the change or the commit. Without a session, call `change()` at once.
    """
    session, loop, future = getattr(user, 'db', None), IOLoop.current(), Future()
    if session is None:
        change()
        future.set_result(None)
        return future
    waiting_on, changes = _waiting.get(session, (None, None))
    if waiting_on is not loop:
        changes = []
        _waiting[session] = loop, changes
        loop.add_callback(_commit_all, session, changes)
    changes.append((change, future))
    return future


def _commit_all(session, changes):
    _waiting.pop(session, None)
    made = [future for change, future in changes if _has_been_made(change, future)]
    try:
        _commit(session)
    except Exception as e:
        for future in made:
            future.set_exception(e)
    else:
        for future in made:
            future.set_result(None)


def _has_been_made(change, future):
    """Make a change; return whether it succeeded. Otherwise, the future gets the error."""
    try:
        change()
    except Exception as e:
        future.set_exception(e)
        return False
    return True
