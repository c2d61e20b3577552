"""Dicts that share their keys are like all others, and take less memory."""
import copy
import json
import sys
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner.kube import key_sharing


@pytest.fixture(autouse=True)
def classes(monkeypatch):
    """There is room for more classes, whatever was tested before."""
    monkeypatch.setattr(key_sharing, 'classes', {})


def sharing_keys(value: Dict[str, Any]) -> Dict[str, Any]:
    """Return a copy of a dict that shares its keys."""
    kept = key_sharing.dict_for(value)
    for key, item in value.items():
        kept[key] = item
    return kept


KEYS = st.sampled_from(['a', 'b', 'hub.jupyter.org/username', '', '\u00e9', '\ud800', '__class__', '__dict__', 'mro'])


@given(st.dictionaries(KEYS, st.integers()))
def test_it_is_a_dict_with_the_same_items_in_the_same_order(value):
    kept = sharing_keys(value)
    assert type(kept) is dict
    assert list(kept.items()) == list(value.items())
    assert json.loads(json.dumps(kept)) == kept == dict(kept) == copy.deepcopy(kept)


@pytest.mark.parametrize('number', [1, 3, 8, key_sharing.MOST_KEYS])
def test_it_takes_three_quarters_of_the_memory_at_most(number):
    value = {'key %d' % i: i for i in range(number)}
    assert sys.getsizeof(sharing_keys(value)) <= 0.75 * sys.getsizeof(dict(value.items()))


def test_many_keys_do_not_take_more_memory_than_usual():
    value = {'key %d' % i: i for i in range(40)}
    assert sys.getsizeof(sharing_keys(value)) <= sys.getsizeof(dict(value.items()))


def test_a_change_of_one_is_not_a_change_of_another():
    first, second = sharing_keys({'x': 1, 'y': 2}), sharing_keys({'x': 3, 'y': 4})
    first['z'] = 5
    del first['x']
    second.pop('y')
    assert first == {'y': 2, 'z': 5} and second == {'x': 3} and sharing_keys({'x': 6, 'y': 7}) == {'x': 6, 'y': 7}


def test_the_number_of_sets_of_keys_that_are_remembered_is_limited(monkeypatch):
    monkeypatch.setattr(key_sharing, 'MOST_CLASSES', 0)
    value = {'a': 1, 'b': 2}
    assert sharing_keys(value) == value
    assert sys.getsizeof(sharing_keys(value)) == sys.getsizeof(dict(value.items()))
