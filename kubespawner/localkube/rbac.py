"""Role-based access control: which rules a user has, and what they allow.

What belongs here: the decision, as the API server makes it. What does not: what a request wants (attributes.py), which
roles may be written (escalation.py, validation_rbac.py), who the user is (users.py). Everything runs on the loop thread
of the server. A rule is a dict with the lists verbs, apiGroups, resources, resourceNames and nonResourceURLs.
"""
from .causes import quoted_list

GROUP = 'rbac.authorization.k8s.io'
MASTERS = 'system:masters'
ACCOUNT_USER = 'system:serviceaccount:%s:%s'
EVERYTHING = [{'verbs': ['*'], 'apiGroups': ['*'], 'resources': ['*']}, {'verbs': ['*'], 'nonResourceURLs': ['*']}]


class AlwaysAllow(object):
    """The decisions of a cluster without access control."""

    def decide(self, user, wanted):
        """Return (whether a User may do what Attributes say, the reason)."""
        return True, ''

    def rules_for(self, user, namespace):
        """Return (the rules of a User in a namespace, and those for the whole cluster, list of errors)."""
        return EVERYTHING, []


class RoleBasedAccess(object):
    """The decisions of RBAC. The methods are those of AlwaysAllow.

    store (Store): contains the roles and their bindings.
    """

    def __init__(self, store):
        self.store = store

    def decide(self, user, wanted):
        if MASTERS in user.groups:
            return True, ''
        complaints = []
        for rules, description in self.bound_rules(user, wanted.namespace, complaints):
            if any(allows(rule, wanted) for rule in rules):
                return True, 'RBAC: allowed by ' + description
        return False, 'RBAC: ' + aggregate(complaints) if complaints else ''

    def rules_for(self, user, namespace):
        complaints = []
        return [rule for rules, _ in self.bound_rules(user, namespace, complaints) for rule in rules], complaints

    def bound_rules(self, user, namespace, complaints):
        """Yield (rules, description of the binding), for each binding that names a user or a group of the user.

        complaints (list of str): gets the names of roles that do not exist.
        """
        bindings = self.store.list('clusterrolebindings')
        if namespace:
            bindings = bindings + self.store.list('rolebindings', namespace)
        for stored in bindings:
            binding = stored.object
            subject = next((each for each in binding.get('subjects', ()) if is_meant(each, user, namespace)), None)
            if subject is None:
                continue
            role = self.role(binding['roleRef'], namespace)
            if role is None:
                complaints.append('%s.%s "%s" not found' % (binding['roleRef']['kind'].lower(), GROUP,
                                                            binding['roleRef']['name']))
            else:
                yield role.get('rules') or [], describe(binding, subject)

    def role(self, reference, namespace):
        """Return the role that a roleRef names, or None."""
        name = reference.get('name', '')
        if reference['kind'] == 'ClusterRole':
            return self.store.get('clusterroles', '', name)
        return self.store.get('roles', namespace, name)


def is_meant(subject, user, namespace):
    """Return whether a subject of a binding in `namespace` is a user, or a group of the user."""
    if subject['kind'] == 'User':
        return subject['name'] == user.name
    if subject['kind'] == 'Group':
        return subject['name'] in user.groups
    namespace = subject.get('namespace') or namespace
    return bool(namespace) and user.name == ACCOUNT_USER % (namespace, subject['name'])


def describe(binding, subject):
    namespace = binding['metadata'].get('namespace', '')
    name = subject['name']
    if subject['kind'] == 'ServiceAccount':
        name += '/' + (subject.get('namespace') or namespace)
    return '%s "%s" of %s "%s" to %s "%s"' % (
        binding['kind'], '/'.join(filter(None, [binding['metadata']['name'], namespace])), binding['roleRef']['kind'],
        binding['roleRef']['name'], subject['kind'], name)


def aggregate(messages):
    """Return several errors as one, each once."""
    different = sorted(set(messages), key=messages.index)
    return different[0] if len(different) == 1 else '[%s]' % ', '.join(different)


# Rules


def allows(rule, wanted):
    """Return whether a rule allows what Attributes say."""
    if not has(rule, 'verbs', wanted.verb):
        return False
    if wanted.path:
        return any(url_covers(url, wanted.path) for url in rule.get('nonResourceURLs', ()))
    names = rule.get('resourceNames', ())
    return (has(rule, 'apiGroups', wanted.group) and (not names or wanted.name in names) and
            allows_resource(rule.get('resources', ()), wanted.resource, wanted.subresource))


def has(rule, field, value):
    values = rule.get(field, ())
    return '*' in values or value in values


def allows_resource(resources, resource, subresource):
    if '*' in resources:
        return True
    if not subresource:
        return resource in resources
    return '%s/%s' % (resource, subresource) in resources or '*/' + subresource in resources


def url_covers(allowed, url):
    return allowed == url or allowed.endswith('*') and url.startswith(allowed.rstrip('*'))


def covers(owned, wanted):
    """Return whether the rule `owned` allows at least what the rule `wanted` allows."""
    if wanted.get('resourceNames'):
        names = not owned.get('resourceNames') or set(wanted['resourceNames']) <= set(owned['resourceNames'])
    else:
        names = not owned.get('resourceNames')
    return (names and all(has(owned, field, value) for field in ('verbs', 'apiGroups')
                          for value in wanted.get(field, ())) and
            all(allows_resource(owned.get('resources', ()), *(each.split('/') + [''])[:2])
                for each in wanted.get('resources', ())) and
            all(any(url_covers(allowed, url) for allowed in owned.get('nonResourceURLs', ()))
                for url in wanted.get('nonResourceURLs', ())))


def break_down(rule):
    """Yield the rules with one verb for one thing, which together allow what a rule allows."""
    for url in rule.get('nonResourceURLs', ()):
        for verb in rule.get('verbs', ()):
            yield {'verbs': [verb], 'nonResourceURLs': [url]}
    for group in rule.get('apiGroups', ()):
        for resource in rule.get('resources', ()):
            for verb in rule.get('verbs', ()):
                simple = {'verbs': [verb], 'apiGroups': [group], 'resources': [resource]}
                for name in rule.get('resourceNames') or ['']:
                    yield dict(simple, resourceNames=[name]) if name else simple


def compact(rules):
    """Return rules that came from `break_down` with those for the same thing combined."""
    combined = {}
    for rule in rules:
        key = tuple(tuple(rule.get(field, ())) for field in ('apiGroups', 'resources', 'resourceNames',
                                                             'nonResourceURLs'))
        known = combined.setdefault(key + (tuple(rule['verbs']) if 'nonResourceURLs' in rule else (),),
                                    dict(rule, verbs=[]))
        known['verbs'] += [verb for verb in rule['verbs'] if verb not in known['verbs']]
    return list(combined.values())


def text(rule):
    """Return a rule as error messages show it."""
    fields = (('apiGroups', 'APIGroups'), ('resources', 'Resources'), ('nonResourceURLs', 'NonResourceURLs'),
              ('resourceNames', 'ResourceNames'), ('verbs', 'Verbs'))
    return '{%s}' % ', '.join('%s:%s' % (name, quoted_list(rule[field])) for field, name in fields
                              if rule.get(field))
