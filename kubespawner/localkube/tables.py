"""Objects as tables, which `kubectl get` prints, in the format of a real API server.

What belongs here: columns and cells. What does not: reading or selecting objects. Pure, except for the current time,
which ages need; any thread.
"""
import time

from .times import seconds_of

POD_COLUMNS = ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP*', 'Node*', 'Nominated Node*', 'Readiness Gates*']


def table(resource, objects, metadata, columns=True):
    """Return `objects` as a Table. metadata (dict): the metadata of the list."""
    names, cells = TABLES.get(resource.name, (['Name', 'Age'], lambda obj: [name_of(obj), age(obj)]))
    result = {'kind': 'Table', 'apiVersion': 'meta.k8s.io/v1', 'metadata': metadata,
              'columnDefinitions': [column(name) for name in names] if columns else None}
    result['rows'] = [{'cells': cells(obj), 'object': {
        'kind': 'PartialObjectMetadata', 'apiVersion': 'meta.k8s.io/v1', 'metadata': obj['metadata']}}
        for obj in objects]
    return result


def column(name):
    """Return the definition of a column. `*` marks a column that only `-o wide` shows."""
    return {'name': name.rstrip('*'), 'type': 'string', 'format': 'name' if name == 'Name' else '',
            'description': '', 'priority': 1 if name.endswith('*') else 0}


def name_of(obj):
    return obj['metadata']['name']


def age(obj):
    return since(obj['metadata'].get('creationTimestamp'))


def since(moment):
    """Return how long ago `moment` was: 5s, 3m20s, 4h5m, 2d3h."""
    if not moment:
        return '<unknown>'
    seconds = max(0, int(time.time() - seconds_of(moment)))
    if seconds < 120:
        return '%ds' % seconds
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return '%dm%s' % (minutes, '%ds' % (seconds % 60) if seconds % 60 else '')
    if hours < 3:
        return '%dm' % minutes
    if hours < 8:
        return '%dh%s' % (hours, '%dm' % (minutes % 60) if minutes % 60 else '')
    if hours < 48:
        return '%dh' % hours
    return '%dd%s' % (days, '%dh' % (hours % 24) if days < 8 and hours % 24 else '')


def pod_status(pod):
    """Return the STATUS and RESTARTS of a pod in `kubectl get pods`."""
    status = pod.get('status', {})
    word, restarts = init_status(pod, status)
    if not word:
        word, restarts = container_status(status)
    if pod['metadata'].get('deletionTimestamp'):
        word = 'Terminating'
    return word, restarts


def init_status(pod, status):
    """Return the status and restarts of a pod whose init containers are not done. If they are, the status is ''."""
    restarts = 0
    for i, container in enumerate(status.get('initContainerStatuses', ())):
        restarts += container.get('restartCount', 0)
        state = container.get('state', {})
        waiting = state.get('waiting', {}).get('reason')
        if 'terminated' in state:
            if state['terminated'].get('exitCode'):
                return 'Init:' + ending(state['terminated']), restarts
        elif waiting and waiting != 'PodInitializing':
            return 'Init:' + waiting, restarts
        else:
            return 'Init:%d/%d' % (i, len(pod['spec']['initContainers'])), restarts
    return '', 0


def ending(terminated):
    return terminated.get('reason') or 'ExitCode:%d' % terminated.get('exitCode', 0)


def container_status(status):
    """Return the status and restarts of a pod whose init containers are done. The first container takes precedence."""
    word = status.get('reason') or status.get('phase', 'Unknown')
    restarts, running = 0, False
    for container in reversed(status.get('containerStatuses', ())):
        restarts += container.get('restartCount', 0)
        state = container.get('state', {})
        if state.get('waiting', {}).get('reason'):
            word = state['waiting']['reason']
        elif 'terminated' in state:
            word = ending(state['terminated'])
        elif container.get('ready') and 'running' in state:
            running = True
    if word == 'Completed' and running:
        ready = any(each['type'] == 'Ready' and each['status'] == 'True' for each in status.get('conditions', ()))
        word = 'Running' if ready else 'NotReady'
    return word, restarts


def pod_cells(pod):
    status = pod.get('status', {})
    containers = status.get('containerStatuses', ())
    ready = sum(1 for each in containers if each.get('ready') and 'running' in each.get('state', {}))
    word, restarts = pod_status(pod)
    return [name_of(pod), '%d/%d' % (ready, len(pod['spec']['containers'])), word, restarts, age(pod),
            status.get('podIP') or '<none>', pod['spec'].get('nodeName') or '<none>',
            status.get('nominatedNodeName') or '<none>', '<none>']


def claim_cells(claim):
    spec, status = claim['spec'], claim.get('status', {})
    bound = bool(spec.get('volumeName'))
    short = {'ReadWriteOnce': 'RWO', 'ReadOnlyMany': 'ROX', 'ReadWriteMany': 'RWX'}
    phase = 'Terminating' if claim['metadata'].get('deletionTimestamp') else status.get('phase', '')
    return [name_of(claim), phase, spec.get('volumeName', ''),
            status.get('capacity', {}).get('storage', '') if bound else '',
            ','.join(short.get(mode, mode) for mode in status.get('accessModes', ())) if bound else '',
            spec.get('storageClassName', ''), age(claim), spec.get('volumeMode', '')]


def event_cells(event):
    involved, source = event.get('involvedObject', {}), event.get('source', {})
    first = since(event.get('firstTimestamp') or event['metadata'].get('creationTimestamp'))
    last = since(event.get('lastTimestamp')) if event.get('lastTimestamp') else first
    return [last, event.get('type', ''), event.get('reason', ''),
            '%s/%s' % (involved.get('kind', '').lower(), involved.get('name', '')), involved.get('fieldPath', ''),
            ', '.join(filter(None, [source.get('component'), source.get('host')])), event.get('message', '').strip(),
            first, event.get('count', 1), name_of(event)]


def node_cells(node):
    status = node.get('status', {})
    ready = [each['status'] for each in status.get('conditions', ()) if each['type'] == 'Ready']
    word = {'True': 'Ready', 'False': 'NotReady'}.get(ready[0] if ready else '', 'Unknown')
    if node['spec'].get('unschedulable'):
        word += ',SchedulingDisabled'
    roles = sorted(label.partition('/')[2] for label in node['metadata'].get('labels', ())
                   if label.startswith('node-role.kubernetes.io/'))
    addresses = {each['type']: each['address'] for each in status.get('addresses', ())}
    info = status.get('nodeInfo', {})
    return [name_of(node), word, ','.join(roles) or '<none>', age(node), info.get('kubeletVersion', ''),
            addresses.get('InternalIP', '<none>'), addresses.get('ExternalIP', '<none>'),
            info.get('osImage') or '<unknown>', info.get('kernelVersion') or '<unknown>',
            info.get('containerRuntimeVersion') or '<unknown>']


def service_cells(service):
    spec = service['spec']
    ports = ','.join('%d%s/%s' % (port['port'], ':%d' % port['nodePort'] if port.get('nodePort') else '',
                                  port['protocol']) for port in spec.get('ports', ()))
    selector = ','.join('%s=%s' % pair for pair in sorted(spec.get('selector', {}).items()))
    return [name_of(service), spec['type'], spec.get('clusterIP') or '<none>', spec.get('externalName') or '<none>',
            ports or '<none>', age(service), selector or '<none>']


def endpoints_cells(endpoints):
    addresses = ['%s:%d' % (address['ip'], port['port']) for subset in endpoints.get('subsets', ())
                 for port in subset.get('ports', ()) for address in subset.get('addresses', ())]
    shown = ','.join(addresses[:3]) + (' + %d more...' % (len(addresses) - 3) if len(addresses) > 3 else '')
    return [name_of(endpoints), shown or '<none>', age(endpoints)]


def ingress_cells(ingress):
    spec = ingress.get('spec', {})
    hosts = [rule['host'] for rule in spec.get('rules', ()) if rule.get('host')]
    addresses = [each.get('ip') or each.get('hostname', '')
                 for each in ingress.get('status', {}).get('loadBalancer', {}).get('ingress', ())]
    return [name_of(ingress), spec.get('ingressClassName') or '<none>',
            (','.join(hosts[:3]) + (' + %d more...' % (len(hosts) - 3) if len(hosts) > 3 else '')) or '*',
            ','.join(addresses), '80, 443' if spec.get('tls') else '80', age(ingress)]


def binding_cells(binding):
    subjects = binding.get('subjects', ())
    names = [', '.join('/'.join(filter(None, [each.get('namespace'), each['name']])) for each in subjects
                       if each['kind'] == kind) for kind in ('User', 'Group', 'ServiceAccount')]
    return [name_of(binding), '%(kind)s/%(name)s' % binding['roleRef'], age(binding)] + names


def role_cells(role):
    return [name_of(role), role['metadata']['creationTimestamp']]


ROLE_COLUMNS = ['Name', 'Created At']
BINDING_COLUMNS = ['Name', 'Role', 'Age', 'Users*', 'Groups*', 'ServiceAccounts*']


def quota_cells(quota):
    status = quota.get('status', {})
    shown = ['%s: %s/%s' % (name, status.get('used', {}).get(name, '0'), hard)
             for name, hard in sorted(status.get('hard', {}).items())]
    return [name_of(quota), age(quota), ', '.join(each for each in shown if not each.startswith('limits.')),
            ', '.join(each for each in shown if each.startswith('limits.'))]


TABLES = {  # resource -> (columns, function that makes the cells of an object)
    'pods': (POD_COLUMNS, pod_cells),
    'persistentvolumeclaims': (['Name', 'Status', 'Volume', 'Capacity', 'Access Modes', 'StorageClass', 'Age',
                                'VolumeMode*'], claim_cells),
    'events': (['Last Seen', 'Type', 'Reason', 'Object', 'Subobject*', 'Source*', 'Message', 'First Seen*', 'Count*',
                'Name*'], event_cells),
    'nodes': (['Name', 'Status', 'Roles', 'Age', 'Version', 'Internal-IP*', 'External-IP*', 'OS-Image*',
               'Kernel-Version*', 'Container-Runtime*'], node_cells),
    'services': (['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector*'], service_cells),
    'endpoints': (['Name', 'Endpoints', 'Age'], endpoints_cells),
    'resourcequotas': (['Name', 'Age', 'Request', 'Limit'], quota_cells),
    'ingresses': (['Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'], ingress_cells),
    'roles': (ROLE_COLUMNS, role_cells),
    'clusterroles': (ROLE_COLUMNS, role_cells),
    'rolebindings': (BINDING_COLUMNS, binding_cells),
    'clusterrolebindings': (BINDING_COLUMNS, binding_cells),
    'serviceaccounts': (['Name', 'Secrets', 'Age'],
                        lambda obj: [name_of(obj), len(obj.get('secrets', ())), age(obj)]),
    'namespaces': (['Name', 'Status', 'Age'], lambda obj: [name_of(obj), obj['status']['phase'], age(obj)]),
    'secrets': (['Name', 'Type', 'Data', 'Age'],
                lambda obj: [name_of(obj), obj.get('type', ''), len(obj.get('data', ())), age(obj)]),
    'configmaps': (['Name', 'Data', 'Age'],
                   lambda obj: [name_of(obj), len(obj.get('data', ())) + len(obj.get('binaryData', ())), age(obj)]),
}
