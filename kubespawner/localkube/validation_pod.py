"""Validation of pods and their updates.

What belongs here: rules for pods. What does not: their volumes (validation_volumes.py), and see validation.py. Pure;
any thread. Functions add errors to `causes`, a Causes. `field` is the path of the value that they check.
"""
import re

from . import quantities
from .causes import CONFIG_KEY, LABEL, SUBDOMAIN, is_ip, validate_key, validate_labels, validate_port_name
from .validation_scheduling import validate_affinity, validate_spreads
from .validation_volumes import validate_mounts, validate_volumes

ENV_NAME = re.compile(r'[-._a-zA-Z][-._a-zA-Z0-9]*\Z')
ENV_NAME_COMPLAINT = ("a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or "
                      "'.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', "
                      "regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')")
FIELD_PATH = re.compile(r"(metadata\.(name|namespace|uid|(labels|annotations)\['[^']*'\])|spec\.(nodeName|"
                        r"serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))\Z")
VALUE_SOURCES = ('fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef')
HANDLERS = ('exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep')
STANDARD_RESOURCES = ('cpu', 'memory', 'ephemeral-storage')
UPDATE_COMPLAINT = ('pod updates may not change fields other than `spec.containers[*].image`, '
                    '`spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only '
                    'additions to existing tolerations)')
EFFECTS = ('NoSchedule', 'PreferNoSchedule', 'NoExecute')
HIGHEST_ID = 2 ** 31 - 1


def validate_pod(causes, pod):
    spec = pod['spec']
    volumes = validate_volumes(causes, spec.get('volumes', ()))
    names = set()
    if not spec.get('containers'):
        causes.required('spec.containers')
    for i, container in enumerate(spec.get('containers', ())):
        validate_container(causes, 'spec.containers[%d]' % i, container, names, volumes)
    for i, container in enumerate(spec.get('initContainers', ())):
        validate_container(causes, 'spec.initContainers[%d]' % i, container, names, volumes)
    causes.one_of('spec.restartPolicy', spec['restartPolicy'], ('Always', 'OnFailure', 'Never'))
    causes.one_of('spec.dnsPolicy', spec['dnsPolicy'], ('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'))
    validate_labels(causes, 'spec.nodeSelector', spec.get('nodeSelector', {}))
    validate_security(causes, 'spec.securityContext', spec['securityContext'])
    for field, expected in (('serviceAccountName', SUBDOMAIN), ('nodeName', SUBDOMAIN), ('hostname', LABEL),
                            ('subdomain', LABEL)):
        if spec.get(field):
            causes.format('spec.' + field, spec[field], expected)
    at_least(causes, 'spec.terminationGracePeriodSeconds', spec['terminationGracePeriodSeconds'], 0)
    deadline = spec.get('activeDeadlineSeconds')
    if deadline is not None and not 1 <= deadline <= HIGHEST_ID:
        causes.invalid('spec.activeDeadlineSeconds', deadline, 'must be between 1 and 2147483647, inclusive')
    validate_scheduling(causes, spec)
    validate_names(causes, spec)


def validate_scheduling(causes, spec):
    validate_affinity(causes, 'spec.affinity', spec.get('affinity', {}))
    validate_spreads(causes, spec.get('topologySpreadConstraints', ()))
    for i, toleration in enumerate(spec.get('tolerations', ())):
        validate_toleration(causes, 'spec.tolerations[%d]' % i, toleration)


def validate_names(causes, spec):
    """Check what a pod says about name servers and hosts."""
    for alias in spec.get('hostAliases', ()):
        validate_alias(causes, alias)
    for i, address in enumerate(spec.get('dnsConfig', {}).get('nameservers', ())):
        if not is_ip(address):
            causes.invalid('spec.dnsConfig.nameservers[%d]' % i, address, 'must be valid IP address')


def validate_alias(causes, alias):
    if not is_ip(alias.get('ip', '')):
        causes.invalid('spec.hostAliases.ip', alias.get('ip', ''), 'must be valid IP address')
    for name in alias.get('hostnames', ()):
        causes.format('spec.hostAliases.hostnames', name, SUBDOMAIN)


def at_least(causes, field, value, least):
    if value < least:
        causes.invalid(field, value, 'must be greater than or equal to %d' % least)


def validate_security(causes, field, context):
    for name in ('fsGroup', 'runAsUser', 'runAsGroup'):
        validate_id(causes, '%s.%s' % (field, name), context.get(name, 0))
    for i, sysctl in enumerate(context.get('sysctls', ())):
        if not sysctl.get('name'):
            causes.required('%s.sysctls[%d].name' % (field, i))
    for i, group in enumerate(context.get('supplementalGroups', ())):
        validate_id(causes, '%s.supplementalGroups[%d]' % (field, i), group)


def validate_id(causes, field, value):
    if not 0 <= value <= HIGHEST_ID:
        causes.invalid(field, value, 'must be between 0 and %d, inclusive' % HIGHEST_ID)


def validate_toleration(causes, field, toleration):
    operator = toleration.get('operator', '')
    if toleration.get('key'):
        validate_key(causes, field + '.key', toleration['key'])
    elif operator != 'Exists':
        causes.invalid(field + '.operator', operator,
                       'operator must be Exists when `key` is empty, which means "match all values and all keys"')
    if operator == 'Exists' and toleration.get('value'):
        causes.invalid(field + '.operator', operator, "value must be empty when `operator` is 'Exists'")
    causes.one_of(field + '.operator', operator or 'Equal', ('Equal', 'Exists'))
    if 'tolerationSeconds' in toleration and toleration.get('effect') != 'NoExecute':
        causes.invalid(field + '.effect', toleration.get('effect', ''),
                       "effect must be 'NoExecute' when `tolerationSeconds` is set")
    elif toleration.get('effect'):
        causes.one_of(field + '.effect', toleration['effect'], EFFECTS)


def validate_container(causes, field, container, names, volumes):
    """Check a container, and add its name to `names`, the names of the containers before it."""
    validate_container_name(causes, field + '.name', container.get('name', ''), names)
    if not container.get('image'):
        causes.required(field + '.image')
    elif container['image'] != container['image'].strip():
        causes.invalid(field + '.image', container['image'], 'must not have leading or trailing whitespace')
    for hook, handler in sorted(container.get('lifecycle', {}).items()):
        validate_handler(causes, '%s.lifecycle.%s' % (field, hook), handler)
    for probe in ('livenessProbe', 'readinessProbe', 'startupProbe'):
        if probe in container:
            validate_probe(causes, '%s.%s' % (field, probe), container[probe])
    validate_ports(causes, field + '.ports', container.get('ports', ()))
    validate_env(causes, field, container)
    validate_mounts(causes, field + '.volumeMounts', container.get('volumeMounts', ()), volumes)
    if 'restartPolicy' in container:
        causes.one_of(field + '.restartPolicy', container['restartPolicy'], ('Always', 'Never', 'OnFailure'))
    causes.one_of(field + '.imagePullPolicy', container['imagePullPolicy'], ('Always', 'IfNotPresent', 'Never'))
    if container['terminationMessagePolicy'] not in ('File', 'FallbackToLogsOnError'):
        causes.invalid(field + '.terminationMessagePolicy', container['terminationMessagePolicy'],
                       "must be 'File' or 'FallbackToLogsOnError'")
    validate_resources(causes, field + '.resources', container['resources'])
    validate_container_security(causes, field + '.securityContext', container.get('securityContext', {}))


def validate_container_name(causes, field, name, names):
    if not name:
        causes.required(field)
    else:
        causes.format(field, name, LABEL)
    if name in names:
        causes.duplicate(field, name)
    names.add(name)


def validate_container_security(causes, field, context):
    validate_security(causes, field, context)
    if context.get('privileged') and context.get('allowPrivilegeEscalation') is False:
        causes.invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')


def validate_handler(causes, field, handler):
    chosen = [kind for kind in HANDLERS if kind in handler]
    if not chosen:
        causes.required(field, 'must specify a handler type')
    if chosen[:1] == ['exec'] and not handler['exec'].get('command'):
        causes.required(field + '.exec.command')
    elif chosen and chosen[0] not in ('exec', 'sleep'):
        port, where = handler[chosen[0]].get('port', 0), '%s.%s.port' % (field, chosen[0])
        if isinstance(port, int):
            causes.port(where, port)
        else:
            validate_port_name(causes, where, port)
    for kind in chosen[1:]:
        causes.forbidden('%s.%s' % (field, kind), 'may not specify more than 1 handler type')


def validate_probe(causes, field, probe):
    validate_handler(causes, field, probe)
    for name in ('initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'):
        at_least(causes, '%s.%s' % (field, name), probe.get(name, 0), 0)
    if not field.endswith('readinessProbe') and probe.get('successThreshold', 1) != 1:
        causes.invalid(field + '.successThreshold', probe['successThreshold'], 'must be 1')


def validate_ports(causes, field, ports):
    names = set()
    for i, port in enumerate(ports):
        where = '%s[%d]' % (field, i)
        if port.get('name'):
            validate_port_name(causes, where + '.name', port['name'])
            if port['name'] in names:
                causes.duplicate(where + '.name', port['name'])
            names.add(port['name'])
        if not port.get('containerPort'):
            causes.required(where + '.containerPort')
        else:
            causes.port(where + '.containerPort', port['containerPort'])
        causes.one_of(where + '.protocol', port['protocol'], ('SCTP', 'TCP', 'UDP'))


def validate_env(causes, field, container):
    for i, variable in enumerate(container.get('env', ())):
        validate_variable(causes, '%s.env[%d]' % (field, i), variable)
    for i, source in enumerate(container.get('envFrom', ())):
        if not ('configMapRef' in source) ^ ('secretRef' in source):
            causes.invalid(field + '.envFrom', '', 'must specify one of: `configMapRef` or `secretRef`')
        if source.get('prefix'):
            validate_env_name(causes, '%s.envFrom[%d].prefix' % (field, i), source['prefix'])
        for name in ('configMapRef', 'secretRef'):
            if name in source and not source[name].get('name'):
                causes.required('%s.envFrom[%d].%s.name' % (field, i, name))


def validate_env_name(causes, field, name):
    if not ENV_NAME.match(name):
        causes.invalid(field, name, ENV_NAME_COMPLAINT)
    if name in ('.', '..'):
        causes.invalid(field, name, "must not be '%s'" % name)
    elif name.startswith('..'):
        causes.invalid(field, name, "must not start with '..'")


def validate_variable(causes, field, variable):
    if not variable.get('name'):
        causes.required(field + '.name')
    else:
        validate_env_name(causes, field + '.name', variable['name'])
    if 'valueFrom' in variable:
        field += '.valueFrom'
        validate_value_source(causes, field, variable['valueFrom'])
        chosen = [name for name in VALUE_SOURCES if name in variable['valueFrom']]
        if variable.get('value'):
            causes.invalid(field, '', 'may not be specified when `value` is not empty')
        if not chosen:
            causes.invalid(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or '
                                      '`secretKeyRef`')
        elif len(chosen) > 1:
            causes.invalid(field, '', 'may not have more than one field specified at a time')


def validate_value_source(causes, field, source):
    path = source.get('fieldRef', {}).get('fieldPath')
    if 'fieldRef' in source and not path:
        causes.required(field + '.fieldRef.fieldPath')
    elif path and not FIELD_PATH.match(path):
        causes.invalid(field + '.fieldRef.fieldPath', path,
                       'error converting fieldPath: field label not supported: ' + path)
    if 'resourceFieldRef' in source and not source['resourceFieldRef'].get('resource'):
        causes.required(field + '.resourceFieldRef.resource')
    for name in ('configMapKeyRef', 'secretKeyRef'):
        if name in source:
            causes.format('%s.%s.name' % (field, name), source[name].get('name', ''), SUBDOMAIN)
            if not source[name].get('key'):
                causes.required('%s.%s.key' % (field, name))
            else:
                causes.format('%s.%s.key' % (field, name), source[name]['key'], CONFIG_KEY)


def validate_resources(causes, field, resources):
    limits = resources.get('limits', {})
    for kind in ('limits', 'requests'):
        for name, quantity in sorted(resources.get(kind, {}).items()):
            where = '%s.%s[%s]' % (field, kind, name)
            if '/' not in name and name not in STANDARD_RESOURCES and not name.startswith('hugepages-'):
                causes.invalid(where, name, 'must be a standard resource type or fully qualified')
                causes.invalid(where, name, 'must be a standard resource for containers')
            elif quantities.parse(quantity) < 0:
                causes.invalid(where, quantity, 'must be greater than or equal to 0')
    for name, quantity in sorted(resources.get('requests', {}).items()):
        if name in limits and quantities.parse(quantity) > quantities.parse(limits[name]):
            causes.invalid(field + '.requests', quantity, 'must be less than or equal to %s limit' % name)
        elif '/' in name and limits.get(name) != quantity:
            causes.invalid(field + '.requests', quantity, 'must be equal to %s limit' % name)


def validate_pod_update(causes, new, old):
    if any(len(new['spec'].get(kind, ())) != len(old['spec'].get(kind, ()))
           for kind in ('containers', 'initContainers')):
        causes.forbidden('spec.containers', 'pod updates may not add or remove containers')
    elif immutable_part(new['spec'], old['spec']) != immutable_part(old['spec'], old['spec']):
        causes.forbidden('spec', UPDATE_COMPLAINT)
    elif [t for t in old['spec'].get('tolerations', ()) if t not in new['spec'].get('tolerations', ())]:
        causes.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')


def immutable_part(spec, old):
    """Return a pod's spec without the fields that can change: images, tolerations, and a shorter deadline."""
    part = {key: value for key, value in spec.items() if key not in ('tolerations', 'activeDeadlineSeconds')}
    for kind in ('containers', 'initContainers'):
        part[kind] = [dict(container, image='') for container in spec.get(kind, ())]
    deadline, before = spec.get('activeDeadlineSeconds'), old.get('activeDeadlineSeconds')
    if before is not None and (deadline is None or deadline > before):
        part['activeDeadlineSeconds'] = deadline
    return part
