"""The settings of KubeIngressProxy. What KubeSpawner has as well is as it is configured there, if it is not set here.

Apart from the computation of defaults, no behaviour belongs here. Runs on the loop's thread.
"""
import re

from traitlets import Bool, Dict, List, TraitError, Unicode, default, validate
from traitlets.config import LazyConfigValue

from ..configuration import Configuration
from ..configuration.aliases import NAMES
from ..configuration.cluster import ApiConfiguration

LABEL_VALUE = re.compile(r'[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z')
NAMESPACE = re.compile(r'[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z')


def as_spawner(name):
    """Return what makes the default of a trait what the section `c.KubeSpawner` says."""
    @default(name)
    def value(self):
        return self._of_spawner(name)

    return value


class ProxySettings(ApiConfiguration):
    """The settings of KubeIngressProxy."""

    _section = 'KubeIngressProxy'

    namespace = Unicode(
        config=True,
        help="""
        The namespace in which the proxy creates Ingresses, services and endpoints. The default is that of KubeSpawner.
        """
    )

    component_label = Unicode(
        'singleuser-server',
        config=True,
        help="""
        The value of the label `component` of all objects. A hub leaves alone objects that have another value. So hubs
        that share a namespace need different values. The default is that of KubeSpawner.
        """
    )

    common_labels = Dict(
        config=True,
        help="""
        Labels of all objects: a dict of names and values. The values are templates, see `ingress_extra_annotations`.
        The default is that of KubeSpawner.
        """
    )

    ingress_extra_labels = Dict(
        {},
        config=True,
        help="""
        Additional labels of Ingresses: a dict of names and values. The values are templates, see
        `ingress_extra_annotations`.
        """
    )

    ingress_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Additional annotations of Ingresses, such as those that configure the controller: a dict of names and values.
        The values are templates.

        The fields are `{username}` and `{servername}` of the server that a route leads to, or `{servicename}` of the
        service, and `{routespec}`, which is the path of the route, with a host before it on hubs with subdomains. What
        a route does not have is empty. Each byte of a character other than `a-z` and `0-9` is escaped as `-` and two
        hexadecimal digits. `{unescaped_username}` and the like are the names as they are: users choose them, so use
        these fields only where any text is safe. `{hubnamespace}` is the namespace of the hub.

        A text with other fields, or with braces that mean something else, stays as it is.
        """
    )

    ingress_class_name = Unicode(
        '',
        config=True,
        help="""
        The class of the Ingresses, which says which controller serves them. If it is empty, the default class of the
        cluster applies.
        """
    )

    ingress_specifications = List(
        Dict(),
        config=True,
        help="""
        The hosts that routes are for: a list of dicts. Each has a `host`, and may have a `tlsSecret`: the name of a
        Secret of type `kubernetes.io/tls` with the certificate of the host. Both are templates, see
        `ingress_extra_annotations`. If the list is empty, routes are for all hosts.

        A route that has a host of its own, on a hub with subdomains, also gets a rule for that host, unless one of the
        hosts matches it: `*.example.org` matches names with one more label.
        """
    )

    reuse_existing_services = Bool(
        False,
        config=True,
        help="""
        Whether a route leads to the service that is its target, if the target is a service in the same namespace. With
        False, and for all other names, the proxy creates a service of type ExternalName.
        """
    )

    _namespace_default = as_spawner('namespace')
    _component_label_default = as_spawner('component_label')
    _common_labels_default = as_spawner('common_labels')
    _workers_default = as_spawner('k8s_api_threadpool_workers')
    _timeout_default = as_spawner('k8s_api_request_timeout')
    _retry_timeout_default = as_spawner('k8s_api_request_retry_timeout')
    _host_default = as_spawner('k8s_api_host')
    _ca_cert_default = as_spawner('k8s_api_ssl_ca_cert')
    _verify_ssl_default = as_spawner('k8s_api_verify_ssl')

    def _of_spawner(self, name):
        """Return the value of a setting of KubeSpawner, by any of its names; its default if it is not configured."""
        initial = getattr(Configuration(), name)
        section = self.config.get('KubeSpawner', {})
        for spelling in NAMES.get(name, [name]):
            if spelling in section:
                value = section[spelling]
                return value.get_value(initial) if isinstance(value, LazyConfigValue) else value
        return initial

    @validate('namespace')
    def _namespace_is_one(self, proposal):
        return self._matching(proposal, NAMESPACE, 'the name of a Kubernetes namespace')

    @validate('component_label')
    def _component_label_is_one(self, proposal):
        return self._matching(proposal, LABEL_VALUE, 'the value of a label that is not empty')

    def _matching(self, proposal, pattern, what):
        if not pattern.match(proposal['value']):
            raise TraitError('KubeIngressProxy.%s must be %s, not %.100r.' % (
                proposal['trait'].name, what, proposal['value']))
        return proposal['value']

    @validate('ingress_specifications')
    def _each_has_a_host(self, proposal):
        for number, each in enumerate(proposal['value']):
            unknown = sorted(set(each) - {'host', 'tlsSecret'})
            if unknown or not each.get('host'):
                raise TraitError('KubeIngressProxy.ingress_specifications[%d] must have a host, and may have a '
                                 'tlsSecret, but is %.200r.' % (number, each))
        return proposal['value']
