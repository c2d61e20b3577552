"""Objects beside a pod: owner references, secrets, services, namespaces and ingresses, as models of the client.

What these objects look like belongs here, not who needs them. No argument is changed. Any thread. Models are loaded on
first use: new clients take long for each, and most hubs need none of these.
"""
import base64
import copy
import ipaddress
import json
import re
from urllib.parse import urlparse

from kubernetes import client

from .kube import objects_api
from .kube.clients import model
from .utils import host_matching

ROUTE_LABEL = 'hub.jupyter.org/proxy-route'
DATA, ROUTESPEC, TARGET = ('hub.jupyter.org/proxy-' + what for what in ('data', 'routespec', 'target'))

# The keys of a secret with certificates, which are the names of files.
KEY, CERTIFICATE, TRUST = 'ssl.key', 'ssl.crt', 'notebooks-ca_trust.crt'

INGRESS_CLASS = 'kubernetes.io/ingress.class'  # the annotation from before there was a field

PORTS = {'http': 80, 'https': 443}

# The name of a service in the cluster's DNS: its own, its namespace and the rest, of which the latter may be missing.
_SERVICE = re.compile(r'([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)(?:\.([-a-z0-9]+)(?:\.svc(?:\.[-.a-z0-9]+)?)?)?\Z')


def make_owner_reference(name, uid):
    """Return the V1OwnerReference to a pod. Kubernetes deletes the objects that have it with the pod."""
    return model('V1OwnerReference')(
        api_version='v1', kind='Pod', name=name, uid=uid, block_owner_deletion=False, controller=False)


def make_namespace(name, labels=None, annotations=None):
    """Return the V1Namespace of this name."""
    return model('V1Namespace')(
        api_version='v1', kind='Namespace', metadata=_metadata(name, labels, annotations))


def make_secret(name, username, cert_paths, hub_ca, owner_references, labels=None, annotations=None):
    """Return the V1Secret with the certificates that a server needs for internal TLS.

    username (str): whose server it is; in messages only.
    cert_paths (dict): the files (PEM) of the server: `keyfile`, `certfile`, and `cafile`, the authority of all servers.
    hub_ca (str): the file of the hub's authority.

    Its keys are `ssl.key`, `ssl.crt` and `notebooks-ca_trust.crt`. The last one has both authorities, that of the
    servers first. Raises OSError for a file that cannot be read, and ValueError if one is missing.
    """
    return make_opaque_secret(
        name, certificate_data(username, cert_paths, hub_ca), owner_references, labels, annotations)


def certificate_data(username, cert_paths, hub_ca):
    """Return the `data` of the secret that `make_secret` makes, a dict of str. Raises the same errors."""
    missing = [key for key in ('keyfile', 'certfile', 'cafile') if not cert_paths.get(key)]
    if missing:
        raise ValueError('The certificates of a server of user %s lack a %s.' % (username, missing[0]))
    authorities = [_content(cert_paths['cafile']).strip(b'\n'), _content(hub_ca)]
    return {
        KEY: encoded(_content(cert_paths['keyfile'])),
        CERTIFICATE: encoded(_content(cert_paths['certfile'])),
        TRUST: encoded(b'\n'.join(authorities)),
    }


def make_opaque_secret(name, data, owner_references, labels=None, annotations=None):
    """Return the V1Secret with `data`, a dict of str that are `encoded`."""
    return model('V1Secret')(
        api_version='v1',
        kind='Secret',
        metadata=_metadata(name, labels, annotations, owner_references),
        data=data,
    )


def make_service(name, port, selector, owner_references, labels=None, annotations=None):
    """Return the V1Service in front of one pod.

    port (int): of the service, and of the pod's container.
    selector (dict of str): the labels of the pod, and of no other one.
    """
    if not isinstance(selector, dict):  # the name of a server, in releases whose services were of all its user's pods
        raise ValueError('selector is %.100r; it must be a dict with the labels of one pod.' % (selector,))
    return model('V1Service')(
        api_version='v1',
        kind='Service',
        metadata=_metadata(name, labels, annotations, owner_references),
        spec=model('V1ServiceSpec')(
            type='ClusterIP', selector=_strings(selector), ports=[_service_port(port, name='http')]),
    )


def make_ingress(name, routespec, target, data, namespace=None, common_labels=None, ingress_extra_labels=None,
                 ingress_extra_annotations=None, ingress_class_name=None, ingress_specifications=None,
                 reuse_existing_services=False):
    """Return the objects of one route, a tuple: V1Endpoints or None, V1Service or None, and the Ingress.

    name (str): of all three.
    routespec (str): JupyterHub's path, with a host before it in hubs with subdomains: `/user/a/`, `a.example.org/`.
    target (str): the URL to which requests go. An IP address gets endpoints and a service; a name gets a service that
        is an alias (ExternalName).
    data (dict): JupyterHub's own, kept in an annotation.
    common_labels, ingress_extra_labels, ingress_extra_annotations (dicts of str): the first are of all three objects.
    ingress_class_name (str): which controller is to serve the route.
    ingress_specifications (list of dicts): a `host` for which there is a rule, and a `tlsSecret` with its certificate.
    reuse_existing_services (bool): if the target is a service in `namespace`, send requests there; no other is made.

    The Ingress is that of `networking.k8s.io/v1`, or of the newest beta version that the client has. Raises ValueError
    for a target that is no URL and a specification without a host.
    """
    url, annotations = urlparse(target), {DATA: json.dumps(data), ROUTESPEC: routespec, TARGET: target}
    if not url.hostname:
        raise ValueError('%.100r is no URL such as http://10.0.0.1:8888.' % (target,))
    port = url.port or PORTS.get(url.scheme, 80)
    labels = dict(common_labels or {}, **{ROUTE_LABEL: 'true'})
    service_name, endpoints, service = name, None, None
    if is_address(url.hostname):
        endpoints, service = _endpoints(name, labels, annotations, url.hostname, port), _service_of_endpoints(
            name, labels, annotations, port)
    elif reuse_existing_services and _service_in(namespace, url.hostname):
        service_name = _service_in(namespace, url.hostname)
    else:
        service = _alias(name, labels, annotations, url.hostname, port)
    metadata = _metadata(name, dict(ingress_extra_labels or {}, **labels),
                         dict(ingress_extra_annotations or {}, **annotations))  # by which the hub finds its routes
    return endpoints, service, _ingress(
        metadata, routespec, service_name, port, ingress_class_name, ingress_specifications or [])


def ingress_in(version, ingress):
    """Return an Ingress (a dict in any version of the API) in the version `version`, a dict.

    Before `networking.k8s.io/v1`, the class of an Ingress is an annotation, because some of the versions lack the
    field.
    """
    is_v1 = version == VERSIONS['V1']
    metadata, spec = copy.deepcopy(ingress['metadata']), copy.deepcopy(ingress['spec'])
    annotations = metadata.setdefault('annotations', {})
    class_name = spec.pop('ingressClassName', None) or annotations.pop(INGRESS_CLASS, None)
    if class_name and is_v1:
        spec['ingressClassName'] = class_name
    elif class_name:
        annotations[INGRESS_CLASS] = class_name
    for path in (path for rule in spec['rules'] for path in rule['http']['paths']):
        name, port = service_of(path['backend'])
        if is_v1:
            path.update(backend={'service': {'name': name, 'port': {'number': port}}}, pathType='Prefix')
        else:
            path['backend'] = {'serviceName': name, 'servicePort': port}
    return {'apiVersion': version, 'kind': 'Ingress', 'metadata': metadata, 'spec': spec}


def service_of(backend):
    """Return the name and port of the service in the backend of an Ingress, a dict in any version of the API."""
    service = backend.get('service') or {}
    port = service.get('port') or {}
    return (service.get('name') or backend.get('serviceName'),
            port.get('number') or port.get('name') or backend.get('servicePort'))


# Metadata, files, ports


def _metadata(name, labels, annotations, owner_references=None):
    return model('V1ObjectMeta')(name=name, labels=_strings(labels), annotations=_strings(annotations),
                                 owner_references=list(owner_references) if owner_references else None)


def _strings(mapping):
    return {key: str(value) for key, value in (mapping or {}).items()}


def _content(path):
    with open(path, 'rb') as f:
        return f.read()


def encoded(content):
    """Return bytes as the `data` of a secret has them: a str in base64."""
    return base64.b64encode(content).decode('ascii')


def _service_port(port, **fields):
    service_port = model('V1ServicePort')(port=int(port), **fields)
    service_port.target_port = int(port)  # some clients want an object of a class of their own here
    return service_port


# To where a route leads


def is_address(host):
    """Return whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _service_in(namespace, host):
    """Return the name of the service in this namespace that a host name refers to, or None."""
    found = _SERVICE.match(host)
    return found.group(1) if found and found.group(2) in (None, namespace) else None


def _endpoints(name, labels, annotations, address, port):
    subset = model('V1EndpointSubset')(addresses=[model('V1EndpointAddress')(ip=address)])
    port_model = 'CoreV1EndpointPort' if hasattr(client, 'CoreV1EndpointPort') else 'V1EndpointPort'
    subset.ports = [model(port_model)(port=port)]
    return model('V1Endpoints')(
        api_version='v1', kind='Endpoints', metadata=_metadata(name, labels, annotations), subsets=[subset])


def _service_of_endpoints(name, labels, annotations, port):
    """Return the service for endpoints of the same name. It clears the fields of an alias, which it may have been."""
    return _service(name, labels, annotations, type='ClusterIP', external_name='', ports=[_service_port(port)])


def _alias(name, labels, annotations, host, port):
    return _service(name, labels, annotations, type='ExternalName', external_name=host, cluster_ip='',
                    ports=[_service_port(port)])


def _service(name, labels, annotations, **spec):
    return model('V1Service')(api_version='v1', kind='Service', metadata=_metadata(name, labels, annotations),
                              spec=model('V1ServiceSpec')(**spec))


# The Ingress, whose versions differ

# The version of the API by how the client's models of it begin, the newest first.
VERSIONS = dict(zip(('V1', 'NetworkingV1beta1', 'V1beta1'), objects_api.VERSIONS['ingresses']))
NEWEST = next(prefix for prefix in VERSIONS if hasattr(client, prefix + 'Ingress'))  # that this client has


def _of_ingress(name):
    """Return the model of a part of an Ingress."""
    return model(NEWEST + name)


def _ingress_version():
    """Return the version of the API that an Ingress belongs to; some clients have one model for two of them."""
    return VERSIONS['NetworkingV1beta1' if NEWEST == 'V1beta1' and hasattr(client, 'NetworkingV1beta1Api') else NEWEST]


def _ingress(metadata, routespec, service_name, port, class_name, specifications):
    host, _, path = routespec.partition('/')
    hosts = [_host_of(number, each) for number, each in enumerate(specifications)]
    if host and not any(host_matching(host, known) for known in hosts):
        hosts.append(host)
    spec = _of_ingress('IngressSpec')(rules=[
        _rule(each, '/' + path, _backend(service_name, port)) for each in hosts or [None]])
    tls = [_of_ingress('IngressTLS')(hosts=[each['host']], secret_name=each['tlsSecret'])
           for each in specifications if each.get('tlsSecret')]
    if tls:
        spec.tls = tls
    if class_name and 'ingress_class_name' in spec.attribute_map:
        spec.ingress_class_name = class_name
    elif class_name:
        metadata.annotations[INGRESS_CLASS] = class_name
    return _of_ingress('Ingress')(api_version=_ingress_version(), kind='Ingress', metadata=metadata, spec=spec)


def _host_of(number, specification):
    if not specification.get('host'):
        raise ValueError('ingress_specifications[%d] has no host.' % number)
    return specification['host']


def _rule(host, path, backend):
    path_model = _of_ingress('HTTPIngressPath')
    path_type = {'path_type': 'Prefix'} if 'path_type' in path_model.attribute_map else {}
    paths = [path_model(path=path, backend=backend, **path_type)]
    rule = _of_ingress('IngressRule')(http=_of_ingress('HTTPIngressRuleValue')(paths=paths))
    if host:
        rule.host = host
    return rule


def _backend(service_name, port):
    if NEWEST != 'V1':
        return _of_ingress('IngressBackend')(service_name=service_name, service_port=port)
    return _of_ingress('IngressBackend')(service=model('V1IngressServiceBackend')(
        name=service_name, port=model('V1ServiceBackendPort')(number=port)))
