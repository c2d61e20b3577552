"""Writing to the hub's database, through the one session of a hub, which is JupyterHub's own.

JupyterHub rolls back what is not committed whenever it has answered a request. So nothing may be left changed when the
loop goes on. A commit takes a millisecond of CPU, and the hub answers nobody until the disk has it. Of a few changes,
it takes hardly longer than of one. So servers that have something to write at the same time share a commit.

What is written does not belong here. Everything runs on the IOLoop's thread.
"""
import weakref

from tornado.concurrent import Future
from tornado.ioloop import IOLoop

_waiting = weakref.WeakKeyDictionary()  # session -> (loop, list of (change, future)) of the commit that is to come


def commit(user):
    """Commit what has been changed.

    user: JupyterHub's, which has the session; JupyterHub 6 warns when `Spawner.db` is used. Without a session, there is
        nothing to do.
    """
    session = getattr(user, 'db', None)
    if session is not None:
        session.commit()


def commit_together(user, change):
    """In the next iteration of the loop, call `change()`, which changes what the database keeps, and commit that.

    Returns a future of None. It has the error of the change or of the commit. Without a session, see `commit`, the
    change is made at once.
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
        session.commit()
    except Exception as e:
        for future in made:
            future.set_exception(e)
    else:
        for future in made:
            future.set_result(None)


def _has_been_made(change, future):
    """Make a change; return whether that worked. Otherwise, the future has the error."""
    try:
        change()
    except Exception as e:
        future.set_exception(e)
        return False
    return True
