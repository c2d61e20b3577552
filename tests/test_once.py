"""What is said once."""
from kubespawner.kube.once import Once


def test_each_thing_is_new_once():
    once = Once()
    assert [once.is_new('a'), once.is_new('a'), once.is_new('a', 'b'), once.is_new('b')] == [True, False, True, True]


def test_the_oldest_is_forgotten_when_there_are_too_many():
    once = Once(limit=2)
    assert [once.is_new(what) for what in 'abcba'] == [True, True, True, False, True]
