"""Server-side apply: merging a configuration into an object, conflicts, and removing what is no longer applied.

What belongs here: the new object and its managedFields. What does not: who owns fields after other updates
(managers.py), the verb (registry.py). Pure, except for the current time; any thread.
"""
import json

from . import errors, fieldsets, managers, wrong_types
from .fieldsets import LIST, SET

IDENTITY = {'f:metadata': {'f:name': {}}}  # which nobody gives up
LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'


def parse(body):
    """Return the configuration in a body, which is YAML or JSON. Raise ApiError 400 or 415."""
    text = body.decode('utf8', 'replace')
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        import yaml
    except ImportError:
        raise errors.ApiError(415, 'UnsupportedMediaType', 'localkube needs the package PyYAML for YAML; it reads JSON')
    try:
        return json.loads(json.dumps(yaml.safe_load(text), default=str, allow_nan=False))  # its keys are strings
    except (yaml.YAMLError, TypeError, ValueError) as e:
        raise errors.bad_request('error decoding YAML: %s' % e)


def check(config, row):
    """Raise ApiError 400 for a configuration that does not say what it is."""
    if not isinstance(config, dict):
        raise errors.bad_request('error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot '
                                 'unmarshal %s into Go value of type map[string]interface {}'
                                 % wrong_types.json_type(config))
    if config.get('kind') != row.kind or not config.get('apiVersion'):
        raise errors.bad_request('invalid object type: %s, Kind=%s' % (config.get('apiVersion') or '',
                                                                       config.get('kind') or ''))
    if config['apiVersion'] != row.api_version:
        raise errors.bad_request('Incorrect version specified in apply patch. Specified patch version: %s, expected: '
                                 '%s' % (config['apiVersion'], row.api_version))
    metadata = config.get('metadata') or {}
    if not isinstance(metadata, dict):
        raise errors.bad_request('error decoding YAML: json: cannot unmarshal %s into Go struct field .metadata of '
                                 'type v1.ObjectMeta' % wrong_types.json_type(metadata))
    if metadata.get('managedFields'):
        raise errors.bad_request('metadata.managedFields must be nil')


def apply(live, config, row, manager, force=False, subresource=''):
    """Return (new object, its managedFields). `live` is {} for an object that does not exist yet.

    Raise ApiError 409 if another manager owns a field that would change, unless `force`.
    """
    kind = fieldsets.root(row.type)
    part = fieldsets.managed_part(config)
    if 'status' in row.subresources:
        part = {name: value for name, value in part.items() if (name == 'status') == (subresource == 'status')}
    fields = fieldsets.fields_of(part, kind)
    entries = owners(live, kind)
    me = manager, 'Apply', config['apiVersion'], subresource
    mine = next((each for each in entries if managers.identity(each) == me), None)
    others = [each for each in entries if each is not mine]
    merged = merge(live, part, kind)
    if mine:
        merged = prune(merged, kind, mine['fieldsV1'], [fields, IDENTITY] + [each['fieldsV1'] for each in others])
    touched, removed = fieldsets.compare(fieldsets.managed_part(live), fieldsets.managed_part(merged), kind)
    if not force:
        refuse_conflicts(live, others, touched, manager, kind)
    result = managers.without(others, touched + removed)
    if mine and mine['fieldsV1'] == fields:
        result.append(mine)
    elif fields:
        result.append(managers.entry(manager, 'Apply', config['apiVersion'], fields, subresource))
    return merged, managers.ordered(result)


def owners(live, kind):
    """Return the managedFields of an object. If it has none, one manager owns everything that is there."""
    entries = live.get('metadata', {}).get('managedFields', [])
    if entries or not live:
        return entries
    fields = fieldsets.fields_of(fieldsets.managed_part(live), kind)
    return [managers.entry(managers.FIRST, 'Update', live['apiVersion'], fields)]


# Conflicts

def refuse_conflicts(live, others, touched, manager, kind):
    found = [(each, path) for each in others for path in touched if fieldsets.contains(each['fieldsV1'], path)]
    if found and manager == 'kubectl':
        allowed = last_applied(live, kind)
        found = [(each, path) for each, path in found if not fieldsets.contains(allowed, path)]
    if found:
        raise conflict(sorted((shown_manager(each), fieldsets.shown(path)) for each, path in found))


def last_applied(live, kind):
    """Return the fields of which kubectl's annotation says that kubectl has set them, and which nobody has changed."""
    try:
        config = json.loads(live['metadata']['annotations'][LAST_APPLIED])
    except (KeyError, ValueError):
        return {}
    part = fieldsets.managed_part(config) if isinstance(config, dict) else {}
    fields = fieldsets.fields_of(part, kind)
    merged = merge(live, part, kind)
    different = fieldsets.compare(fieldsets.managed_part(live), fieldsets.managed_part(merged), kind)[0]
    return fieldsets.changed(fields, removed=different)


def shown_manager(each):
    name = json.dumps(each['manager'], ensure_ascii=False)
    if each.get('subresource'):
        name += ' with subresource "%s"' % each['subresource']
    return '%s using %s' % (name, each['apiVersion']) if each['operation'] == 'Update' else name


def conflict(found):
    """Return the ApiError 409 for [(manager, field)]."""
    causes = [{'reason': 'FieldManagerConflict', 'message': 'conflict with ' + manager, 'field': field}
              for manager, field in found]
    if len(found) == 1:
        text = '1 conflict: conflict with %s: %s' % found[0]
    else:
        names = sorted({manager for manager, _ in found})
        text = '%d conflicts: %s' % (len(found), '\n'.join('conflicts with %s:\n%s' % (name, '\n'.join(
            '- ' + field for manager, field in found if manager == name)) for name in names))
    return errors.ApiError(409, 'Conflict', 'Apply failed with ' + text, {'causes': causes})


# Values

def merge(live, config, kind):
    """Return `live` with everything that `config` contains."""
    if fieldsets.is_leaf(config, kind) or fieldsets.is_leaf(live, kind):
        return config if config or not isinstance(live, (dict, list)) or kind.relation == fieldsets.LEAF else live
    before, after = fieldsets.children(live, kind), fieldsets.children(config, kind)
    result = {element: child for element, (child, _) in before.items()}
    for element, (child, inner) in after.items():
        result[element] = merge(before[element][0], child, inner) if element in before else child
    return assembled(result, kind)


def prune(value, kind, last, owned):
    """Return `value` without what is in the set `last` and in none of the sets `owned`."""
    if fieldsets.is_leaf(value, kind):
        return value
    result = {}
    for element, (child, inner) in fieldsets.children(value, kind).items():
        if element in last:
            still = [fields[element] for fields in owned if element in fields]
            if not still and (element.startswith('f:') or fieldsets.contains(last, (element,))):
                continue
            child = prune(child, inner, last[element], still)
        result[element] = child
    return assembled(result, kind)


def assembled(elements, kind):
    """Return a list or a dict with these children."""
    if kind.relation in (LIST, SET):
        return list(elements.values())
    return {element[2:]: child for element, child in elements.items()}
