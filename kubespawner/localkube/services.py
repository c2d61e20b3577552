"""Services: their defaults, addresses and ports, and the rules for them.

What belongs here: everything about the objects. What does not: the pods that a service selects (endpoints.py), passing
connections on to them (forwarding.py). Pure; any thread.
"""
import ipaddress

from . import releases
from .causes import LABEL, SUBDOMAIN, is_address, quoted, validate_labels, validate_port_name

DEFAULT_NETWORK = '10.96.0.0/16'  # where nothing listens
NODE_PORTS = range(30000, 32768)
RESERVED = 10  # the first addresses of the network
DUPLICATE_PORT = ('core.ServicePort{Name:"", Protocol:"%s", AppProtocol:(*string)(nil), Port:%d, TargetPort:'
                  'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}')
WITH_NODE_PORTS = ('LoadBalancer', 'NodePort')


# Defaults

def complete_service(service):
    spec = service.setdefault('spec', {})
    spec.setdefault('type', 'ClusterIP')
    spec.setdefault('sessionAffinity', 'None')
    if spec['sessionAffinity'] == 'ClientIP':
        spec.setdefault('sessionAffinityConfig', {'clientIP': {'timeoutSeconds': 10800}})
    for port in spec.get('ports', ()):
        port.setdefault('protocol', 'TCP')
        if not port.get('targetPort'):
            port['targetPort'] = port.get('port', 0)
    if spec['type'] in WITH_NODE_PORTS:
        spec.setdefault('externalTrafficPolicy', 'Cluster')
    if spec['type'] != 'ExternalName' and spec.get('clusterIP'):
        spec.setdefault('clusterIPs', [spec['clusterIP']])


def complete_for(service, release):
    """Add the defaults that only newer releases have. Completes a service in place."""
    spec = service['spec']
    if spec['type'] == 'ExternalName':
        return
    if release >= releases.INTERNAL_TRAFFIC_POLICY:
        spec.setdefault('internalTrafficPolicy', 'Cluster')
    if release >= releases.IP_FAMILIES:
        spec.setdefault('ipFamilies', ['IPv4'])
        spec.setdefault('ipFamilyPolicy', 'SingleStack')


def complete_update(new, old):
    """Drop the fields that the type of the service no longer has. Completes an update in place."""
    spec, before = new['spec'], old['spec']
    if spec['type'] == 'ExternalName' and before['type'] != 'ExternalName':
        for field in ('clusterIP', 'clusterIPs', 'internalTrafficPolicy', 'ipFamilies', 'ipFamilyPolicy'):
            spec.pop(field, None)
    if spec['type'] not in WITH_NODE_PORTS and before['type'] in WITH_NODE_PORTS:
        if spec.get('externalTrafficPolicy') == before.get('externalTrafficPolicy'):
            spec.pop('externalTrafficPolicy', None)
        known = {port.get('nodePort') for port in before.get('ports', ())}
        for port in spec.get('ports', ()):
            if port.get('nodePort') in known:
                port.pop('nodePort', None)


def needs_address(spec):
    return spec['type'] != 'ExternalName' and not spec.get('clusterIP')


def allocate(causes, service, others, network):
    """Give a service its address and node ports. Add causes for those that it asks for and cannot have.

    others (list of dict): all other services.
    network (str): such as 10.96.0.0/16.
    """
    spec = service['spec']
    taken = {other['spec'].get('clusterIP') for other in others}
    network = ipaddress.ip_network(network)
    if needs_address(spec):
        spec['clusterIP'] = next(address for address in map(str, list_addresses(network)) if address not in taken)
        spec['clusterIPs'] = [spec['clusterIP']]
    elif is_address(spec.get('clusterIP', '')):
        wanted = spec['clusterIP']
        if ipaddress.ip_address(wanted) not in network:
            causes.invalid('spec.clusterIPs', [wanted], 'failed to allocated ip:%s with error:provided IP is not in '
                           'the valid range. The range of valid IPs is %s' % (wanted, network))
        elif wanted in taken:
            causes.invalid('spec.clusterIPs', [wanted], 'failed to allocated ip:%s with error:provided IP is already '
                           'allocated' % wanted)
    allocate_ports(causes, spec, others)


def list_addresses(network):
    return (network[number] for number in range(RESERVED, network.num_addresses - 1))


def allocate_ports(causes, spec, others):
    if spec['type'] not in WITH_NODE_PORTS:
        return
    taken = {port.get('nodePort') for other in others for port in other['spec'].get('ports', ())}
    for i, port in enumerate(spec.get('ports', ())):
        wanted = port.get('nodePort')
        if not wanted:
            port['nodePort'] = next(number for number in NODE_PORTS if number not in taken)
        elif wanted not in NODE_PORTS:
            causes.invalid('spec.ports[%d].nodePort' % i, wanted, 'provided port is not in the valid range. The range '
                           'of valid ports is %d-%d' % (NODE_PORTS[0], NODE_PORTS[-1]))
        elif wanted in taken:
            causes.invalid('spec.ports[%d].nodePort' % i, wanted, 'provided port is already allocated')
        taken.add(port['nodePort'])


# Rules

def validate_service(causes, service):
    spec = service['spec']
    ports = spec.get('ports', ())
    if not ports and spec['type'] != 'ExternalName' and spec.get('clusterIP') != 'None':
        causes.required('spec.ports')
    validate_type(causes, spec)
    validate_labels(causes, 'spec.selector', spec.get('selector', {}))
    names, numbers = set(), set()
    for i, port in enumerate(ports):
        validate_service_port(causes, 'spec.ports[%d]' % i, port, len(ports) > 1, names)
        if port.get('nodePort') and spec['type'] not in WITH_NODE_PORTS:
            causes.forbidden('spec.ports[%d].nodePort' % i, "may not be used when `type` is '%s'" % spec['type'])
        if (port.get('port'), port.get('protocol')) in numbers:
            causes.append(('FieldValueDuplicate', 'spec.ports[%d]' % i, 'Duplicate value: ' + DUPLICATE_PORT
                           % (port.get('protocol'), port.get('port'))))
        numbers.add((port.get('port'), port.get('protocol')))
    causes.one_of('spec.sessionAffinity', spec['sessionAffinity'], ('ClientIP', 'None'))
    causes.one_of('spec.type', spec['type'], ('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'))
    if spec.get('clusterIP', 'None') != 'None' and not is_address(spec['clusterIP']):
        causes.invalid('spec.clusterIPs[0]', spec['clusterIP'],
                       'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')


def validate_type(causes, spec):
    if spec['type'] == 'ExternalName':
        if spec.get('externalName'):
            causes.format('spec.externalName', spec['externalName'].rstrip('.'), SUBDOMAIN)
        else:
            causes.required('spec.externalName')
    elif spec['type'] in WITH_NODE_PORTS and spec.get('clusterIP') == 'None':
        causes.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for %s services" % spec['type'])


def validate_service_port(causes, field, port, named, names):
    name = port.get('name')
    if not name and named:
        causes.required(field + '.name')
    if name:
        causes.format(field + '.name', name, LABEL)
        if name in names:
            causes.duplicate(field + '.name', name)
        names.add(name)
    causes.port(field + '.port', port.get('port', 0))
    causes.one_of(field + '.protocol', port['protocol'], ('SCTP', 'TCP', 'UDP'))
    target = port.get('targetPort', 0)
    if isinstance(target, str):
        validate_port_name(causes, field + '.targetPort', target)
    else:
        causes.port(field + '.targetPort', target)


def validate_service_update(causes, new, old):
    before, after = old['spec'].get('clusterIP'), new['spec'].get('clusterIP')
    if not before or before == after or new['spec']['type'] == 'ExternalName':
        return
    why = ('[]string{%s}: may not change once set' % quoted(after) if after
           else '[]string(nil): primary clusterIP can not be unset')
    causes.append(('FieldValueInvalid', 'spec.clusterIPs[0]', 'Invalid value: ' + why))
