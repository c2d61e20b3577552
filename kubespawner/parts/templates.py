"""Templates: settings into which the names of the user and the server are filled.

Which settings are templates, and for what, belongs here. How names are made valid is in `naming`, and the names of a
server's own objects are in `server_names`. Everything runs on the IOLoop's thread, and reads hub state.
"""
import itertools
from collections import namedtuple
from contextlib import contextmanager

from .. import naming
from ..configuration import Configuration
from ..configuration.cluster import hub_namespace
from ..configuration.templates import TEMPLATES, TEMPLATES_OF_CLAIMS
from ..kube.clients import to_dict
from ..naming.server_names import Named

HOW_FILLED = {
    'singleuser_init_containers': '_fill_containers',
    'singleuser_extra_containers': '_fill_containers',
    'singleuser_extra_container_config': '_fill_container',
    'singleuser_extra_pod_config': '_fill_pod',
}

# The fields of templates besides those that are made of names, functions of the spawner: for all of its user's servers,
# and those that only its own has.
FIELDS = {'hubnamespace': lambda _: hub_namespace(), 'namespace': lambda spawner: spawner.namespace}
OWN_FIELDS = dict(FIELDS, **{
    'pod_name': lambda spawner: spawner._name_in_template('pod_name'),
    'pvc_name': lambda spawner: spawner._name_in_template('pvc_name'),
    'namespace': lambda spawner: spawner._name_in_template('namespace'),
})

# The keys of a container in which Kubernetes expands `$(VARIABLE)`, those below which there are such keys, and those of
# a pod's spec that hold containers.
WITH_VARIABLES = frozenset(['command', 'args', 'env', 'subPathExpr', 'sub_path_expr'])
ABOVE_VARIABLES = frozenset([
    'livenessProbe', 'liveness_probe', 'readinessProbe', 'readiness_probe', 'startupProbe', 'startup_probe', 'exec',
    'volumeMounts', 'volume_mounts'])
WITH_CONTAINERS = frozenset(['containers', 'initContainers', 'init_containers'])

# Where a volume has the name of its claim, in each spelling of the two fields.
CLAIM_NAMES = list(itertools.product(
    ['persistentVolumeClaim', 'persistent_volume_claim'], ['claimName', 'claim_name']))

# The keys of what is called as volumes are: the volumes themselves, and what mounts them.
OF_VOLUMES = frozenset(['volumes', 'volumeMounts', 'volume_mounts', 'volumeDevices', 'volume_devices'])

# Traits that other spawners do not expand. In strings without fields, doubled braces stay as they are there.
ONLY_WITH_FIELDS = frozenset(['singleuser_lifecycle_hooks', 'singleuser_extra_container_config'])


class Expansion(namedtuple('Expansion', 'scheme literal needs_field is_label')):
    """How templates are expanded.

    scheme (str or None): the slug scheme; None for the setting `slug_scheme`.
    literal (callable): what is made of names that are not escaped.
    needs_field (bool): whether only templates with a field are expanded.
    is_label (bool): whether the result is the value of a label.
    """

    __slots__ = ()

    def __new__(cls, scheme=None, literal=str, needs_field=False, is_label=False):
        return super().__new__(cls, scheme, literal, needs_field, is_label)


class Templates(Named, Configuration):
    """The part of KubeSpawner that expands templates."""

    # Names

    @property
    def dns_name(self):
        """The name of this server's pod in the cluster's DNS, by `dns_name_template`."""
        return self._expand_user_properties(self.dns_name_template.replace('{name}', '{pod_name}'))

    def _text_of_name(self, trait, scheme):
        with self._expanding(scheme=scheme or self._expansion.scheme, is_label=False):
            return self._expand_trait(trait)

    def _claim_name_of(self, servername, username=None, template=None):
        """Return the present name of another server's claim, of this user or another; None if a subclass decides it.

        template (str or None): of the claim's name; None for `pvc_name_template`.
        """
        scheme = self._server_names.scheme('pvc_name') or self.slug_scheme
        user = (self.user.name, getattr(self.user, 'id', None)) if username is None else (username, -1)
        fields = naming.template_fields(*(user + (servername, scheme)), others=FIELDS, asker=self)
        try:
            return naming.object_name(naming.expand(template or self.pvc_name_template, fields))
        except ValueError:
            return None

    def _is_named_by_operator(self, trait):
        """Return whether a template has the same result for all users and servers. False if a subclass decides it."""
        names = self.user.name, self.name
        made = set()
        for more in ('', 'x'):
            fields = naming.template_fields(names[0] + more, getattr(self.user, 'id', None), names[1] + more,
                                            self.slug_scheme, others=FIELDS, asker=self)
            try:
                made.add(naming.expand(getattr(self, trait), fields))
            except ValueError:
                return False
        return len(made) == 1

    def _user_namespace(self):
        """Return the present name of the user's namespace."""
        return self._server_names.made('namespace')

    _checked_config = None  # the configuration whose templates were looked at last

    def _check_templates(self):
        """Raise ValueError that names the trait if a configured template cannot be expanded: once, at the hub's start.

        Templates that a subclass expands are checked at each start of a server, and so are defaults that it computes:
        they may depend on what the user chooses.
        """
        is_own = type(self)._expand_user_properties is Templates._expand_user_properties
        if self.config is Templates._checked_config or not self.config or self.user is None or not is_own:
            return
        Templates._checked_config = self.config
        for trait in TEMPLATES + TEMPLATES_OF_CLAIMS * self.user_storage_pvc_ensure:
            if self._trait_values.get(trait) not in (None, self.traits()[trait].default_value):
                self._expand_trait(trait)

    # Expanding

    def _expand_user_properties(self, template, slug_scheme=None):
        """Return the string `template` with its fields replaced, see `pod_name_template`.

        slug_scheme (str or None): how names are made valid; None for the setting `slug_scheme`.
        """
        if slug_scheme is not None:
            with self._expanding(scheme=slug_scheme):
                return self._expand_user_properties(template)
        if isinstance(template, str) and not naming.has_braces(template):  # then no field has to be known
            return template
        if self._expansion.is_label and self._scheme == 'safe':
            template = naming.in_a_label(template)
        return naming.expand(template, self._template_fields())

    def _template_fields(self):
        """Return the fields that templates may use."""
        user, scheme, literal = self.user, self._scheme, self._expansion.literal
        key = (user.name, self.name, scheme, literal)
        if self._kept_fields is None or self._kept_fields[0] != key:
            self._kept_fields = key, naming.template_fields(
                user.name, getattr(user, 'id', None), self.name, scheme, literal, OWN_FIELDS, self)
        return self._kept_fields[1]

    _kept_fields = None  # those that were made last, and for what
    _expansion = Expansion()

    @contextmanager
    def _expanding(self, **changes):
        """Expand templates differently in this context. changes: fields of Expansion.

        They are not arguments of `_expand_user_properties`, because subclasses override it with those that it has.
        """
        before = self._expansion
        self._expansion = before._replace(**changes)
        try:
            yield
        finally:
            self._expansion = before

    @property
    def _scheme(self):
        """The slug scheme in this context."""
        return self._expansion.scheme or self.slug_scheme

    def _expand_all(self, value):
        """Return `value` with the fields in all of its strings replaced, also in lists and dicts."""
        return naming.expand_all(to_dict(value), self._expand_user_properties)

    def _expand_trait(self, trait):
        """Return the value of a trait with its templates expanded. Raises ValueError that names the trait."""
        try:
            return self._expand_all(getattr(self, trait))
        except ValueError as e:
            raise ValueError('KubeSpawner.%s: %s' % (trait, e))
        except RecursionError:
            raise ValueError('KubeSpawner.%s: is nested too deeply. Does it contain itself?' % trait)
        except (LookupError, TypeError, AttributeError) as e:  # from what a subclass expands with
            raise ValueError('KubeSpawner.%s: %s: %s' % (trait, type(e).__name__, e))

    def _fill_trait(self, trait):
        """Return the value of a trait with those of its strings expanded that are templates, see `naming.fill`."""
        value = getattr(self, trait)
        if not value:
            return value
        try:
            template = to_dict(value)
            with self._expanding(needs_field=trait in ONLY_WITH_FIELDS):
                filled = getattr(self, HOW_FILLED.get(trait, '_fill_value'))(template)
            if filled != template:
                _shorten_volume_names(filled, template)
            return filled
        except ValueError as e:
            raise ValueError('KubeSpawner.%s: %s' % (trait, e))
        except RecursionError:  # `make_pod` says what is wrong
            return value

    def _fill_value(self, value):
        return naming.expand_all(
            value, lambda text: naming.fill(text, self._expand_user_properties, self._expansion.needs_field))

    def _fill_variables(self, value):
        """Return `value` filled, and escaped so that Kubernetes does not expand `$(VARIABLE)` in names."""
        with self._expanding(literal=naming.without_variables):
            return self._fill_value(value)

    def _fill_container(self, container):
        return _each(container, self._fill_of_container)

    def _fill_of_container(self, key, value):
        """Return the value of a key of a container, or of a part of one, filled."""
        if key in WITH_VARIABLES:
            return self._fill_variables(value)
        if isinstance(value, (dict, list)) and (key in ABOVE_VARIABLES or isinstance(key, int)):
            return _each(value, self._fill_of_container)
        return self._fill_value(value)

    def _fill_containers(self, containers):
        return _each(containers, lambda _, container: self._fill_container(container))

    def _fill_pod(self, spec):
        return _each(spec, lambda key, value: (
            self._fill_containers if key in WITH_CONTAINERS else self._fill_value)(value))

    def _expand_labels(self, trait):
        """Return the labels of a trait, expanded. Values that contain names are made valid."""
        configured = getattr(self, trait)
        with self._expanding(is_label=True):
            expanded = self._expand_trait(trait)
        return {label: self._label_value(value) if isinstance(value, str) and value != configured.get(label) else value
                for label, value in expanded.items()}

    def _label_value(self, wanted):
        """Return a valid value of a label, without a separator at its end, as before the empty name of a server."""
        return naming.label_value(wanted.rstrip('-_.') if self.slug_scheme == 'safe' else wanted)

    def _expand_volumes(self):
        """Return the volumes, expanded. Names of claims are made valid in the same way as `pvc_name`.

        A name that the template of the claim gives means the claim that the server has, whatever its name is.
        """
        volumes, templates = self._expand_trait('volumes'), to_dict(self.volumes)
        _shorten_names(volumes, templates)
        other_names = {}
        if self._server_names.has_claim or self._server_names.is_legacy:
            other_names[naming.object_name(self._expand_trait('pvc_name_template'))] = self.pvc_name
        self._add_usual_name(other_names, volumes)
        for volume, template in zip(_items(volumes), _items(templates)):
            (claim, key), (configured, _) = _claim(volume), _claim(template)
            name = claim.get(key)
            if isinstance(name, str) and name not in (configured.get(key), self.pvc_name):
                name = naming.object_name(name)
                claim[key] = other_names.get(name, name)
        return volumes

    def _add_usual_name(self, other_names, volumes):
        """Let a volume of the usual claim use the profile's claim, unless another volume does."""
        usual = self._server_names.usual_made
        if usual and self.pvc_name not in map(_claim_name, _items(volumes)):
            other_names[usual] = self.pvc_name

    def _expand_volume_mounts(self):
        """Return the volume mounts, expanded, with the names that the volumes got."""
        mounts, templates = self._expand_trait('volume_mounts'), to_dict(self.volume_mounts)
        _shorten_names(mounts, templates)
        with self._expanding(literal=naming.without_variables):
            for mount, template in zip(_items(mounts), _items(templates)):
                for key in WITH_VARIABLES.intersection(mount if isinstance(mount, dict) else ()):
                    mount[key] = self._expand_all(template[key])
        return mounts


def _shorten_volume_names(value, template):
    """Make the names of volumes in a part of a pod valid. `value`: that part; names as in its `template` stay."""
    if isinstance(value, dict):
        for key, item in value.items():
            (_shorten_names if key in OF_VOLUMES else _shorten_volume_names)(item, _at(template, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _shorten_volume_names(item, _at(template, number))


def _shorten_names(objects_, templates):
    """Make the names of volumes or mounts valid that contain the name of a user, all in the same way."""
    for volume, template in zip(_items(objects_), _items(templates)):
        name = _at(volume, 'name')
        if isinstance(name, str) and name != _at(template, 'name'):
            volume['name'] = naming.object_name(name)


def _at(value, key):
    """Return an item of a dict or list; None if it does not exist."""
    try:
        return value[key]
    except (LookupError, TypeError):
        return None


def _items(objects_):
    """Return the items of a list or the values of a dict; an empty list for anything else."""
    if isinstance(objects_, dict):
        return list(objects_.values())
    return objects_ if isinstance(objects_, list) else []


def _each(value, function):
    """Return a dict or list with function(key, item) for each item; return anything else unchanged."""
    if isinstance(value, dict):
        return {key: function(key, item) for key, item in value.items()}
    return [function(number, item) for number, item in enumerate(value)] if isinstance(value, list) else value


def _claim_name(volume):
    """Return the name of the claim of a volume; None for other volumes."""
    claim, key = _claim(volume)
    return claim.get(key)


def _claim(volume):
    """Return the dict in which a volume names its claim, and the key of the name; an empty dict for other volumes."""
    for source, key in CLAIM_NAMES if isinstance(volume, dict) else ():
        claim = volume.get(source)
        if isinstance(claim, dict) and key in claim:
            return claim, key
    return {}, None
