"""The names of the objects of one server: its pod, its claim, and the namespace of its user.

Where each of these names comes from belongs here. The rules by which a template becomes a name are in `naming`. Nothing
here knows clients or hub state. Everything runs on the IOLoop's thread.
"""
import inspect
from collections import namedtuple

from traitlets import HasTraits, Unicode, default, observe

from .. import naming

# Attribute of the spawner, which is also a field of templates -> trait with the template of this name.
TEMPLATES = {
    'pod_name': 'pod_name_template',
    'pvc_name': 'pvc_name_template',
    'namespace': 'user_namespace_template',
}


class Rules(namedtuple('Rules', 'scheme handle_legacy remember_claim')):
    """The traits `slug_scheme` (str), `handle_legacy_names` and `remember_pvc_name` (bool)."""

    __slots__ = ()


class ServerNames:
    """The names of one server's objects, by the field that stands for the name in templates, a key of TEMPLATES.

    A name can come from several sources. The first that has a name takes precedence:

    1. The current name: from the server's state, from the claim or pod that was found or is being created, or from a
       hook that assigned it. The latest of these replaces the others, until the name is forgotten.
    2. A name that a subclass assigned before the first state was loaded, for example in its `__init__`. It applies
       again whenever the name is forgotten.
    3. A dynamic default of a subclass. Only the attribute knows it, see `Named`.
    4. The template. It uses the configured slug scheme, or `escape` for the claim of a server that is older than the
       scheme.

    A name is forgotten when the state is cleared, and when a start uses another template. The names of a claim and of a
    pod that the server has are not forgotten.

    A profile may have a claim of its own, with a template or a namespace of its own. While it counts, `pvc_name` and
    `has_claim` are about that claim, and the server's usual one is set aside. Claims of profiles are remembered by what
    the profile calls them (`claim_key`) and their namespaces, in the order in which they were first used.

    expand (callable): expand(trait, scheme) returns the expanded template in a trait, with this slug scheme, or with
        the default scheme of templates if it is None. It can raise ValueError.
    rules (callable): returns the current `Rules`.
    changed (callable): changed(field, name) is called when a name changes. None means source 3 or 4.
    has_service (callable): returns whether a Service gets the name of the pod.
    """

    has_claim = False  # whether `pvc_name` is that of a claim that the server is known to have
    claim_key = None  # what the profile calls the claim that counts now; None: it is the server's usual one
    is_legacy = False  # whether the server is older than the slug scheme, and its claim may be, too

    def __init__(self, expand, rules, changed=lambda field, name: None, has_service=lambda: False):
        self._expand, self._rules, self._changed, self._has_service = expand, rules, changed, has_service
        self._current, self._of_subclass, self._assigned_early = {}, {}, {}
        self._is_loaded = False
        self._being_expanded = []
        self._usual, self.usual_made = (None, False), None
        self.profile_claims = []  # dicts: the `profile` (a claim_key), `name`, `namespace` and `template` of a claim

    # Reading names

    def known(self, field):
        """Return the name that takes precedence over all templates; None if there is none."""
        return self._current.get(field, self._of_subclass.get(field))

    def made(self, field):
        """Return the name from the current template. Raises ValueError if the template cannot be expanded."""
        self._being_expanded.append(field)
        try:
            name = naming.object_name(self._expand(TEMPLATES[field], self.scheme(field)))
        finally:
            self._being_expanded.pop()
        return naming.service_name(name) if field == 'pod_name' and self._has_service() else name

    def scheme(self, field):
        """Return the slug scheme of a name, or None for the default scheme of templates."""
        return 'escape' if field == 'pvc_name' and self.is_legacy and self._rules().remember_claim else None

    def check_field(self, field):
        """Raise ValueError if the template of this name is being expanded, because it cannot contain its own result."""
        if field in self._being_expanded:
            raise ValueError('cannot have the field {%s}, which is the result of this template.' % field)

    # Changing names

    def assign(self, field, name):
        """Use a name that a subclass or a hook assigned."""
        if name != self.known(field):
            self._current[field] = name
            if not self._is_loaded:
                self._assigned_early[field] = name

    def take(self, field, name):
        """Use the name of an object that exists or is being created."""
        self._current[field] = name
        self._changed(field, name)

    def take_claim(self, name):
        """Use the name of a claim that the server has."""
        self.take('pvc_name', name)
        self.has_claim = True

    def forget(self, has_pod=False):
        """Forget the names of objects that the server does not have."""
        for field in ['pod_name'] * (not has_pod) + ['pvc_name'] * (not self.has_claim):
            self._forget(field)

    def _forget(self, field):
        self._current.pop(field, None)
        self._changed(field, None)
        if field in self._of_subclass:
            self._changed(field, self._of_subclass[field])

    # Claims of profiles

    def set_aside(self, key, namespace, usual_name, usual_made=None):
        """Use the claim of a profile, until `bring_back`.

        key (str): the key of the claim.
        namespace (str): of the claim.
        usual_name (str): the present name of the usual claim.
        usual_made (str or None): the result of the usual template, if the profile has another one.
        """
        self.bring_back()
        self._usual = usual_name if self.has_claim else self._current.get('pvc_name'), self.has_claim
        self.claim_key, self.usual_made, self.has_claim = key, usual_made, False
        self._forget('pvc_name')
        remembered = self._profile_claim(key, namespace)
        if remembered and self._rules().remember_claim:
            self.take_claim(remembered['name'])

    def bring_back(self):
        """Use the server's usual claim again."""
        if self.claim_key is None:
            return
        (name, had_claim), self.claim_key, self.usual_made = self._usual, None, None
        self._forget('pvc_name')
        self.has_claim = had_claim
        if name is not None:
            self.take('pvc_name', name)

    def record_claim(self, name, namespace, template):
        """Remember the claim in use if it is a profile's: it exists, or is about to be created."""
        if self.claim_key is None:
            return
        claim = {'profile': self.claim_key, 'name': name, 'namespace': namespace, 'template': template}
        known = self._profile_claim(self.claim_key, namespace)
        if known:
            known.update(claim)
        else:
            self.profile_claims.append(claim)

    def has_claim_in(self, namespace):
        """Return whether the server is known to have a claim in a namespace, for any profile."""
        return self.has_claim or (self._rules().remember_claim and any(
            claim['namespace'] == namespace for claim in self.profile_claims))

    def _profile_claim(self, key, namespace):
        return next((claim for claim in self.profile_claims
                     if (claim['profile'], claim['namespace']) == (key, namespace)), None)

    # State

    def load(self, state, has_pod):
        """Use the names in a state, which can be empty.

        has_pod (bool): whether the pod in the state is the server's.
        """
        if not self._is_loaded:
            self._is_loaded, self._of_subclass = True, self._assigned_early
        rules = self._rules()
        if has_pod and state.get('pod_name'):
            self.take('pod_name', state['pod_name'])
        if state.get('pvc_name') and rules.remember_claim:
            self.take_claim(state['pvc_name'])
        if state.get('profile_claims'):
            self.profile_claims = [dict(claim) for claim in state['profile_claims']]
        old_scheme = state.get('slug_scheme', 'escape' if state.get('pod_name') else rules.scheme)
        is_changed = rules.scheme == 'safe' and old_scheme != 'safe'
        if is_changed and rules.handle_legacy and not self.is_legacy:
            self.is_legacy = True
            self.forget(has_pod=True)
        if has_pod and state.get('profile_claim'):
            key, namespace, name = state['profile_claim']
            self.set_aside(key, namespace, state.get('pvc_name'))
            self.take('pvc_name', name)
            self.has_claim = self._profile_claim(key, namespace) is not None

    def state(self, names):
        """Return the part of the state that contains names. names (callable): returns the value of an attribute."""
        rules, state = self._rules(), {'pod_name': names('pod_name')}
        is_usual = self.claim_key is None
        has_usual = self.has_claim if is_usual else self._usual[1]
        if has_usual and rules.remember_claim:
            state['pvc_name'] = names('pvc_name') if is_usual else self._usual[0]
        if self.profile_claims:
            state['profile_claims'] = [dict(claim) for claim in self.profile_claims]
        if not is_usual:
            state['profile_claim'] = [self.claim_key, names('namespace'), names('pvc_name')]
        if rules.scheme != 'escape' and not self.is_legacy:
            state['slug_scheme'] = rules.scheme
        return state

    def clear(self):
        """Forget all names except that of a claim that the server has."""
        self.bring_back()
        self.has_claim = self.has_claim and self._rules().remember_claim
        self.forget()


def is_settable(obj, name):
    """Return whether an attribute can be set: not if the class computes it with a property that has no setter."""
    attribute = inspect.getattr_static(type(obj), name, None)
    if isinstance(attribute, property):
        return attribute.fset is not None
    return getattr(attribute, 'is_settable', True)  # which the aliases of settings know


class Named(HasTraits):
    """The part of KubeSpawner in which subclasses and hooks read, assign and override the names of a server.

    Code reads the attributes, and passes new names to `_server_names`. A subclass can define a dynamic default or a
    property. If another name takes precedence, `_server_names` assigns it to the attribute.
    """

    pod_name = Unicode(help="""The name of this server's pod. It is stored in the server's state.""")

    pvc_name = Unicode(help="""The name of this server's claim.""")

    @default('pod_name')
    def _pod_name_from_template(self):
        return self._server_names.made('pod_name')

    @default('pvc_name')
    def _pvc_name_from_template(self):
        return self._server_names.made('pvc_name')

    @observe('pod_name', 'pvc_name')
    def _name_was_assigned(self, change):
        self._server_names.assign(change.name, change.new)

    @property
    def _server_names(self):
        if self._kept_names is None:
            self._kept_names = ServerNames(self._text_of_name, self._rules_of_names, self._show_name,
                                           lambda: self._has_service)
        return self._kept_names

    _kept_names = None
    _has_service = False  # whether a Service gets the name of the pod

    def _text_of_name(self, trait, scheme):
        raise NotImplementedError

    def _rules_of_names(self):
        return Rules(self.slug_scheme, self.handle_legacy_names, self.remember_pvc_name)

    def _show_name(self, field, name):
        if name is None:
            self._trait_values.pop(field, None)
        elif is_settable(self, field):
            setattr(self, field, name)

    def _name_in_template(self, field):
        """Return a name for use in a template. Raises ValueError in the template of the name itself."""
        self._server_names.check_field(field)
        return getattr(self, field)
