"""What the objects of one server are called: its pod and its claim, and the namespace of its user.

Here belongs where each of these names comes from. By which rules a template becomes a name is in `naming`. Nothing
here knows clients or hub state. Everything runs on the IOLoop's thread.
"""
from collections import namedtuple

from traitlets import HasTraits, Unicode, default, observe

from .. import naming

# By the attribute that is the name, and the field of templates: the trait of which the name is made.
TEMPLATES = {
    'pod_name': 'pod_name_template',
    'pvc_name': 'pvc_name_template',
    'namespace': 'user_namespace_template',
}


class Rules(namedtuple('Rules', 'scheme handle_legacy remember_claim')):
    """The traits `slug_scheme` (str), `handle_legacy_names` and `remember_pvc_name` (bool)."""

    __slots__ = ()


class ServerNames:
    """The names of one server's objects, each by the field that it is in templates, a key of TEMPLATES.

    The first of these that there is counts:

    1. What is known now: the name in the server's state, that of the claim or pod that was found or is being created,
       or what a hook has assigned since. The last of these counts, until the name is forgotten.
    2. What a subclass assigned before the first state was loaded, such as in its `__init__`. It counts again each time
       that the name is forgotten.
    3. What a subclass makes by a default of its own. Only the attribute knows that, see `Named`.
    4. What the template makes. The slug scheme is the configured one, or `escape` for the claim of a server that is
       older than the scheme.

    A name is forgotten when the state is cleared, and when a start has another template. The name of a claim that the
    server has stays then, and so does that of a pod that it has.

    A profile may have a claim of its own, with a template or a namespace of its own. While it counts, `pvc_name` and
    `has_claim` are about that claim, and the server's usual one is set aside. Claims of profiles are remembered by what
    the profile calls them (`claim_key`) and their namespaces, in the order in which they were first used.

    expand (callable): expand(trait, scheme) returns the text that the template in a trait makes, by a slug scheme or,
        if that is None, by the one that templates have anyway. It may raise ValueError.
    rules (callable): returns the `Rules` as they are now.
    changed (callable): changed(field, name) is called when another name counts; None is for 3 and 4 of the list.
    """

    has_claim = False  # whether `pvc_name` is that of a claim that the server is known to have
    claim_key = None  # what the profile calls the claim that counts now; None: it is the server's usual one
    is_legacy = False  # whether the server is older than the slug scheme, and its claim may be, too

    def __init__(self, expand, rules, changed=lambda field, name: None):
        self._expand, self._rules, self._changed = expand, rules, changed
        self._now, self._own, self._assigned_early = {}, {}, {}
        self._is_loaded = False
        self._being_made = []
        self._usual, self.usual_made = (None, False), None
        self.profile_claims = []  # dicts: the `profile` (a claim_key), `name`, `namespace` and `template` of a claim

    # What counts

    def known(self, field):
        """Return the name that counts more than any template; None if there is none."""
        return self._now.get(field, self._own.get(field))

    def made(self, field):
        """Return the name that the template makes now. Raises ValueError if it cannot be expanded."""
        self._being_made.append(field)
        try:
            return naming.object_name(self._expand(TEMPLATES[field], self.scheme(field)))
        finally:
            self._being_made.pop()

    def scheme(self, field):
        """Return the slug scheme that a name is made by; None for the one that templates have anyway."""
        return 'escape' if field == 'pvc_name' and self.is_legacy and self._rules().remember_claim else None

    def check_field(self, field):
        """Raise ValueError if a template that is being expanded cannot have a name, because it is made of it."""
        if field in self._being_made:
            raise ValueError('cannot have the field {%s}, which is made of it.' % field)

    # What is learnt

    def assign(self, field, name):
        """Take a name that a subclass or a hook assigned."""
        if name != self.known(field):
            self._now[field] = name
            if not self._is_loaded:
                self._assigned_early[field] = name

    def take(self, field, name):
        """Take the name of an object that is there, or is being created."""
        self._now[field] = name
        self._changed(field, name)

    def take_claim(self, name):
        """Take the name of a claim that the server has."""
        self.take('pvc_name', name)
        self.has_claim = True

    def forget(self, has_pod=False):
        """Forget the names of what the server does not have."""
        for field in ['pod_name'] * (not has_pod) + ['pvc_name'] * (not self.has_claim):
            self._forget(field)

    def _forget(self, field):
        self._now.pop(field, None)
        self._changed(field, None)
        if field in self._own:
            self._changed(field, self._own[field])

    # Claims of profiles

    def set_aside(self, key, namespace, usual_name, usual_made=None):
        """Have the claim of a profile count, until `bring_back`.

        key (str): what the profile calls it.
        namespace (str): where it is.
        usual_name (str): the name of the usual claim as it is now.
        usual_made (str or None): what the usual template makes, if the profile has another one.
        """
        self.bring_back()
        self._usual = usual_name if self.has_claim else self._now.get('pvc_name'), self.has_claim
        self.claim_key, self.usual_made, self.has_claim = key, usual_made, False
        self._forget('pvc_name')
        remembered = self._profile_claim(key, namespace)
        if remembered and self._rules().remember_claim:
            self.take_claim(remembered['name'])

    def bring_back(self):
        """Have the server's usual claim count again."""
        if self.claim_key is None:
            return
        (name, had_claim), self.claim_key, self.usual_made = self._usual, None, None
        self._forget('pvc_name')
        self.has_claim = had_claim
        if name is not None:
            self.take('pvc_name', name)

    def record_claim(self, name, namespace, template):
        """Remember the claim that counts now, if it is that of a profile: it is there, or about to be created."""
        if self.claim_key is None:
            return
        claim = {'profile': self.claim_key, 'name': name, 'namespace': namespace, 'template': template}
        known = self._profile_claim(self.claim_key, namespace)
        if known:
            known.update(claim)
        else:
            self.profile_claims.append(claim)

    def has_claim_in(self, namespace):
        """True if the server is known to have a claim in a namespace, for whatever profile."""
        return self.has_claim or (self._rules().remember_claim and any(
            claim['namespace'] == namespace for claim in self.profile_claims))

    def _profile_claim(self, key, namespace):
        return next((claim for claim in self.profile_claims
                     if (claim['profile'], claim['namespace']) == (key, namespace)), None)

    # State

    def load(self, state, has_pod):
        """Take what a state has, which may be empty. has_pod (bool): whether the pod that it names is the server's."""
        if not self._is_loaded:
            self._is_loaded, self._own = True, self._assigned_early
        rules = self._rules()
        if has_pod and state.get('pod_name'):
            self.take('pod_name', state['pod_name'])
        if state.get('pvc_name') and rules.remember_claim:
            self.take_claim(state['pvc_name'])
        if state.get('profile_claims'):
            self.profile_claims = [dict(claim) for claim in state['profile_claims']]
        was_by = state.get('slug_scheme', 'escape' if state.get('pod_name') else rules.scheme)
        if was_by != rules.scheme == 'safe' and rules.handle_legacy and not self.is_legacy:
            self.is_legacy = True
            self.forget(has_pod=True)
        if has_pod and state.get('profile_claim'):
            key, namespace, name = state['profile_claim']
            self.set_aside(key, namespace, state.get('pvc_name'))
            self.take('pvc_name', name)
            self.has_claim = self._profile_claim(key, namespace) is not None

    def state(self, names):
        """Return what the state is to have of the names. names (callable): returns the value of an attribute."""
        rules, state = self._rules(), {'pod_name': names('pod_name')}
        is_usual = self.claim_key is None
        usual_name, has_usual = (names('pvc_name'), self.has_claim) if is_usual else self._usual
        if has_usual and rules.remember_claim:
            state['pvc_name'] = usual_name
        if self.profile_claims:
            state['profile_claims'] = [dict(claim) for claim in self.profile_claims]
        if not is_usual:
            state['profile_claim'] = [self.claim_key, names('namespace'), names('pvc_name')]
        if rules.scheme != 'escape' and not self.is_legacy:
            state['slug_scheme'] = rules.scheme
        return state

    def clear(self):
        """Forget the state, except for claims that the server has."""
        self.bring_back()
        self.has_claim = self.has_claim and self._rules().remember_claim
        self.forget()


class Named(HasTraits):
    """The part of KubeSpawner in which subclasses and hooks read, assign and override a server's names.

    Code reads the attributes, and tells `_server_names` what it learns. A subclass may have a `default` of its own, or
    a property. What counts more than that is assigned to the attribute by `_server_names`.
    """

    pod_name = Unicode(help="""The name of this server's pod. Kept in the server's state.""")

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
            self._kept_names = ServerNames(self._text_of_name, self._rules_of_names, self._show_name)
        return self._kept_names

    _kept_names = None

    def _text_of_name(self, trait, scheme):
        raise NotImplementedError

    def _rules_of_names(self):
        return Rules(self.slug_scheme, self.handle_legacy_names, self.remember_pvc_name)

    def _show_name(self, field, name):
        if name is None:
            self._trait_values.pop(field, None)
        else:
            setattr(self, field, name)

    def _name_in_template(self, field):
        """Return a name as a field of templates. Raises ValueError if the template is that of the name itself."""
        self._server_names.check_field(field)
        return getattr(self, field)
