"""The hub's database: who has something to write shares a commit with all others who have at that time."""
from types import SimpleNamespace

import pytest
from tornado import gen

from kubespawner.parts.hub_database import commit, commit_together


class Session:
    """A database session with a history of what happens. Its first commits fail, as many as it is told."""

    def __init__(self, failures=0):
        self.history, self._failures = [], failures
        self.user = SimpleNamespace(db=self)

    def commit(self):
        self.history.append('commit')
        if self._failures:
            self._failures -= 1
            raise RuntimeError('the disk is full')

    def rollback(self):
        self.history.append('rollback')

    def change(self, number):
        """Return a change of this number, which only the history knows."""
        return lambda: self.history.append(number)


@pytest.mark.gen_test
def test_who_asks_at_the_same_time_shares_a_commit():
    session, other = Session(), Session()
    yield [commit_together(session.user, session.change(number)) for number in (1, 2, 3)] + [
        commit_together(other.user, other.change(4))]
    assert session.history == [1, 2, 3, 'commit'] and other.history == [4, 'commit']


@pytest.mark.gen_test
def test_a_change_is_committed_in_the_iteration_of_the_loop_in_which_it_is_made():
    session = Session()
    done = commit_together(session.user, session.change(1))
    assert session.history == [] and not done.done()
    while not session.history:
        yield gen.moment
    assert session.history == [1, 'commit']


@pytest.mark.gen_test
def test_who_asks_after_a_commit_has_another_one():
    session = Session()
    for number in (1, 2):
        yield commit_together(session.user, session.change(number))
    assert session.history == [1, 'commit', 2, 'commit']


@pytest.mark.gen_test
def test_an_error_of_a_commit_is_raised_for_each_and_the_next_commit_is_tried():
    session = Session(failures=1)
    for future in [commit_together(session.user, session.change(number)) for number in (1, 2)]:
        with pytest.raises(RuntimeError, match='the disk is full'):
            yield future
    yield commit_together(session.user, session.change(3))
    assert session.history == [1, 2, 'commit', 'rollback', 3, 'commit']


def test_a_commit_that_fails_is_rolled_back_so_that_the_session_can_be_used():
    session = Session(failures=1)
    with pytest.raises(RuntimeError, match='the disk is full'):
        commit(session.user)
    commit(session.user)
    assert session.history == ['commit', 'rollback', 'commit']


@pytest.mark.gen_test
def test_an_error_of_a_change_is_raised_for_that_one_only():
    def broken():
        raise ValueError('no such template')

    session = Session()
    failed = commit_together(session.user, broken)
    yield commit_together(session.user, session.change(1))
    with pytest.raises(ValueError, match='no such template'):
        yield failed
    assert session.history == [1, 'commit']


@pytest.mark.parametrize('user', [SimpleNamespace(), SimpleNamespace(db=None)], ids=['no attribute', 'None'])
@pytest.mark.gen_test
def test_without_a_database_a_change_is_made_at_once(user):
    changes = []
    assert commit_together(user, lambda: changes.append('made')).done()
    assert changes == ['made']
