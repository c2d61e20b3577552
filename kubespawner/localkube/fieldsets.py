"""Sets of fields in the format FieldsV1, and how lists and maps are merged by server-side apply.

What belongs here: which fields an object has, and which differ between two objects. What does not: who owns them
(managers.py), applying (applying.py). Pure; any thread. Sets are never changed in place, unless a function says so.

A set is what `managedFields` contains: nested dicts, in which {} is a member, and the key `.` says that a field is a
member beside what is in it. A path is a tuple of its keys: `f:` and the name of a field, `k:` and the keys of an
element of a list, `v:` and an element of a list of plain values.
"""
import json
from collections import namedtuple
from json.encoder import encode_basestring
from sys import intern

from .fields import TYPES

MEMBER = '.'
NOTHING_INSIDE = {}  # one for all sets, which saves memory; never changed
LEAF, STRUCT, MAP, ANY, LIST, SET = 'leaf', 'struct', 'map', 'any', 'list', 'set'

Kind = namedtuple('Kind', 'relation type keys')
Kind.__doc__ += """: how server-side apply merges a value.

relation (str): LEAF has one owner as a whole; STRUCT, MAP and ANY are merged by field, LIST by `keys`, SET by value.
type (str): the type of fields.py of a STRUCT, or of the elements of a LIST.
keys (tuple of str): the fields that identify an element of a LIST.
"""

LEAF_KIND, ANY_KIND, MAP_KIND = Kind(LEAF, '', ()), Kind(ANY, '', ()), Kind(MAP, '', ())
KEYS = {  # field -> keys of its elements, where they are not the one by which a strategic merge patch merges
    ('Container', 'ports'): ('containerPort', 'protocol'),
    ('PodSpec', 'topologySpreadConstraints'): ('topologyKey', 'whenUnsatisfiable'),
    ('ServiceSpec', 'ports'): ('port', 'protocol'),
}
KEY_DEFAULTS = {'protocol': 'TCP'}
ATOMIC_FIELDS = {('PodSpec', 'nodeSelector'), ('ServiceSpec', 'selector'), ('NodeStatus', 'addresses')}
ATOMIC_TYPES = {'ConfigMapKeySelector', 'LabelSelector', 'LocalObjectReference', 'NodeSelector', 'NodeSelectorTerm',
                'ObjectFieldSelector', 'ObjectReference', 'ResourceFieldSelector', 'RoleRef', 'SecretKeySelector',
                'Subject', 'TypedLocalObjectReference'}
NOT_MANAGED = ('apiVersion', 'kind')
NOT_MANAGED_METADATA = ('clusterName', 'creationTimestamp', 'generation', 'managedFields', 'name', 'namespace',
                        'resourceVersion', 'selfLink', 'uid')
_kinds = {}  # type -> {field: Kind}


def kinds_of(type_name):
    """Return {field name: Kind} of a type of fields.py."""
    if type_name not in _kinds:
        _kinds[type_name] = {name: kind_of(type_name, name, field) for name, field in TYPES.get(type_name, {}).items()}
    return _kinds[type_name]


def kind_of(owner, name, field):
    if (owner, name) in ATOMIC_FIELDS or field.type in ATOMIC_TYPES and field.shape == 'one':
        return LEAF_KIND
    if field.shape == 'one':
        if field.type in TYPES:
            return Kind(STRUCT, field.type, ())
        return ANY_KIND if field.type == 'object' else LEAF_KIND
    if field.shape == 'map':
        return MAP_KIND
    keys = KEYS.get((owner, name)) or (field.merge_key and (field.merge_key,))
    if not keys or (field.type not in TYPES and field.merge_key != '*'):
        return LEAF_KIND
    return Kind(SET, '', ()) if keys == ('*',) else Kind(LIST, field.type, keys)


def root(type_name):
    """Return the Kind of whole objects of a type."""
    return Kind(STRUCT, type_name, ())


def managed_part(obj):
    """Return what of an object has owners: neither its type nor its identity."""
    part = {name: value for name, value in obj.items() if name not in NOT_MANAGED}
    part['metadata'] = {name: value for name, value in obj.get('metadata', {}).items()
                        if name not in NOT_MANAGED_METADATA}
    if not part['metadata']:
        del part['metadata']
    return part


def is_leaf(value, kind):
    """Return whether a value has one owner as a whole."""
    if kind.relation == LEAF or not value:
        return True
    return not isinstance(value, list if kind.relation in (LIST, SET) else dict)


def children(value, kind):
    """Return {path element: (value, Kind)} of a value that is no leaf."""
    if kind.relation == LIST:
        return {element_of(item, kind.keys): (item, root(kind.type)) for item in value}
    if kind.relation == SET:
        return {'v:' + compact(item): (item, LEAF_KIND) for item in value}
    if kind.relation == STRUCT:
        kinds = kinds_of(kind.type)
        return {intern('f:' + name): (each, kinds.get(name, ANY_KIND)) for name, each in value.items()}
    inner = LEAF_KIND if kind.relation == MAP else ANY_KIND
    return {intern('f:' + name): (each, inner) for name, each in value.items()}


def element_of(item, keys):
    values = [item.get(key, KEY_DEFAULTS.get(key)) for key in keys]
    if len(keys) == 1 and isinstance(values[0], str):  # faster, and the usual case
        return intern('k:{"%s":%s}' % (keys[0], encode_basestring(values[0])))
    return intern('k:' + compact(dict(zip(keys, values))))


def compact(value):
    return json.dumps(value, separators=(',', ':'), sort_keys=True, ensure_ascii=False)


# Sets

def fields_of(value, kind):
    """Return the set of what an applied configuration names."""
    result = {}
    for element, (child, inner) in children(value, kind).items() if not is_leaf(value, kind) else ():
        result[element] = {} if is_leaf(child, inner) else fields_of(child, inner)
        if element.startswith('k:') and result[element]:
            result[element][MEMBER] = {}
    return result


def all_fields(value, kind):
    """Return the set of everything that a value contains, and of the value itself."""
    if is_leaf(value, kind):
        return NOTHING_INSIDE
    result = {element: all_fields(child, inner) for element, (child, inner) in children(value, kind).items()}
    result[MEMBER] = NOTHING_INSIDE
    return result


def new_fields(old, new, kind):
    """Return the set of what `new` contains, and `old` does not."""
    result, before = {}, children(old, kind)
    for element, (child, inner) in children(new, kind).items():
        if element not in before:
            result[element] = all_fields(child, inner)
        elif not is_leaf(child, inner):
            previous = before[element][0]
            empty = [] if inner.relation in (LIST, SET) else {}
            fields = new_fields(empty if is_leaf(previous, inner) else previous, child, inner)
            if fields:
                result[element] = fields
        elif child != before[element][0]:
            result[element] = NOTHING_INSIDE
    return result


def contains(fields, path):
    for element in path:
        fields = fields.get(element)
        if fields is None:
            return False
    return not fields or MEMBER in fields


def changed(fields, added=(), removed=()):
    """Return a set with `added` and without `removed`, both lists of paths."""
    removed = [path for path in removed if contains(fields, path)]
    added = [path for path in added if not contains(fields, path)]
    if not added and not removed:
        return fields
    fields = copied(fields)
    for path in removed:
        discard(fields, path)
    for path in added:
        add(fields, path)
    return fields


def copied(fields):
    return {element: copied(inner) if inner else NOTHING_INSIDE for element, inner in fields.items()}


def add(fields, path):
    """Add a path to a set, in place."""
    for element in path[:-1]:
        inner = fields.get(element)
        if inner is None:
            inner = fields[element] = {}
        elif not inner:
            inner = fields[element] = {MEMBER: NOTHING_INSIDE}
        fields = inner
    inner = fields.setdefault(path[-1], NOTHING_INSIDE)
    if inner:
        inner[MEMBER] = NOTHING_INSIDE


def discard(fields, path):
    """Remove a path from a set, in place, and nothing that is in it."""
    element, inner = path[0], fields.get(path[0])
    if inner is None:
        return
    if path[1:]:
        discard(inner, path[1:])
        if not inner:
            del fields[element]
        elif set(inner) == {MEMBER}:
            del inner[MEMBER]
    elif inner:
        inner.pop(MEMBER, None)
    else:
        del fields[element]


# Differences

def compare(old, new, kind):
    """Return (paths that `new` adds or changes, paths that it removes). Both are values that are no leaves."""
    touched, removed = [], []
    compare_children(old, new, kind, (), touched, removed)
    return touched, removed


def compare_children(old, new, kind, path, touched, removed):
    before, after = children(old, kind), children(new, kind)
    for element, (child, inner) in after.items():
        here = path + (element,)
        if element not in before:
            collect(child, inner, here, touched)
            continue
        previous = before[element][0]
        if child == previous:
            continue
        if is_leaf(child, inner) and is_leaf(previous, inner):
            touched.append(here)
        elif is_leaf(child, inner) or is_leaf(previous, inner):
            empty = [] if inner.relation in (LIST, SET) else {}
            compare_children(empty if is_leaf(previous, inner) else previous, empty if is_leaf(child, inner) else child,
                             inner, here, touched, removed)
        else:
            compare_children(previous, child, inner, here, touched, removed)
    for element, (child, inner) in before.items():
        if element not in after:
            collect(child, inner, path + (element,), removed)


def collect(value, kind, path, found):
    """Add the path of a value, and those of everything in it, to `found`."""
    found.append(path)
    if not is_leaf(value, kind):
        for element, (child, inner) in children(value, kind).items():
            collect(child, inner, path + (element,), found)


def shown(path):
    """Return a path as messages show it: .spec.containers[name="main"].image"""
    return ''.join(shown_element(element[:2], element[2:]) for element in path)


def shown_element(kind, text):
    if kind == 'k:':
        return '[%s]' % ','.join('%s=%s' % (key, compact(value)) for key, value in sorted(json.loads(text).items()))
    return '.' + text if kind == 'f:' else '[=%s]' % text
