"""Ingresses: the two forms in which Kubernetes 1.20 serves them, and the rules for both.

What belongs here: everything that is particular to this kind. What does not: serving it (resources.py, registry.py).
Pure; any thread. The store contains the form of networking.k8s.io/v1. The form v1beta1 is the same in the groups
networking.k8s.io and extensions. It differs in the backends, and has a default for pathType.
"""
import re

from .causes import LABEL_1035, SUBDOMAIN, WILDCARD_SUBDOMAIN, is_address, validate_port_name

STORED_VERSION = 'networking.k8s.io/v1'
CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
PATH_TYPES = ('Exact', 'ImplementationSpecific', 'Prefix')
FORBIDDEN_IN_PATHS = ('//', '/./', '/../', '%2f', '%2F')
FORBIDDEN_AT_END = ('/..', '/.')
BETA_FIELDS = [(re.compile(pattern), name) for pattern, name in [
    (r'\bdefaultBackend\b', 'backend'), (r'\.service\.name$', '.serviceName'),
    (r'\.service\.port\.(name|number)$', '.servicePort')]]


# Conversion

def to_beta(ingress):
    """Return a stored ingress in the form v1beta1."""
    return convert(ingress, 'defaultBackend', 'backend', backend_to_beta)


def from_beta(ingress):
    """Return an ingress of the form v1beta1 as it is stored, with the default that only v1beta1 has."""
    result = convert(ingress, 'backend', 'defaultBackend', backend_from_beta)
    for rule in result.get('spec', {}).get('rules', ()):
        for path in rule.get('http', {}).get('paths', ()):
            path.setdefault('pathType', 'ImplementationSpecific')
    return dict(result, apiVersion=STORED_VERSION)


def convert(ingress, old_name, new_name, convert_backend):
    if 'spec' not in ingress:
        return dict(ingress)
    spec = dict(ingress['spec'])
    if old_name in spec:
        spec[new_name] = convert_backend(spec.pop(old_name))
    if 'rules' in spec:
        spec['rules'] = [convert_rule(rule, convert_backend) for rule in spec['rules']]
    return dict(ingress, spec=spec)


def convert_rule(rule, convert_backend):
    if 'http' not in rule:
        return dict(rule)
    paths = [dict(path, backend=convert_backend(path.get('backend', {}))) for path in rule['http'].get('paths', ())]
    return dict(rule, http=dict(rule['http'], paths=paths))


def backend_to_beta(backend):
    service = backend.get('service', {})
    port = service.get('port', {})
    result = {'serviceName': service['name']} if service.get('name') else {}
    result['servicePort'] = port.get('name') or port.get('number', 0)
    if 'resource' in backend:
        result['resource'] = backend['resource']
    return result


def backend_from_beta(backend):
    name, port = backend.get('serviceName', ''), backend.get('servicePort', 0)
    result = {'resource': backend['resource']} if 'resource' in backend else {}
    if name or port:
        service = result['service'] = {'name': name} if name else {}
        service['port'] = {} if not port else {'name': port} if isinstance(port, str) else {'number': port}
    return result


def name_as_beta(text):
    """Return the path of a field, or a message that names one, as a client of v1beta1 knows it."""
    for pattern, name in BETA_FIELDS:
        text = pattern.sub(name, text)
    return text


# Rules

def validate_ingress(causes, ingress):
    spec = ingress.get('spec', {})
    if 'defaultBackend' not in spec and not spec.get('rules'):
        causes.append(('FieldValueInvalid', 'spec', 'Invalid value: []networking.IngressRule(nil): either '
                                                    '`defaultBackend` or `rules` must be specified'))
    if 'defaultBackend' in spec:
        validate_backend(causes, 'spec.defaultBackend', spec['defaultBackend'])
    for i, rule in enumerate(spec.get('rules', ())):
        validate_rule(causes, 'spec.rules[%d]' % i, rule)
    for i, entry in enumerate(spec.get('tls', ())):
        for j, host in enumerate(entry.get('hosts', ())):
            validate_host_name(causes, 'spec.tls[%d].hosts[%d]' % (i, j), host)
        if entry.get('secretName'):
            causes.format('spec.tls[%d].secretName' % i, entry['secretName'], SUBDOMAIN)
    if 'ingressClassName' in spec:
        causes.format('spec.ingressClassName', spec['ingressClassName'], SUBDOMAIN)
    for i, address in enumerate(ingress.get('status', {}).get('loadBalancer', {}).get('ingress', ())):
        if 'ip' in address and not is_address(address['ip']):
            causes.invalid('status.loadBalancer.ingress[%d].ip' % i, address['ip'], 'must be a valid IP address')


def validate_new_ingress(causes, ingress):
    annotation = ingress['metadata'].get('annotations', {}).get(CLASS_ANNOTATION)
    if annotation and 'ingressClassName' in ingress.get('spec', {}):
        causes.invalid('annotations.' + CLASS_ANNOTATION, annotation, 'can not be set when the class field is also set')


def validate_rule(causes, field, rule):
    host = rule.get('host', '')
    if is_address(host):
        causes.invalid(field + '.host', host, 'must be a DNS name, not an IP address')
    elif host:
        validate_host_name(causes, field + '.host', host)
    if 'http' in rule and not rule['http'].get('paths'):
        causes.required(field + '.http.paths')
    for i, path in enumerate(rule.get('http', {}).get('paths', ())):
        validate_path(causes, '%s.http.paths[%d]' % (field, i), path)


def validate_host_name(causes, field, host):
    causes.format(field, host, WILDCARD_SUBDOMAIN if '*' in host else SUBDOMAIN)


def validate_path(causes, field, path):
    text, kind = path.get('path', ''), path.get('pathType')
    if not kind:
        causes.required(field + '.pathType', 'pathType must be specified')
    else:
        causes.one_of(field + '.pathType', kind, PATH_TYPES)
    if not text.startswith('/') and (text or kind in ('Exact', 'Prefix')):
        causes.invalid(field + '.path', text, 'must be an absolute path')
    elif kind in ('Exact', 'Prefix'):
        for part in FORBIDDEN_IN_PATHS:
            if part in text:
                causes.invalid(field + '.path', text, "must not contain '%s'" % part)
        for part in FORBIDDEN_AT_END:
            if text.endswith(part):
                causes.invalid(field + '.path', text, "cannot end with '%s'" % part)
    validate_backend(causes, field + '.backend', path.get('backend', {}))


def validate_backend(causes, field, backend):
    if not backend:
        causes.invalid(field, '', 'resource or service backend is required')
    elif len(backend) > 1:
        causes.invalid(field, '', 'cannot set both resource and service backends')
    elif 'resource' in backend:
        for name in ('kind', 'name'):
            if not backend['resource'].get(name):
                causes.required('%s.resource.%s' % (field, name), name + ' is required')
    else:
        validate_service_backend(causes, field, backend['service'])


def validate_service_backend(causes, field, service):
    if not service.get('name'):
        causes.required(field + '.service.name')
    else:
        causes.format(field + '.service.name', service['name'], LABEL_1035)
    port = service.get('port', {})
    if port.get('name') and port.get('number'):
        causes.invalid(field, '', 'cannot set both port name & port number')
    elif port.get('name'):
        validate_port_name(causes, field + '.service.port.name', port['name'])
    elif port.get('number'):
        causes.port(field + '.service.port.number', port['number'])
    else:
        causes.required(field, 'port name or number is required')
