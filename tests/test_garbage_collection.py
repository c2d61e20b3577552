"""How often the garbage collector looks at new objects, once there are spawners."""
import gc

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
    assert gc.get_threshold() == (garbage_collection.NEW_OBJECTS,) + threshold[1:]


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
