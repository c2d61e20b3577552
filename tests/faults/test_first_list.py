"""A thousand polls before the first list: one list, and all are answered."""
import pytest

from tests.support.waits import until_on_loop

SPAWNERS, POLLS = 100, 10  # of each


@pytest.mark.gen_test
def test_polling_a_thousand_times_lists_once(proxy, asked, new_spawner):
    spawners = [new_spawner('user-%d' % i) for i in range(SPAWNERS)]
    assert (yield [spawner.poll() for _ in range(POLLS) for spawner in spawners]) == [1] * SPAWNERS * POLLS
    yield until_on_loop(lambda: asked == ['list', 'watch'])


@pytest.mark.gen_test
def test_polling_a_thousand_times_while_the_api_is_down_lists_once_it_is_up(proxy, asked, new_spawner):
    spawners = [new_spawner('user-%d' % i) for i in range(SPAWNERS)]
    proxy.refuse()
    polls = [spawner.poll() for _ in range(POLLS) for spawner in spawners]
    yield until_on_loop(lambda: len(asked) >= 3)
    assert not any(poll.done() for poll in polls)
    proxy.resume()
    assert (yield polls) == [1] * SPAWNERS * POLLS
    yield until_on_loop(lambda: 'watch' in asked)
    assert asked.count('watch') == 1 and asked[-1] == 'watch'  # each list before it was refused, but the last
