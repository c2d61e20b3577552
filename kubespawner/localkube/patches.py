"""The three kinds of patches: merge (RFC 7386), strategic merge, and JSON patch (RFC 6902).

What belongs here: applying a patch to an object. What does not: whether the result is valid. Pure; any thread. Results
share no data with the original object. The package jsonpatch applies JSON patches. It rejects some patches that RFC
6902 forbids and Kubernetes 1.20 accepts, such as replacing a missing value, or negative indices.
"""
import copy
import json

from . import errors
from .fields import TYPES
from .wrong_types import TYPE_META


def apply(content_type, obj, patch, kind):
    """Return `obj` patched. Raise ApiError 415 for an unknown content type, 400 or 422 for an invalid patch."""
    patcher = PATCHERS.get(content_type)
    if patcher is None:
        raise errors.unsupported_media_type(sorted(PATCHERS))
    return patcher(copy.deepcopy(obj), patch, kind)


def merge_patch(obj, patch, kind=None):
    if isinstance(patch, list):
        complaint = TYPE_META % 'array'
        raise errors.invalid('', '', [('FieldValueInvalid', 'patch', 'Invalid value: "[]": couldn\'t get version/kind; '
                                       'json parse error: ' + complaint)])
    if not isinstance(patch, dict):
        raise errors.ApiError(500, None, 'Invalid JSON Patch')
    return merged(obj, patch)


def merged(obj, patch):
    for key, value in patch.items():
        if value is None:
            obj.pop(key, None)
        elif isinstance(value, dict):
            old = obj.get(key)
            obj[key] = merged(old if isinstance(old, dict) else {}, value)
        else:
            obj[key] = value
    return obj


def strategic_merge_patch(obj, patch, kind):
    if not isinstance(patch, dict):
        raise cannot_unmarshal(patch, 'map[string]interface {}')
    return strategically_merged(obj, patch, kind)


def strategically_merged(obj, patch, type_name):
    """Merge `patch` into the object `obj` of a type in fields.py. Without a type, treat them as plain maps."""
    fields = TYPES.get(type_name, {})
    values = {key: value for key, value in patch.items() if not key.startswith('$')}
    if patch.get('$patch') == 'replace':
        return values
    if patch.get('$patch') == 'delete':
        return {}
    if '$patch' in patch:
        raise errors.ApiError(500, None, 'unknown patch type: %s in map: %s'
                              % (go_text(patch['$patch']), go_map(patch)))
    if '$retainKeys' in patch:
        obj = {key: value for key, value in obj.items() if key in patch['$retainKeys']}
    for key, value in values.items():
        if value is None or value == {'$patch': 'delete'}:
            obj.pop(key, None)
        else:
            obj[key] = merged_value(obj.get(key), value, fields.get(key))
    return ordered(without_primitives(obj, patch), patch, fields)


def merged_value(old, value, field):
    """Return the new value of a field that is patched with `value`. `field` is None for an unknown field."""
    if isinstance(value, dict):
        type_name = field.type if field and field.shape == 'one' else None
        return strategically_merged(old if isinstance(old, dict) else {}, value, type_name)
    if isinstance(value, list):
        return merged_list(old or [], value, field)
    if field and field.shape == 'list':
        raise errors.invalid('', '', [('FieldValueInvalid', 'patch', 'Invalid value: cannot restore slice from %s'
                                       % type(value).__name__)])
    return value


def merged_list(old, patch, field):
    if not field or not field.merge_key:
        return patch
    if field.merge_key == '*':
        return old + [value for value in patch if value not in old]
    if any(item.get('$patch') == 'replace' for item in patch if isinstance(item, dict)):
        return [item for item in patch if '$patch' not in item]
    result = list(old)
    for item in patch:
        merge_item(result, item, field)
    return result


def merge_item(items, item, field):
    """Merge one element of a patched list into `items`, the element with the same merge key."""
    key = field.merge_key
    if not isinstance(item, dict) or key not in item:
        raise errors.ApiError(500, None, 'map: %s does not contain declared merge key: %s' % (item, key))
    found = [i for i, old in enumerate(items) if old.get(key) == item[key]]
    if item.get('$patch') == 'delete':
        items[:] = [old for i, old in enumerate(items) if i not in found]
    elif found:
        items[found[0]] = strategically_merged(items[found[0]], without_merge(item), field.type)
    else:
        items.append(strategically_merged({}, without_merge(item), field.type))


def without_merge(item):
    """Return an element of a patched list without the directive that says what happens anyway."""
    return {key: value for key, value in item.items() if (key, value) != ('$patch', 'merge')}


def without_primitives(obj, patch):
    """Apply `$deleteFromPrimitiveList/NAME`."""
    for key, values in patch.items():
        if key.startswith('$deleteFromPrimitiveList/'):
            name = key.partition('/')[2]
            obj[name] = [value for value in obj.get(name) or [] if value not in values]
    return obj


def ordered(obj, patch, fields):
    """Apply `$setElementOrder/NAME`: its elements come first, in its order, and all others after them."""
    for key, order in patch.items():
        name = key.partition('/')[2]
        if key.startswith('$setElementOrder/') and obj.get(name):
            merge_key = fields[name].merge_key if name in fields else '*'
            places = {identity(item, merge_key): place for place, item in enumerate(order)}
            found = [places.get(identity(item, merge_key), len(places)) for item in obj[name]]
            obj[name] = [item for _, _, item in sorted(zip(found, range(len(found)), obj[name]))]
    return obj


def identity(item, merge_key):
    """Return the value that identifies an element of a merged list."""
    return item if merge_key == '*' else item.get(merge_key)


def json_patch(obj, patch, kind=None):
    patch = [] if patch is None else patch
    if not isinstance(patch, list):
        raise cannot_unmarshal(patch, 'jsonpatch.Patch')
    for operation in patch:
        if not isinstance(operation, (dict, type(None))):
            raise cannot_unmarshal(operation, 'jsonpatch.Operation')
    try:
        import jsonpatch
    except ImportError:
        raise errors.ApiError(415, 'UnsupportedMediaType', 'localkube needs the package jsonpatch for a JSON patch: '
                                                           'the extra [demo] brings it')
    try:
        if all(may_be_applied(operation) for operation in patch):
            return jsonpatch.apply_patch(obj, patch, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):  # the last: up to 1.33
        pass
    raise errors.ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})


def may_be_applied(operation):
    """Return whether the API server may carry an operation out. Some releases of jsonpatch know more operations, and
    all of them replace or copy the object as a whole, which the API server refuses."""
    if not operation or operation.get('op') not in OPERATIONS:
        return False
    return operation.get('path') != '' and (operation['op'] not in ('move', 'copy') or operation.get('from') != '')


def shown(content_type, patch, patched):
    """Return the text that stands for a patch whose result is invalid."""
    if content_type.startswith('application/strategic'):
        return go_map(patch)
    return json.dumps(patched, separators=(',', ':'), sort_keys=True, ensure_ascii=False)


def go_text(value):
    """Return a value as Go prints it where it expects a text."""
    if isinstance(value, str):
        return value
    kind = {bool: 'bool=', int: 'int64=', float: 'float64='}.get(type(value), '')
    return '%%!s(%s%s)' % (kind, go_map(value))


def go_map(value):
    """Return a value as Go prints it."""
    if isinstance(value, dict):
        return 'map[%s]' % ' '.join('%s:%s' % (key, go_map(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return '[%s]' % ' '.join(go_map(each) for each in value)
    return {None: '<nil>', True: 'true', False: 'false'}.get(value, str(value)) if not isinstance(
        value, (int, float)) or isinstance(value, bool) else str(value)


def cannot_unmarshal(value, type_name):
    return errors.bad_request('json: cannot unmarshal %s into Go value of type %s' % (
        JSON_TYPES.get(type(value), 'null'), type_name))


JSON_TYPES = {dict: 'object', list: 'array', str: 'string', int: 'number', float: 'number', bool: 'bool'}
OPERATIONS = ('add', 'remove', 'replace', 'move', 'copy', 'test')
PATCHERS = {'application/merge-patch+json': merge_patch, 'application/json-patch+json': json_patch,
            'application/strategic-merge-patch+json': strategic_merge_patch}
