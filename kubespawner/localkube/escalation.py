"""Nobody may grant rights that they do not have: the checks for roles and bindings.

What belongs here: which roles and bindings a user may write. What does not: whether the user may write roles at all
(rbac.py). Everything runs on the loop thread of the server.
"""
from . import errors, rbac
from .attributes import Attributes
from .causes import quoted, quoted_list
from .resources import RESOURCES

ROLES = {'Role': 'roles', 'ClusterRole': 'clusterroles'}
BINDINGS = ('rolebindings', 'clusterrolebindings')
COMPLAINT = 'user %s (groups=%s) is attempting to grant RBAC permissions not currently held:\n%s'
ABOUT_AGGREGATION = 'must have cluster-admin privileges to use the aggregationRule'
OF_THE_COLLECTOR = ('ownerReferences', 'finalizers')  # metadata that the garbage collector changes


class Escalation(object):
    """Checks new roles and bindings, and updates of them. access: AlwaysAllow or RoleBasedAccess."""

    def __init__(self, access):
        self.access = access

    def admit(self, row, new, old, user):
        """Raise ApiError 403 if a user would grant more rights than the user has.

        old (dict or None): what an update replaces. user (User or None): None is localkube itself.
        """
        if user is None or rbac.MASTERS in user.groups or old and differs_for_the_collector_only(new, old):
            return
        if row.name in ROLES.values():
            self.check_role(row, new, old, user)
        elif row.name in BINDINGS:
            self.check_binding(row, new, user)

    def check_role(self, row, new, old, user):
        metadata = new['metadata']
        namespace, name = metadata.get('namespace', ''), metadata.get('name', '')
        if self.may(user, 'escalate', namespace, row.name, name):
            return
        fields = ('rules', 'aggregationRule')
        if old and all(new.get(field) == old.get(field) for field in fields):
            return
        self.refuse_more(row, name, new.get('rules') or [], user, namespace)
        if new.get('aggregationRule') and self.missing(rbac.EVERYTHING, user, namespace):
            raise errors.forbidden(row.qualified, name, ABOUT_AGGREGATION)

    def check_binding(self, row, new, user):
        metadata, reference = new['metadata'], new.get('roleRef', {})
        namespace, name = metadata.get('namespace', ''), reference.get('name', '')
        resource = ROLES.get(reference.get('kind'))
        if resource is None or self.may(user, 'bind', namespace, resource, name):
            return
        if not name:
            raise errors.bad_request('Name parameter required.')
        role = self.access.role(reference, namespace)
        if role is None:
            raise errors.not_found(RESOURCES[resource].qualified, name)
        self.refuse_more(row, metadata.get('name', ''), role.get('rules') or [], user, namespace)

    def may(self, user, verb, namespace, resource, name):
        return self.access.decide(user, Attributes(verb, namespace, rbac.GROUP, resource, name=name))[0]

    def missing(self, rules, user, namespace):
        """Return the simple rules of `rules` that no rule of a user covers."""
        owned = self.access.rules_for(user, namespace)[0]
        return [simple for rule in rules for simple in rbac.break_down(rule)
                if not any(rbac.covers(each, simple) for each in owned)]

    def refuse_more(self, row, name, rules, user, namespace):
        missing = self.missing(rules, user, namespace)
        if not missing:
            return
        complaint = COMPLAINT % (quoted(user.name), quoted_list(user.groups),
                                 '\n'.join(sorted(map(rbac.text, rbac.compact(missing)))))
        unresolved = self.access.rules_for(user, namespace)[1]
        if unresolved:
            complaint += '; resolution errors: [%s]' % rbac.aggregate(unresolved)
        raise errors.forbidden(row.qualified, name, complaint)


def differs_for_the_collector_only(new, old):
    without = [dict(each, metadata={key: value for key, value in each['metadata'].items()
                                    if key not in OF_THE_COLLECTOR}) for each in (new, old)]
    for each in without:
        each['metadata'].pop('resourceVersion', None)
    return without[0] == without[1] and any(new['metadata'].get(key) != old['metadata'].get(key)
                                            for key in OF_THE_COLLECTOR)
