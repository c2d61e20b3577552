"""How often the garbage collector looks at new objects, once there are spawners."""
import gc
import weakref

import pytest

from kubespawner import garbage_collection

PYTHONS_OWN = [(700, 10, 10), (2000, 10, 10)]


@pytest.fixture(autouse=True)
def as_before():
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    getattr(gc, 'unfreeze', lambda: None)()


@pytest.mark.parametrize('threshold', PYTHONS_OWN)
def test_it_looks_less_often_than_python_does_by_itself(threshold):
    gc.set_threshold(*threshold)
    garbage_collection.relieve()
    new_objects, looks, looks_at_old_ones = gc.get_threshold()
    assert new_objects == garbage_collection.NEW_OBJECTS
    assert new_objects * (looks + 2) <= 60000  # objects that are looked at together
    assert (looks + 2) * (looks_at_old_ones + 2) >= (threshold[1] + 2) * (threshold[2] + 2)


def test_a_python_that_looks_at_a_part_of_the_old_objects_each_time_goes_on_to():
    gc.set_threshold(2000, 10, 0)
    garbage_collection.relieve()
    assert gc.get_threshold() == (garbage_collection.NEW_OBJECTS, 10, 0)


@pytest.mark.parametrize('threshold', [(0, 10, 10), (701, 10, 10), (100000, 50, 50)])
def test_what_an_operator_has_set_stays(threshold):
    gc.set_threshold(*threshold)
    garbage_collection.relieve()
    assert gc.get_threshold() == threshold


def test_it_is_not_turned_on_if_an_operator_has_turned_it_off():
    gc.disable()
    try:
        garbage_collection.relieve()
        assert not gc.isenabled()
    finally:
        gc.enable()


class Knot:
    """Refers to itself, so that only the collector can end it."""

    def __init__(self):
        self.itself = self


@pytest.mark.skipif(not hasattr(gc, 'freeze'), reason='Python has no gc.freeze before 3.7')
def test_what_is_there_before_is_looked_at_no_more_and_what_comes_later_is():
    gc.collect()
    earlier = Knot()
    garbage_collection.relieve()
    later = Knot()
    before, after = weakref.ref(earlier), weakref.ref(later)
    del earlier, later
    gc.collect()
    assert before() is not None and after() is None
