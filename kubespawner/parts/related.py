"""The companions of a server's pod: a Secret with its certificates and secret variables, and a Service.

One Secret has both, because that takes one request and one right. The volume with the certificates contains only their
files, so that the variables cannot be read as files.

What these objects contain, and which of them a server has, belongs here. `spawner` decides when they are created, and
`lifecycle.companions` whose they are. Everything runs on the IOLoop's thread, and reads hub state.
"""
import inspect
import weakref

from tornado import gen
from tornado.locks import Lock
from traitlets import default

from .. import naming, objects, related_objects
from ..kube import api
from ..kube.clients import to_dict
from ..lifecycle import podstatus
from ..lifecycle.companions import Companions
from ..lifecycle.pods import uid_of
from ..lifecycle.waiting import in_time
from ..messages.errors import Cause, ConfigurationError, SpawnError
from ..messages.secrets import SECRET
from ..naming.ownership import SERVERNAME
from ..secret_variables import VOLUME, hide, mark_of, mount_mark, only_keys
from .awaiting import maybe_await
from .labels import Labels

FILES = {'keyfile': related_objects.KEY, 'certfile': related_objects.CERTIFICATE, 'cafile': related_objects.TRUST}

# JupyterHub has one file for the certificates of all servers of a user. So they are made and read one after the other.
_LOCKS = weakref.WeakKeyDictionary()  # user -> Lock

SECRET_PAUSE = 5  # seconds in which a Secret may still arrive after the end of the hub that has sent it

NO_CERTIFICATES = 'JupyterHub.internal_ssl is True, but JupyterHub has made no certificates for this server.'


class Certificates:
    """The last certificates of one server.

    paths (dict or None): of JupyterHub's files. data (dict): of the Secret; empty while there are no certificates.
    names (tuple or None): the names of the server in them.
    is_new (bool): whether `move_certs` has not been called with them. The files have the same paths at each start.
    """

    def __init__(self):
        self.paths, self.data, self.names, self.is_new = None, {}, None, False


class Related(Labels):
    """The part of KubeSpawner for the companions of a pod."""

    _secret_in_pod = None  # the name of the Secret that the pod refers to which was made last
    _hidden = {}  # the variables that are in the Secret, by key
    _certificates = Certificates()

    # What this server has

    @property
    def _has_tls(self):
        return bool(getattr(self, 'internal_ssl', False))  # which JupyterHub has since 1.0

    @property
    def _has_service(self):
        return self.services_enabled or self._has_tls

    @property
    def _hides_variables(self):
        return self.secret_environment is not False

    @property
    def secret_name(self):
        """The name of this server's Secret, by `secret_name_template`."""
        if self._secret_in_pod is not None:
            return self._secret_in_pod
        name = self._expand_trait('secret_name_template')
        return name if name == self.pod_name else naming.object_name(name)

    # Certificates

    @default('ssl_alt_names')
    def _names_of_pod(self):
        names = self.dns_name, self.pod_name, '%s.%s' % (self.pod_name, self.namespace), '%s.%s.svc' % (
            self.pod_name, self.namespace)
        return ['DNS:' + name for name in names]

    @default('ssl_alt_names_include_local')
    def _without_local_names(self):
        return False

    @property
    def _names_of_server(self):
        return self.pod_name, self.namespace, self.dns_name

    @gen.coroutine
    def create_certs(self):
        """Let JupyterHub create the server's certificates; return their paths. JupyterHub calls this before `start`."""
        lock = _LOCKS.setdefault(self.user, Lock())
        with (yield lock.acquire()):
            if self._default_names is not None and self.ssl_alt_names == self._default_names:
                del self._trait_values['ssl_alt_names']  # the server may be called differently by now
            is_default = 'ssl_alt_names' not in self._trait_values
            names = self._names_of_server
            paths = yield maybe_await(super().create_certs())
            self._default_names = self.ssl_alt_names if is_default else None
            self._certificates = self._read_certificates(paths)
            self._certificates.names, self._certificates.is_new = names, True
        return paths

    _default_names = None  # the `ssl_alt_names` that were made of the names of the server

    def _read_certificates(self, paths):
        certificates = Certificates()
        certificates.paths = dict(paths)
        certificates.data = related_objects.certificate_data(
            self.user.name, paths, self.internal_trust_bundles['hub-ca'])
        return certificates

    @gen.coroutine
    def move_certs(self, paths):
        """Return the paths of the certificates in the server's container, where the Secret is mounted, a dict."""
        if not self._certificates.is_new or self._certificates.paths != dict(paths):  # those of a subclass
            self._certificates = self._read_certificates(paths)
        self._certificates.is_new = False
        directory = self.secret_mount_path.rstrip('/')
        return {key: '%s/%s' % (directory, file) for key, file in FILES.items()}

    @gen.coroutine
    def _check_certificates(self):
        """Create new certificates if a profile or a hook has changed the names of the server.

        Raises ConfigurationError if there are no certificates.
        """
        if not self._has_tls:
            return
        if not self._certificates.data:
            raise ConfigurationError(NO_CERTIFICATES)
        if self._certificates.names not in (None, self._names_of_server):
            self.log.info('Making new certificates: the server is called %s by now', self.dns_name)
            yield self.move_certs((yield self.create_certs()))

    # Secret variables

    def _begin_pod(self):
        """Forget the secret variables of the last pod."""
        self._hidden, self._secret_in_pod = {}, None
        if self._hides_variables or self._has_tls:
            self._secret_in_pod = self.secret_name

    def _certificates_of_pod(self):
        """Return the arguments of `make_pod` that mount the Secret."""
        if not self._has_tls:
            return {}
        return {'ssl_secret_name': self.secret_name, 'ssl_secret_mount_path': self.secret_mount_path}

    def _hide_variables(self, pod):
        """Replace the values of secret variables in a pod by references to the Secret. All its parts answer to keys."""
        if not self._hides_variables:
            return
        spec, names = pod.spec, self.secret_environment
        containers = list(spec.get('initContainers') or []) + list(spec.get('containers') or [])
        try:
            self._hidden = hide(containers, self.secret_name, () if names is True else names, self._hidden)
        except ValueError as e:
            raise ValueError('KubeSpawner.secret_environment: %s' % e)
        only_keys(spec.get('volumes') or [], self.secret_name, sorted(FILES.values()))
        if self._hidden:
            mount_mark(spec, self.secret_name, self._key_of_mark)

    @property
    def _key_of_mark(self):
        return mark_of(self.user.name, self.name)

    def _secret_values(self):
        """Return the values in the Secret that logs must not show."""
        return [{'name': SECRET, 'value': value} for value in self._hidden.values()]

    # The objects

    def _selector_of_service(self):
        """Return the labels that only this server's pod has, with the server's name even if that is ''."""
        labels = dict(self.pod_reflector.labels, **{SERVERNAME: ''})
        labels.update({key: naming.owner_label(value, self.slug_scheme) for key, value in self._identity().items()})
        return labels

    def _metadata_of_companions(self):
        return (self._build_common_labels(self._expand_labels('singleuser_extra_labels')),
                self._build_common_annotations(self._expand_trait('singleuser_extra_annotations')))

    def get_secret_manifest(self, owner_reference):
        """Return the V1Secret of this server. owner_reference (V1OwnerReference): refers to its pod."""
        data = dict(self._certificates.data) if self._has_tls else {}
        data.update(self._data_of_variables())
        return related_objects.make_opaque_secret(
            self.secret_name, data, [owner_reference], *self._metadata_of_companions())

    def get_service_manifest(self, owner_reference, port):
        """Return the V1Service of this server.

        owner_reference (V1OwnerReference): refers to its pod. port (int): of the server.
        """
        return related_objects.make_service(
            self.pod_name, port, self._selector_of_service(), [owner_reference], *self._metadata_of_companions())

    def _data_of_variables(self):
        data = {key: related_objects.encoded(value.encode('utf8')) for key, value in self._hidden.items()}
        return dict(data, **{self._key_of_mark: ''}) if data else data

    @property
    def _companions(self):
        """Creates and replaces the Secret and the Service."""
        return Companions(self._requests, self.namespace, self.pod_name, (self.user.name, self.name), self.log)

    def _names_of_companions(self):
        """Return the companions of the pod, as a list of (kind, name)."""
        names = []
        if self._hidden or self._has_tls:
            names.append(('secret', self.secret_name))
        if self._has_service:
            names.append(('service', self.pod_name))
        return names

    @gen.coroutine
    def _manifest_of_companion(self, kind, uid, port):
        """Return the manifest of a companion of the pod with this uid, a dict; None if a subclass wants none."""
        owner = related_objects.make_owner_reference(self.pod_name, uid)
        if kind == 'service':
            return to_dict((yield maybe_await(_called(self.get_service_manifest, owner, port))))
        manifest = to_dict((yield maybe_await(self.get_secret_manifest(owner))))
        if manifest is not None and self._hidden:  # a subclass may know nothing of variables
            manifest['data'] = dict(self._data_of_variables(), **manifest.get('data') or {})
        return manifest

    @gen.coroutine
    def _create_companion(self, kind, pod, deadline, is_wanted=lambda: True):
        """Create a companion of a pod, unless it exists or a subclass wants none. pod (dict): complete.

        Raises ApiError and SpawnError.
        """
        uid = uid_of(pod)
        manifest = yield in_time(self._manifest_of_companion(kind, uid, podstatus.port(pod) or self.port), deadline,
                                 'get_%s_manifest' % kind, self.pod_name)
        if manifest is not None:
            yield self._companions.create(kind, manifest, uid, deadline, is_wanted)

    # After a hub that ended in the middle of a start

    @gen.coroutine
    def _recover_service(self, pod, deadline):
        """Create the Service of a pod, unless it exists. Raises ApiError and SpawnError.

        pod (dict): complete, not from the cache.
        """
        if self._has_service:
            yield self._create_companion('service', pod, deadline)

    @gen.coroutine
    def _check_secret(self, deadline):
        """Raise SpawnError if the pod waits for a Secret that its hub did not create: nobody else has the contents.

        The request of the hub that has ended may still be on its way, so the Secret is read again after a while.
        """
        for pause in (SECRET_PAUSE, 0):
            missing = yield self._missing_secret(deadline)
            if missing is None:
                return
            yield gen.sleep(pause)
        raise SpawnError('The hub ended before it had created the Secret %s, for which the pod waits.' % missing,
                         cause=Cause.API)

    @gen.coroutine
    def _missing_secret(self, deadline):
        """Return the name of the Secret for which the pod waits; None if it waits for none, or if that is unknown."""
        if not (self._has_tls or self._hides_variables):
            return None
        try:
            pod = yield self._requests.read('pod', self.namespace, self.pod_name, deadline)
            name = _secret_mounted(pod)
            if name is None or (yield self._requests.read('secret', self.namespace, name, deadline)) is not None:
                return None
        except api.ApiError as e:
            self.log.warning('Whether pod %s waits for a Secret is not known: %s', self.pod_name, e)
            return None
        return name


def _secret_mounted(pod):
    """Return the name of the Secret in KubeSpawner's volume of a pod (a dict or None), or None."""
    volumes = pod['spec'].get('volumes') or () if pod is not None else ()
    return next((volume['secret']['secretName'] for volume in volumes
                 if volume['name'] in (VOLUME, objects.CERTIFICATES) and volume.get('secret')), None)


def _called(method, owner, port):
    """Call `get_service_manifest`. Before 2024 it had no argument `port`."""
    try:
        inspect.signature(method).bind(owner, port)
    except TypeError:
        return method(owner)
    return method(owner, port)
