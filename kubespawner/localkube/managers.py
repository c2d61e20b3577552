"""Who owns which fields of an object: `metadata.managedFields`.

What belongs here: recording what an update has changed, and names of managers. What does not: sets of fields
(fieldsets.py), server-side apply (applying.py). Pure, except for the current time; any thread.
"""
from . import fieldsets
from .times import timestamp

CONTROLLERS = 'kube-controller-manager'
KUBELET = 'kubelet'
FIRST = 'before-first-apply'  # owns what an object without managedFields contains
ANCIENT = 'ancient-changes'
MOST_UPDATES = 10  # managers of updates; the oldest are united
LONGEST_NAME = 128
# What an object of Kubernetes' own types contains before a client sets anything, so that nobody owns it
EMPTY = {'Pod': {'spec': {'containers': []}}, 'PersistentVolumeClaim': {'spec': {'resources': {}}}, 'Node': {
    'status': {'daemonEndpoints': {'kubeletEndpoint': {'Port': 0}}, 'nodeInfo': dict.fromkeys((
        'architecture', 'bootID', 'containerRuntimeVersion', 'kernelVersion', 'kubeProxyVersion', 'kubeletVersion',
        'machineID', 'operatingSystem', 'osImage', 'systemUUID'), '')}},
    'Service': {'status': {'loadBalancer': {}}}, 'Ingress': {'status': {'loadBalancer': {}}},
    'Event': {'involvedObject': {}, 'source': {}, 'eventTime': None, 'reportingComponent': '',
              'reportingInstance': ''}}
# What admission sets in a new object after the owners of its fields were recorded
ADMITTED = {'Pod': {'preemptionPolicy', 'priority', 'serviceAccount', 'serviceAccountName', 'tolerations'}}


def name_of(query, user_agent):
    """Return the name of the manager: the fieldManager of the query, or the first word of the User-Agent."""
    return query or ''.join(c for c in user_agent.partition('/')[0] if c.isprintable())[:LONGEST_NAME] or 'unknown'


def entry(manager, operation, api_version, fields, subresource=''):
    result = {'manager': manager, 'operation': operation, 'apiVersion': api_version, 'time': timestamp(),
              'fieldsType': 'FieldsV1', 'fieldsV1': fields}
    return dict(result, subresource=subresource) if subresource else result


def identity(each):
    return each.get('manager'), each.get('operation'), each.get('apiVersion'), each.get('subresource', '')


def of_new(obj, sent_spec, type_name, manager):
    """Return the managedFields of an object that was created.

    sent_spec (iterable): the names of the fields of `spec` that the client has sent.
    """
    part = fieldsets.managed_part(obj)
    admitted = ADMITTED.get(obj['kind'], set()) - set(sent_spec)
    if admitted:
        part['spec'] = {name: value for name, value in part['spec'].items() if name not in admitted}
    empty = dict({'metadata': {}, 'spec': {}, 'status': {}}, **EMPTY.get(obj['kind'], {}))
    fields = fieldsets.new_fields(empty, part, fieldsets.root(type_name))
    return [entry(manager, 'Update', obj['apiVersion'], fields)] if fields else []


def of_update(old, new, type_name, manager, subresource=''):
    """Return the managedFields of `new`, which replaces `old` and contains the managedFields on which it is based."""
    touched, removed = fieldsets.compare(fieldsets.managed_part(old), fieldsets.managed_part(new),
                                         fieldsets.root(type_name))
    entries = new['metadata'].get('managedFields', [])
    if not touched and not removed:
        return entries
    return with_update(entries, touched, removed, manager, new['apiVersion'], subresource)


def with_update(entries, touched, removed, manager, api_version, subresource=''):
    """Return entries in which `manager` owns what it has touched, and nobody owns what it has removed."""
    me = manager, 'Update', api_version, subresource
    mine = next((each for each in entries if identity(each) == me), None)
    result = without([each for each in entries if each is not mine], touched + removed)
    before = mine['fieldsV1'] if mine else {}
    fields = fieldsets.changed(before, touched, removed)
    if fields == before and mine:
        result.append(mine)
    elif fields:
        result.append(entry(manager, 'Update', api_version, fields, subresource))
    return ordered(unite_oldest(result))


def without(entries, paths):
    """Return entries without these fields, and without those entries of which nothing is left."""
    result = []
    for each in entries:
        fields = fieldsets.changed(each.get('fieldsV1', {}), removed=paths)
        if fields:
            result.append(each if fields is each.get('fieldsV1') else dict(each, fieldsV1=fields))
    return result


def unite_oldest(entries):
    """Unite the oldest updates if there are too many."""
    updates = sorted((each for each in entries if each.get('operation') == 'Update' and not each.get('subresource')),
                     key=lambda each: each.get('time', ''))
    surplus = updates[:len(updates) - MOST_UPDATES + 1] if len(updates) > MOST_UPDATES else []
    for version in sorted({each['apiVersion'] for each in surplus}):
        united = [each for each in surplus if each['apiVersion'] == version]
        fields = fieldsets.copied(united[0]['fieldsV1'])
        for each in united[1:]:
            fields = union(fields, each['fieldsV1'])
        entries = [each for each in entries if each not in united]
        entries.append(dict(united[-1], manager=ANCIENT, fieldsV1=fields))
    return entries


def union(one, other):
    if not one or not other:
        return dict({fieldsets.MEMBER: {}}, **(one or other)) if one or other else {}
    result = dict(one)
    for element, inner in other.items():
        result[element] = union(one[element], inner) if element in one else inner
    return result


def ordered(entries):
    return sorted(entries, key=lambda each: (each.get('operation', ''), each.get('time', ''), each.get('manager', ''),
                                             each.get('apiVersion', '')))


def are_in(patch):
    """Return whether a patch of any kind may concern managedFields."""
    if isinstance(patch, list):
        return any(isinstance(each, dict) and ('managedFields' in str(each.get('path')) or 'from' in each or
                                               each.get('path') in ('', '/metadata')) for each in patch)
    metadata = patch.get('metadata') if isinstance(patch, dict) else None
    return isinstance(metadata, dict) and ('managedFields' in metadata or '$patch' in metadata)


def hidden(obj):
    """Return an object without its managedFields."""
    metadata = obj['metadata']
    return dict(obj, metadata={name: metadata[name] for name in metadata if name != 'managedFields'})


def based_on(old, data):
    """Return the managedFields on which an update is based: those of `old`, unless `data` (JSON) replaces them.

    A client resets them with a list that is empty or has one empty entry.
    """
    metadata = data.get('metadata') if isinstance(data, dict) else None
    given = metadata.get('managedFields') if isinstance(metadata, dict) else None
    if given in ([], [{}]):
        return []
    if given and all(isinstance(each, dict) and isinstance(each.get('fieldsV1'), dict) for each in given):
        return given
    return old['metadata'].get('managedFields', [])
