"""Validation and defaults of roles, and of their bindings.

What belongs here: the rules of the kinds in rbac.authorization.k8s.io. What does not: which rights a user may grant
(escalation.py). Pure; any thread.
"""
from .causes import SUBDOMAIN, quoted
from .rbac import GROUP
from .validation_scheduling import validate_selector

SUBJECTS = ('ServiceAccount', 'User', 'Group')
ROLES_OF = {'RoleBinding': ('Role', 'ClusterRole'), 'ClusterRoleBinding': ('ClusterRole',)}
ROLE_REF = 'rbac.RoleRef{APIGroup:"%(apiGroup)s", Kind:"%(kind)s", Name:"%(name)s"}'


def complete_role(role):
    role.setdefault('rules', None)  # which is how a role without rules is shown


def complete_binding(binding):
    reference = binding.setdefault('roleRef', {})
    reference['apiGroup'] = reference.get('apiGroup') or GROUP
    for subject in binding.get('subjects', ()):
        if subject.get('kind') in ('User', 'Group') and not subject.get('apiGroup'):
            subject['apiGroup'] = GROUP


def validate_path_name(causes, field, name):
    """Check a name that need not be a DNS name, such as `system:discovery`."""
    if name in ('.', '..'):
        causes.invalid(field, name, "may not be '%s'" % name)
    for character in '/%':
        if character in name:
            causes.invalid(field, name, "may not contain '%s'" % character)


def validate_role(causes, role):
    for i, rule in enumerate(role.get('rules') or ()):
        validate_rule(causes, 'rules[%d]' % i, rule, role['kind'] == 'Role')
    aggregation = role.get('aggregationRule')
    if aggregation is not None and not aggregation.get('clusterRoleSelectors'):
        causes.required('aggregationRule.clusterRoleSelectors',
                        'at least one clusterRoleSelector required if aggregationRule is non-nil')
    for i, selector in enumerate((aggregation or {}).get('clusterRoleSelectors', ())):
        validate_selector_of_roles(causes, 'aggregationRule.clusterRoleSelectors[%d]' % i, selector)


def validate_selector_of_roles(causes, field, selector):
    """Check a LabelSelector. The API server complains about one twice: it also cannot use it."""
    before = len(causes)
    validate_selector(causes, field, selector)
    if len(causes) > before:
        causes.append(('FieldValueInvalid', field, 'Invalid value: null: invalid label selector.'))


def validate_rule(causes, field, rule, is_namespaced):
    if not rule.get('verbs'):
        causes.required(field + '.verbs', 'verbs must contain at least one value')
    urls = rule.get('nonResourceURLs')
    if urls:
        complaints = ['namespaced rules cannot apply to non-resource URLs'] if is_namespaced else []
        if rule.get('apiGroups') or rule.get('resources') or rule.get('resourceNames'):
            complaints.append('rules cannot apply to both regular resources and non-resource URLs')
        shown = '[]string{%s}' % ', '.join(map(quoted, urls))
        for complaint in complaints:
            causes.append(('FieldValueInvalid', field + '.nonResourceURLs', 'Invalid value: %s: %s' % (
                shown, complaint)))
        return
    if not rule.get('apiGroups'):
        causes.required(field + '.apiGroups', 'resource rules must supply at least one api group')
    if not rule.get('resources'):
        causes.required(field + '.resources', 'resource rules must supply at least one resource')


def validate_binding(causes, binding):
    reference = binding['roleRef']
    causes.one_of('roleRef.apiGroup', reference['apiGroup'], (GROUP,))
    causes.one_of('roleRef.kind', reference.get('kind', ''), ROLES_OF[binding['kind']])
    if not reference.get('name'):
        causes.required('roleRef.name')
    else:
        validate_path_name(causes, 'roleRef.name', reference['name'])
    for i, subject in enumerate(binding.get('subjects', ())):
        validate_subject(causes, 'subjects[%d]' % i, subject, binding['kind'] == 'RoleBinding')


def validate_subject(causes, field, subject, is_namespaced):
    kind, name, group = [subject.get(key, '') for key in ('kind', 'name', 'apiGroup')]
    if not name:
        causes.required(field + '.name')
    if kind == 'ServiceAccount':
        if name:
            causes.format(field + '.name', name, SUBDOMAIN)
        causes.one_of(field + '.apiGroup', group, ('',))
        if not is_namespaced and not subject.get('namespace'):
            causes.required(field + '.namespace')
    elif kind in SUBJECTS:
        causes.one_of(field + '.apiGroup', group, (GROUP,))
    else:
        causes.one_of(field + '.kind', kind, SUBJECTS)


def validate_binding_update(causes, new, old):
    if new['roleRef'] != old['roleRef']:
        shown = ROLE_REF % dict({'kind': '', 'name': ''}, **new['roleRef'])
        causes.append(('FieldValueInvalid', 'roleRef', 'Invalid value: %s: cannot change roleRef' % shown))
