"""What goes with a server's pod: a Secret with its certificates and secret variables, and a Service in front of it.

The Secret has both, because one object is made, replaced and forbidden at once. The volume with certificates contains
only their files, so that variables are not readable as files.

Here belongs what these objects consist of, and which of them a server has. When they are created is said in `spawner`,
and whose they are in `lifecycle.companions`. Everything runs on the IOLoop's thread, and reads hub state.
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
    """The certificates of one server, as they were made last.

    paths (dict or None): where JupyterHub has them. data (dict): of the Secret; empty as long as there are none.
    names (tuple or None): the names of the server that they were made for.
    is_new (bool): whether `move_certs` has yet to be called with them. The files have the same paths at each start.
    """

    def __init__(self):
        self.paths, self.data, self.names, self.is_new = None, {}, None, False


class Related(Labels):
    """The part of KubeSpawner that says what goes with a pod."""

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
    def _named(self):
        return self.pod_name, self.namespace, self.dns_name

    @gen.coroutine
    def create_certs(self):
        """Have JupyterHub make the server's certificates; return their paths. JupyterHub calls it before `start`."""
        lock = _LOCKS.setdefault(self.user, Lock())
        with (yield lock.acquire()):
            if self._default_names is not None and self.ssl_alt_names == self._default_names:
                del self._trait_values['ssl_alt_names']  # the server may be called differently by now
            is_default = 'ssl_alt_names' not in self._trait_values
            names = self._named
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
        """Return where the server finds its certificates, a dict of paths: the Secret is mounted there."""
        if not self._certificates.is_new or self._certificates.paths != dict(paths):  # those of a subclass
            self._certificates = self._read_certificates(paths)
        self._certificates.is_new = False
        directory = self.secret_mount_path.rstrip('/')
        return {key: '%s/%s' % (directory, file) for key, file in FILES.items()}

    @gen.coroutine
    def _check_certificates(self):
        """Have certificates for the names that the server has now: a profile or a hook may have changed them.

        Raises ConfigurationError if there are none.
        """
        if not self._has_tls:
            return
        if not self._certificates.data:
            raise ConfigurationError(NO_CERTIFICATES)
        if self._certificates.names not in (None, self._named):
            self.log.info('Making new certificates: the server is called %s by now', self.dns_name)
            yield self.move_certs((yield self.create_certs()))

    # Secret variables

    def _begin_pod(self):
        """Forget what was hidden of the last pod."""
        self._hidden, self._secret_in_pod = {}, None
        if self._hides_variables or self._has_tls:
            self._secret_in_pod = self.secret_name

    def _certificates_of_pod(self):
        """Return the arguments of `make_pod` that have the Secret mounted."""
        if not self._has_tls:
            return {}
        return {'ssl_secret_name': self.secret_name, 'ssl_secret_mount_path': self.secret_mount_path}

    def _hide_variables(self, pod):
        """Have a pod refer to the Secret where it has the values of secret variables. All its parts answer to keys."""
        if not self._hides_variables:
            return
        spec, names = pod.spec, self.secret_environment
        containers = list(spec.get('initContainers') or []) + list(spec.get('containers') or [])
        try:
            hide(containers, self.secret_name, () if names is True else names, self._hidden)
        except ValueError as e:
            raise ValueError('KubeSpawner.secret_environment: %s' % e)
        only_keys(spec.get('volumes') or [], self.secret_name, sorted(FILES.values()))
        if self._hidden:
            mount_mark(spec, self.secret_name, self._mark)

    @property
    def _mark(self):
        return mark_of(self.user.name, self.name)

    def _secret_values(self):
        """Return what must not be read in logs of what is in the Secret."""
        return [{'name': SECRET, 'value': value} for value in self._hidden.values()]

    # The objects

    def _selector_of_service(self):
        """Return the labels that only this server's pod has. They include the name of a default server, which is ''."""
        labels = dict(self.pod_reflector.labels, **{SERVERNAME: ''})
        labels.update({key: naming.owner_label(value, self.slug_scheme) for key, value in self._identity().items()})
        return labels

    def _metadata_of_companions(self):
        return (self._build_common_labels(self._expand_labels('singleuser_extra_labels')),
                self._build_common_annotations(self._expand_trait('singleuser_extra_annotations')))

    def get_secret_manifest(self, owner_reference):
        """Return the V1Secret of this server. owner_reference (V1OwnerReference): to its pod."""
        data = dict(self._certificates.data) if self._has_tls else {}
        data.update(self._data_of_variables())
        return related_objects.make_opaque_secret(
            self.secret_name, data, [owner_reference], *self._metadata_of_companions())

    def get_service_manifest(self, owner_reference, port):
        """Return the V1Service of this server. owner_reference (V1OwnerReference): to its pod. port (int): of that."""
        return related_objects.make_service(
            self.pod_name, port, self._selector_of_service(), [owner_reference], *self._metadata_of_companions())

    def _data_of_variables(self):
        data = {key: related_objects.encoded(value.encode('utf8')) for key, value in self._hidden.items()}
        return dict(data, **{self._mark: ''}) if data else data

    @property
    def _companions(self):
        """What creates and replaces the Secret and the Service."""
        return Companions(self._requests, self.namespace, self.pod_name, (self.user.name, self.name), self.log)

    def _names_of_companions(self):
        """Return what goes with the pod, as a list of (kind, name)."""
        names = []
        if self._hidden or self._has_tls:
            names.append(('secret', self.secret_name))
        if self._has_service:
            names.append(('service', self.pod_name))
        return names

    @gen.coroutine
    def _manifest_of_companion(self, kind, uid, port):
        """Return a companion of the pod with this uid, a dict; None if a subclass wants none."""
        owner = related_objects.make_owner_reference(self.pod_name, uid)
        if kind == 'service':
            return to_dict((yield maybe_await(_called(self.get_service_manifest, owner, port))))
        manifest = to_dict((yield maybe_await(self.get_secret_manifest(owner))))
        if manifest is not None and self._hidden:  # a subclass may know nothing of variables
            manifest['data'] = dict(self._data_of_variables(), **manifest.get('data') or {})
        return manifest

    @gen.coroutine
    def _create_companion(self, kind, pod, deadline, is_wanted=lambda: True):
        """Create what goes with a pod (a dict, as a whole), unless it is there or a subclass wants none.

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
        """Create the Service of a pod, unless it is there. Raises ApiError and SpawnError.

        pod (dict): as a whole.
        """
        if self._has_service:
            yield self._create_companion('service', pod, deadline)

    @gen.coroutine
    def _check_secret(self, deadline):
        """Raise SpawnError if the pod waits for a Secret that its hub did not create: nobody else has what is in it.

        The request of the hub that has ended may still be on its way, so the Secret is looked for again after a while.
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
        """Return the name of the Secret for which the pod waits; None if it waits for none, or if nobody knows."""
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
    """Return the name of the Secret in one of KubeSpawner's volumes of a pod (a dict or None); None if it has none."""
    volumes = pod['spec'].get('volumes') or () if pod is not None else ()
    return next((volume['secret']['secretName'] for volume in volumes
                 if volume['name'] in (VOLUME, objects.CERTIFICATES) and volume.get('secret')), None)


def _called(method, owner, port):
    """Call `get_service_manifest`. In the releases before 2024 it had no port."""
    try:
        inspect.signature(method).bind(owner, port)
    except TypeError:
        return method(owner)
    return method(owner, port)
