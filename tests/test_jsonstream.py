"""JSON that arrives in pieces is what it is as a whole, wherever it was cut."""
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner.kube import jsonstream

LIST = {'kind': 'PodList', 'metadata': {'resourceVersion': '12'}, 'n': 12.5,
        'items': [{'metadata': {'name': 'a-\u00e9\U0001f600'}}, {'x': [1, {'items': []}], '"},]': None}, 3, '[{']}


def in_pieces(data, size):
    return [data[i:i + size] for i in range(0, len(data), size)]


def collected(chunks):
    """Return the members of a JSON object, with the items as one list again."""
    found = {}
    for key, value in jsonstream.members(chunks):
        if key == 'items':
            found.setdefault('items', []).append(value)
        else:
            found[key] = value
    return found


@pytest.mark.parametrize('size', [1, 2, 3, 7, 1000])
@pytest.mark.parametrize('indent', [None, 2])
@pytest.mark.parametrize('ascii_only', [True, False])
def test_a_list_is_read_the_same_whatever_its_pieces_are(size, indent, ascii_only):
    text = json.dumps(LIST, indent=indent, ensure_ascii=ascii_only)
    assert collected(in_pieces(text.encode('utf8'), size)) == LIST


WORDS = st.text(max_size=8) | st.just('items')
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12)


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.integers(1, 50))
def test_any_object_is_read_the_same_whatever_its_pieces_are(value, size):
    if value.get('items') == []:
        del value['items']
    if isinstance(value.get('items'), list):
        assert collected(in_pieces(json.dumps(value).encode('utf8'), size)) == value
    else:
        found = dict(jsonstream.members(in_pieces(json.dumps(value).encode('utf8'), size)))
        assert found == value


def test_items_come_before_the_rest_has_arrived():
    def chunks():
        yield b'{"items": [{"a": 1}, {"b": '
        pytest.fail('the next chunk was asked for')

    assert next(jsonstream.members(chunks())) == ('items', {'a': 1})


@pytest.mark.parametrize('text', [
    '', '[]', '{', '{"items": [1, 2', '{"items": [1 2]}', '{"a" 1}', '{"a": nope}', '<html>'])
def test_what_is_no_complete_object_is_an_error(text):
    with pytest.raises(ValueError):
        collected(in_pieces(text.encode('utf8'), 3))


@given(st.binary(), st.integers(1, 10))
def test_arbitrary_bytes_are_read_or_refused_with_a_value_error(data, size):
    try:
        collected(in_pieces(data, size))
    except ValueError:
        pass


@pytest.mark.parametrize('size', [1, 2, 3, 7, 1000])
def test_what_is_left_out_of_the_text_is_left_out_wherever_it_is_cut(size):
    def shorten(text):
        return text.replace(',"b":[2]}', '}')

    data = json.dumps({'x': 0, 'items': [{'a': 1, 'b': [2]}] * 3}, separators=(',', ':')).encode('utf8')
    assert list(jsonstream.members(in_pieces(data, size), shorten)) == [('x', 0)] + [('items', {'a': 1})] * 3
    assert jsonstream.value(data, shorten) == {'x': 0, 'items': [{'a': 1}] * 3}


@given(st.lists(st.binary()))
def test_lines_are_the_same_whatever_the_pieces_are(chunks):
    complete = b''.join(chunks).split(b'\n')[:-1]
    assert list(jsonstream.lines(chunks)) == [line for line in complete if line.strip()]
