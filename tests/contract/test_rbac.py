"""Roles and bindings, and what they allow: the decisions and the words of the API server."""
import pytest

from .helpers import APPLY, configmap, created, failure, meta, ok, outcome, pod, shown, soon, unique

RBAC = '/apis/rbac.authorization.k8s.io/v1'
REVIEWS = '/apis/authorization.k8s.io/v1/'
GROUP = 'rbac.authorization.k8s.io'
CORE = ['']


def rule(verbs, *resources, groups=CORE, **more):
    return dict({'verbs': verbs.split(), 'apiGroups': groups, 'resources': list(resources)}, **more)


def subject(name, kind='User'):
    return {'kind': kind, 'name': name, 'apiGroup': GROUP}


def account(name, namespace):
    return {'kind': 'ServiceAccount', 'name': name, 'namespace': namespace}


@pytest.fixture
def somebody():
    """The name of a user who has no rights."""
    return unique('user')


@pytest.fixture
def grant(http, namespace, somebody):
    """`grant(*rules)` gives `somebody`, or the `subject`, rules in the module's namespace; returns the name."""
    made = []

    def grant(*rules, to=None, role=None, where='/namespaces/' + namespace):
        name = unique()
        kinds = ('rolebindings', 'roles', 'Role') if where else ('clusterrolebindings', 'clusterroles', 'ClusterRole')
        if rules:
            made.insert(0, '%s%s/%s/%s' % (RBAC, where, kinds[1], name))
            created(http.post('%s%s/%s' % (RBAC, where, kinds[1]), {'metadata': meta(name), 'rules': list(rules)}))
        made.insert(0, '%s%s/%s/%s' % (RBAC, where, kinds[0], name))
        created(http.post('%s%s/%s' % (RBAC, where, kinds[0]), {
            'metadata': meta(name), 'subjects': [to or subject(somebody)],
            'roleRef': role or {'apiGroup': GROUP, 'kind': kinds[2], 'name': name}}))
        return name

    yield grant
    for path in made:
        http.delete(path)


@pytest.fixture
def user(http, somebody):
    """An `Http` that acts as `somebody`."""
    return http.acting_as(somebody)


def is_forbidden(response):
    return response.code == 403


def until_allowed(user, path, **query):
    """Return the body of a GET, which is allowed a moment after it was granted."""
    soon(lambda: not is_forbidden(user.get(path, **query)), 'no right to ' + path)
    return user.get(path, **query)


# What a 403 says


def test_a_list_is_forbidden_in_the_words_of_the_api_server(user, somebody, url, namespace):
    response = user.get(url('pods'))
    assert outcome(response) == (403, 'Forbidden')
    assert response.body['message'] == ('pods is forbidden: User "%s" cannot list resource "pods" in API group "" in '
                                        'the namespace "%s"' % (somebody, namespace))
    assert response.body['details'] == {'kind': 'pods'}


def test_a_403_about_one_object_names_it(user, somebody, url, namespace):
    response = user.get(url('pods', 'x'))
    assert response.body['message'] == ('pods "x" is forbidden: User "%s" cannot get resource "pods" in API group "" '
                                        'in the namespace "%s"' % (somebody, namespace))
    assert response.body['details'] == {'name': 'x', 'kind': 'pods'}


@pytest.mark.parametrize('method, path, words', [
    ('GET', '/api/v1/pods', 'pods is forbidden: User "%s" cannot list resource "pods" in API group "" at the cluster '
                            'scope'),
    ('GET', '/api/v1/nodes/n', 'nodes "n" is forbidden: User "%s" cannot get resource "nodes" in API group "" at the '
                               'cluster scope'),
    ('GET', '/api/v1/namespaces/a/pods/n/log', 'pods "n" is forbidden: User "%s" cannot get resource "pods/log" in API '
                                               'group "" in the namespace "a"'),
    ('GET', '/api/v1/namespaces/a', 'namespaces "a" is forbidden: User "%s" cannot get resource "namespaces" in API '
                                    'group "" in the namespace "a"'),
    ('GET', '/api/v1/namespaces/a/pods?watch=1', 'pods is forbidden: User "%s" cannot watch resource "pods" in API '
                                                 'group "" in the namespace "a"'),
    ('DELETE', '/api/v1/namespaces/a/pods', 'pods is forbidden: User "%s" cannot deletecollection resource "pods" in '
                                            'API group "" in the namespace "a"'),
    ('DELETE', '/api/v1/namespaces/a/pods/n', 'pods "n" is forbidden: User "%s" cannot delete resource "pods" in API '
                                              'group "" in the namespace "a"'),
    ('POST', '/api/v1/namespaces/a/pods', 'pods is forbidden: User "%s" cannot create resource "pods" in API group "" '
                                          'in the namespace "a"'),
    ('POST', '/api/v1/namespaces/a/pods/n/binding', 'pods "n" is forbidden: User "%s" cannot create resource '
                                                    '"pods/binding" in API group "" in the namespace "a"'),
    ('PUT', '/api/v1/namespaces/a/pods/n', 'pods "n" is forbidden: User "%s" cannot update resource "pods" in API '
                                           'group "" in the namespace "a"'),
    ('PATCH', '/api/v1/namespaces/a/pods/n/status', 'pods "n" is forbidden: User "%s" cannot patch resource '
                                                    '"pods/status" in API group "" in the namespace "a"'),
    ('GET', '/apis/networking.k8s.io/v1/ingresses', 'ingresses.networking.k8s.io is forbidden: User "%s" cannot list '
                                                    'resource "ingresses" in API group "networking.k8s.io" at the '
                                                    'cluster scope'),
    ('GET', '/api/v1/namespaces/a/pods?fieldSelector=metadata.name=n', 'pods "n" is forbidden: User "%s" cannot list '
                                                                       'resource "pods" in API group "" in the '
                                                                       'namespace "a"'),
    ('GET', '/apis/example.org/v1/namespaces/a/things/n', 'things.example.org "n" is forbidden: User "%s" cannot get '
                                                          'resource "things" in API group "example.org" in the '
                                                          'namespace "a"'),
    ('GET', '/metrics', 'forbidden: User "%s" cannot get path "/metrics"'),
    ('POST', '/nowhere', 'forbidden: User "%s" cannot post path "/nowhere"'),
])
def test_every_kind_of_request_is_forbidden_with_its_verb_and_resource(http, user, somebody, method, path, words):
    response = user.send(method, path, {} if method in ('POST', 'PUT', 'PATCH') else None)
    assert response.status == 403 and words % somebody in response.data.decode().replace('\\"', '"')


def test_who_has_no_rights_can_discover_the_api(user):
    for path in ('/api', '/apis', '/api/v1', '/version', '/healthz', '/readyz', '/livez'):
        assert user.get(path).code == 200, path


# What rules allow


@pytest.mark.parametrize('rules, path, query, allowed', [
    ([rule('list', 'pods')], 'pods', {}, True),
    ([rule('get', 'pods')], 'pods', {}, False),
    ([rule('*', 'pods')], 'pods', {}, True),
    ([rule('list', '*')], 'pods', {}, True),
    ([rule('list', 'pods', groups=['*'])], 'pods', {}, True),
    ([rule('list', 'pods', groups=['apps'])], 'pods', {}, False),
    ([rule('list', 'configmaps', 'pods')], 'pods', {}, True),
    ([rule('get', 'configmaps'), rule('list', 'pods')], 'pods', {}, True),
    ([rule('get', 'pods')], 'pods/x', {}, True),
    ([rule('get', 'pods', resourceNames=['x'])], 'pods/x', {}, True),
    ([rule('get', 'pods', resourceNames=['y'])], 'pods/x', {}, False),
    ([rule('list', 'pods', resourceNames=['x'])], 'pods', {}, False),
    ([rule('list', 'pods', resourceNames=['x'])], 'pods', {'fieldSelector': 'metadata.name=x'}, True),
    ([rule('list', 'pods', resourceNames=['x'])], 'pods', {'fieldSelector': 'metadata.name!=x'}, False),
    ([rule('get', 'pods')], 'pods/x/log', {}, False),
    ([rule('get', 'pods/log')], 'pods/x/log', {}, True),
    ([rule('get', 'pods/log')], 'pods/x', {}, False),
    ([rule('get', 'pods/*')], 'pods/x/log', {}, False),
    ([rule('get', '*/log')], 'pods/x/log', {}, True),
    ([rule('get', '*/status')], 'pods/x/log', {}, False),
    ([rule('get', '*')], 'pods/x/log', {}, True),
    ([rule('watch', 'pods')], 'pods', {'watch': 'true', 'timeoutSeconds': 1}, True),
    ([rule('list', 'pods')], 'pods', {'watch': 'true', 'timeoutSeconds': 1}, False),
])
def test_a_rule_allows_what_it_names_and_nothing_else(user, somebody, http, grant, url, rules, path, query, allowed):
    grant(*rules)
    grant(rule('list', 'endpoints'))  # tells that the server has heard of the grants
    until_allowed(user, url('endpoints'))
    response = user.send('GET', url(path), query=query, stream=True)
    response.close()
    assert (response.status != 403) is allowed


def test_a_role_counts_in_its_namespace_only(user, grant, url, other_namespace):
    grant(rule('list', 'pods'))
    until_allowed(user, url('pods'))
    assert is_forbidden(user.get('/api/v1/namespaces/%s/pods' % other_namespace))
    assert is_forbidden(user.get('/api/v1/pods'))


def test_a_cluster_role_that_is_bound_in_a_namespace_counts_there(user, grant, url):
    grant(role={'apiGroup': GROUP, 'kind': 'ClusterRole', 'name': 'view'})
    until_allowed(user, url('pods'))
    assert is_forbidden(user.get(url('secrets'))) and is_forbidden(user.get('/api/v1/pods'))
    assert is_forbidden(user.post(url('configmaps'), configmap(unique())))


def test_edit_may_write_but_not_grant_and_admin_may(http, grant, url, namespace):
    editor, admin = unique('editor'), unique('admin')
    for name, role in ((editor, 'edit'), (admin, 'admin')):
        grant(to=subject(name), role={'apiGroup': GROUP, 'kind': 'ClusterRole', 'name': role})
    roles = '%s/namespaces/%s/roles' % (RBAC, namespace)
    until_allowed(http.acting_as(admin), roles)
    until_allowed(http.acting_as(editor), url('secrets'))
    assert is_forbidden(http.acting_as(editor).get(roles))
    created(http.acting_as(editor).post(url('configmaps'), configmap(unique())))
    created(http.acting_as(admin).post(roles, {'metadata': meta(unique()), 'rules': [rule('list', 'pods')]}))
    assert is_forbidden(http.acting_as(admin).get('/api/v1/nodes'))


def test_a_cluster_role_binding_counts_everywhere(user, grant, url, other_namespace):
    grant(rule('list', 'pods'), where='')
    until_allowed(user, '/api/v1/pods')
    for path in (url('pods'), '/api/v1/namespaces/%s/pods' % other_namespace):
        assert ok(user.get(path))


def test_a_rule_about_a_path_allows_what_begins_with_it(user, grant):
    grant({'verbs': ['get'], 'nonResourceURLs': ['/metrics', '/nothing/*']}, where='')
    soon(lambda: not is_forbidden(user.get('/nothing/here')), 'no right to a path')
    assert user.get('/nothing/here').code == 404 and not is_forbidden(user.get('/metrics'))
    assert is_forbidden(user.get('/metrics/more')) and is_forbidden(user.get('/nothin'))


def test_a_group_may_do_what_its_role_says(http, grant, url, somebody):
    group = unique('group')
    grant(rule('list', 'pods'), to=subject(group, 'Group'))
    until_allowed(http.acting_as(somebody, 'others', group), url('pods'))
    assert is_forbidden(http.acting_as(somebody, 'others').get(url('pods')))


def test_everybody_is_in_the_group_of_the_authenticated(user, grant, url):
    grant(rule('list', 'pods'), to=subject('system:authenticated', 'Group'))
    until_allowed(user, url('pods'))


def test_a_binding_to_a_role_that_is_missing_is_told(user, grant, url):
    name = grant(role={'apiGroup': GROUP, 'kind': 'Role', 'name': 'missing'})
    assert name

    def is_told():
        return user.get(url('pods')).body['message'].endswith(': RBAC: role.%s "missing" not found' % GROUP)

    soon(is_told, 'the missing role is not told')


def test_what_is_taken_away_is_forbidden_again(http, user, grant, url, namespace):
    name = grant(rule('list', 'pods'))
    until_allowed(user, url('pods'))
    ok(http.delete('%s/namespaces/%s/rolebindings/%s' % (RBAC, namespace, name)))
    soon(lambda: is_forbidden(user.get(url('pods'))), 'the right is still there')


# Validation

REQUIREMENT = 'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].'
UNUSABLE = ('aggregationRule.clusterRoleSelectors[0]', 'FieldValueInvalid')


def aggregating(**requirement):
    return {'aggregationRule': {'clusterRoleSelectors': [{'matchExpressions': [requirement]}]}}


def test_a_role_is_stored_as_it_was_sent(http, namespace):
    name = unique('system:')
    body = created(http.post('%s/namespaces/%s/roles' % (RBAC, namespace), {
        'metadata': meta(name), 'rules': [rule('get', 'pods', resourceNames=['x'])]}))
    assert body['rules'] == [rule('get', 'pods', resourceNames=['x'])] and body['metadata']['name'] == name
    assert ok(http.get('%s/namespaces/%s/roles/%s' % (RBAC, namespace, name)))['rules'] == body['rules']


def test_a_binding_has_the_group_of_its_role_and_of_its_subjects(http, namespace):
    body = created(http.post('%s/namespaces/%s/rolebindings' % (RBAC, namespace), {
        'metadata': meta(unique()), 'roleRef': {'kind': 'Role', 'name': 'x'},
        'subjects': [{'kind': 'User', 'name': 'u'}, {'kind': 'Group', 'name': 'g'}, account('a', 'n')]}))
    assert body['roleRef'] == {'kind': 'Role', 'name': 'x', 'apiGroup': GROUP}
    assert body['subjects'] == [subject('u'), subject('g', 'Group'), account('a', 'n')]


@pytest.mark.parametrize('kind, fields, causes', [
    ('roles', {'rules': [{'apiGroups': CORE, 'resources': ['pods']}]}, [('rules[0].verbs', 'FieldValueRequired')]),
    ('roles', {'rules': [{'verbs': ['get'], 'resources': ['pods']}]}, [('rules[0].apiGroups', 'FieldValueRequired')]),
    ('roles', {'rules': [{'verbs': ['get'], 'apiGroups': CORE}]}, [('rules[0].resources', 'FieldValueRequired')]),
    ('roles', {'rules': [{'verbs': ['get'], 'nonResourceURLs': ['/x']}]},
     [('rules[0].nonResourceURLs', 'FieldValueInvalid')]),
    ('clusterroles', {'rules': [rule('get', 'pods', nonResourceURLs=['/x'])]},
     [('rules[0].nonResourceURLs', 'FieldValueInvalid')]),
    ('clusterroles', {'aggregationRule': {}}, [('aggregationRule.clusterRoleSelectors', 'FieldValueRequired')]),
    ('clusterroles', {'aggregationRule': {'clusterRoleSelectors': [{'matchLabels': {'a': '!'}}]}},
     [UNUSABLE, ('aggregationRule.clusterRoleSelectors[0].matchLabels', 'FieldValueInvalid')]),
    ('clusterroles', aggregating(key='a', operator='Near'),
     [UNUSABLE, (REQUIREMENT + 'operator', 'FieldValueInvalid')]),
    ('clusterroles', aggregating(key='a', operator='In'), [UNUSABLE, (REQUIREMENT + 'values', 'FieldValueRequired')]),
    ('clusterroles', aggregating(key='a', operator='Exists', values=['b']),
     [UNUSABLE, (REQUIREMENT + 'values', 'FieldValueForbidden')]),
    ('clusterroles', aggregating(key='!', operator='Exists'), [UNUSABLE, (REQUIREMENT + 'key', 'FieldValueInvalid')]),
    ('rolebindings', {'roleRef': {'kind': 'Pod', 'name': 'x'}}, [('roleRef.kind', 'FieldValueNotSupported')]),
    ('rolebindings', {'roleRef': {'kind': 'Role'}}, [('roleRef.name', 'FieldValueRequired')]),
    ('rolebindings', {'roleRef': {'kind': 'Role', 'name': 'a/b'}}, [('roleRef.name', 'FieldValueInvalid')]),
    ('rolebindings', {'roleRef': {'kind': 'Role', 'name': 'x', 'apiGroup': 'y'}},
     [('roleRef.apiGroup', 'FieldValueNotSupported')]),
    ('clusterrolebindings', {'roleRef': {'kind': 'Role', 'name': 'x'}}, [('roleRef.kind', 'FieldValueNotSupported')]),
    ('rolebindings', {'subjects': [{'kind': 'Nobody', 'name': 'x'}]}, [('subjects[0].kind', 'FieldValueNotSupported')]),
    ('rolebindings', {'subjects': [{'kind': 'User'}]}, [('subjects[0].name', 'FieldValueRequired')]),
    ('rolebindings', {'subjects': [{'kind': 'User', 'name': 'x', 'apiGroup': 'y'}]},
     [('subjects[0].apiGroup', 'FieldValueNotSupported')]),
    ('rolebindings', {'subjects': [{'kind': 'ServiceAccount', 'name': 'Bad!', 'namespace': 'x'}]},
     [('subjects[0].name', 'FieldValueInvalid')]),
    ('clusterrolebindings', {'subjects': [{'kind': 'ServiceAccount', 'name': 'x'}]},
     [('subjects[0].namespace', 'FieldValueRequired')]),
])
def test_what_is_invalid_is_named(http, namespace, kind, fields, causes):
    where = '' if kind.startswith('cluster') else '/namespaces/' + namespace
    body = dict({'metadata': meta(unique())}, **fields)
    if 'binding' in kind:
        body.setdefault('roleRef', {'kind': 'ClusterRole', 'name': 'x'})
    response = http.post('%s%s/%s' % (RBAC, where, kind), body)
    assert failure(response) == (422, 'Invalid', causes)
    assert response.body['details']['group'] == GROUP


@pytest.mark.parametrize('name', ['a/b', 'a%b', '..'])
def test_the_name_of_a_role_is_a_part_of_a_path(http, namespace, name):
    response = http.post('%s/namespaces/%s/roles' % (RBAC, namespace), {'metadata': meta(name), 'rules': []})
    assert failure(response) == (422, 'Invalid', [('metadata.name', 'FieldValueInvalid')])


def test_the_role_of_a_binding_cannot_be_changed(http, namespace, grant):
    path = '%s/namespaces/%s/rolebindings/%s' % (RBAC, namespace, grant(rule('list', 'pods')))
    response = http.patch(path, {'roleRef': {'name': 'other'}})
    assert failure(response) == (422, 'Invalid', [('roleRef', 'FieldValueInvalid')])
    assert 'cannot change roleRef' in response.body['message']
    assert ok(http.patch(path, {'subjects': [subject('other')]}))['subjects'] == [subject('other')]


# Escalation

LACKING = 'is attempting to grant RBAC permissions not currently held:\n'


@pytest.fixture
def granter(http, grant, namespace):
    """An `Http` that acts as a user who may write roles and bindings, and read pods."""
    name = unique('granter')
    grant(rule('create delete get list patch', 'roles', 'rolebindings', groups=[GROUP]), rule('get list', 'pods'),
          to=subject(name))
    user = http.acting_as(name, 'ops')
    user.name = name
    until_allowed(user, '%s/namespaces/%s/roles' % (RBAC, namespace))
    return user


def test_nobody_can_write_a_role_with_more_rights_than_they_have(granter, namespace):
    roles, name = '%s/namespaces/%s/roles' % (RBAC, namespace), unique()
    response = granter.post(roles, {'metadata': meta(name), 'rules': [
        rule('get list watch', 'pods'), rule('get delete', 'secrets', resourceNames=['x'])]})
    assert outcome(response) == (403, 'Forbidden')
    assert response.body['message'] == (
        'roles.%s "%s" is forbidden: user "%s" (groups=["ops" "system:authenticated"]) %s'
        '{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}\n'
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["x"], Verbs:["get" "delete"]}'
        % (GROUP, name, granter.name, LACKING))
    created(granter.post(roles, {'metadata': meta(name), 'rules': [rule('list', 'pods', resourceNames=['x'])]}))
    response = granter.patch('%s/%s' % (roles, name), {'rules': [rule('create', 'pods')]})
    assert outcome(response) == (403, 'Forbidden') and LACKING in response.body['message']
    assert ok(granter.patch('%s/%s' % (roles, name), {'metadata': {'labels': {'a': 'b'}}}))


def test_nobody_can_bind_a_role_with_more_rights_than_they_have(granter, http, grant, namespace):
    bindings = '%s/namespaces/%s/rolebindings' % (RBAC, namespace)
    strong, weak = grant(rule('delete', 'pods')), grant(rule('get', 'pods'))

    def bind(role, kind='Role'):
        return granter.post(bindings, {'metadata': meta(unique()), 'subjects': [subject('x')],
                                       'roleRef': {'apiGroup': GROUP, 'kind': kind, 'name': role}})

    assert outcome(bind(strong)) == (403, 'Forbidden') and LACKING in bind(strong).body['message']
    created(bind(weak))
    assert outcome(bind('cluster-admin', 'ClusterRole')) == (403, 'Forbidden')
    assert outcome(bind('missing')) == (404, 'NotFound')


def test_the_verbs_escalate_and_bind_allow_both(granter, grant, namespace):
    roles = '%s/namespaces/%s/' % (RBAC, namespace)
    grant(rule('escalate', 'roles', groups=[GROUP]), rule('bind', 'clusterroles', groups=[GROUP]),
          to=subject(granter.name))
    grant(rule('list', 'endpoints'), to=subject(granter.name))
    until_allowed(granter, '/api/v1/namespaces/%s/endpoints' % namespace)
    created(granter.post(roles + 'roles', {'metadata': meta(unique()), 'rules': [rule('*', '*')]}))
    # Binding a cluster role in a namespace asks for the verb in that namespace.
    created(granter.post(roles + 'rolebindings', {
        'metadata': meta(unique()), 'subjects': [subject('x')],
        'roleRef': {'apiGroup': GROUP, 'kind': 'ClusterRole', 'name': 'edit'}}))


# Aggregation


def test_a_role_that_aggregates_others_has_their_rules(http, request):
    label, first, whole = unique('label'), unique(), unique()
    roles = RBAC + '/clusterroles'
    for name in (first, whole):
        request.addfinalizer(lambda name=name: http.delete('%s/%s' % (roles, name)))
    created(http.post(roles, {'metadata': meta(whole), 'aggregationRule': {
        'clusterRoleSelectors': [{'matchLabels': {label: 'yes'}}]}}))
    created(http.post(roles, {'metadata': meta(first, {label: 'yes'}), 'rules': [rule('get', 'pods')]}))

    def rules():
        return ok(http.get('%s/%s' % (roles, whole)))['rules']

    soon(lambda: rules() == [rule('get', 'pods')], rules)
    ok(http.patch('%s/%s' % (roles, first), {'rules': [rule('get', 'secrets')]}))
    soon(lambda: rules() == [rule('get', 'secrets')], rules)
    ok(http.patch('%s/%s' % (roles, first), {'metadata': {'labels': {label: None}}}))
    soon(lambda: not rules(), rules)


# Impersonation


def test_only_who_may_can_impersonate(http):
    token = created(http.post('/api/v1/namespaces/kube-public/serviceaccounts/default/token', {
        'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest', 'spec': {}}))['status']['token']
    response = http.acting_as(None, token=token).acting_as('bob').get('/api/v1/pods')
    assert response.body['message'] == (
        'users "bob" is forbidden: User "system:serviceaccount:kube-public:default" cannot impersonate resource '
        '"users" in API group "" at the cluster scope')
    assert response.body['details'] == {'name': 'bob', 'kind': 'users'}


def test_who_impersonates_a_service_account_has_its_groups(http, grant, url, namespace):
    grant(rule('list', 'pods'), to=subject('system:serviceaccounts:' + namespace, 'Group'))
    until_allowed(http.acting_as('system:serviceaccount:%s:any' % namespace), url('pods'))
    assert is_forbidden(http.acting_as('system:serviceaccount:kube-public:any').get(url('pods')))


def test_groups_cannot_be_impersonated_without_a_user(http):
    other = http.acting_as('x', 'system:masters')
    del other.headers['Impersonate-User']
    assert other.get('/api/v1/pods').code == 500


# Reviews


def review(http, kind, spec, namespace=None):
    path = (REVIEWS + 'namespaces/%s/' % namespace if namespace else REVIEWS) + kind.lower() + 's'
    metadata = {'namespace': namespace} if namespace else {}
    return http.post(path, {'apiVersion': 'authorization.k8s.io/v1', 'kind': kind, 'metadata': metadata, 'spec': spec})


def asked(namespace, verb, resource, **more):
    return {'resourceAttributes': dict({'namespace': namespace, 'verb': verb, 'resource': resource}, **more)}


def test_a_user_can_ask_what_they_may_do(user, grant, namespace, somebody):
    name = grant(rule('list', 'pods'))

    def answer(verb):
        return created(review(user, 'SelfSubjectAccessReview', asked(namespace, verb, 'pods')))['status']

    soon(lambda: answer('list')['allowed'], 'the right is not told')
    reason = 'RBAC: allowed by RoleBinding "%s/%s" of Role "%s" to User "%s"' % (name, namespace, name, somebody)
    assert answer('list') == {'allowed': True, 'reason': reason}
    assert answer('get') == {'allowed': False}
    body = created(review(user, 'SelfSubjectAccessReview', {'nonResourceAttributes': {'path': '/api', 'verb': 'get'}}))
    assert body['status']['allowed'] and 'ClusterRoleBinding "system:discovery"' in body['status']['reason']


def test_the_administrator_can_ask_about_others(http, user, grant, namespace, somebody):
    group = unique('group')
    grant(rule('list', 'pods'), to=subject(group, 'Group'))

    def allowed(**who):
        return created(review(http, 'SubjectAccessReview', dict(asked(namespace, 'list', 'pods'), **who)))[
            'status']['allowed']

    soon(lambda: allowed(groups=[group]), 'the right is not told')
    assert allowed(user='x', groups=['a', group]) and not allowed(user=somebody)
    body = created(review(http, 'LocalSubjectAccessReview', dict(asked(namespace, 'list', 'pods'), groups=[group]),
                          namespace))
    assert body['status']['allowed']
    assert is_forbidden(review(user, 'SubjectAccessReview', dict(asked(namespace, 'list', 'pods'), user='x')))


def test_a_local_review_is_about_the_namespace_of_its_path(http, namespace):
    answer = http.post(REVIEWS + 'namespaces/%s/localsubjectaccessreviews' % namespace, {
        'metadata': {'namespace': 'kube-system'}, 'spec': dict(asked('kube-system', 'list', 'pods'), user='x')})
    assert answer.code in (400, 422)


@pytest.mark.parametrize('kind, spec, field', [
    ('SelfSubjectAccessReview', {}, 'spec.resourceAttributes'),
    ('SelfSubjectAccessReview', dict(asked('a', 'get', 'pods'), nonResourceAttributes={'path': '/', 'verb': 'get'}),
     'spec.nonResourceAttributes'),
    ('SubjectAccessReview', asked('a', 'get', 'pods'), 'spec.user'),
])
def test_a_review_that_asks_nothing_is_invalid(http, kind, spec, field):
    code, reason, causes = failure(review(http, kind, spec))
    assert (code, reason, [each for each, _ in causes]) == (422, 'Invalid', [field])


def test_a_user_can_ask_for_all_of_their_rules(user, grant, namespace):
    grant(rule('list', 'pods'))

    def status():
        return created(review(user, 'SelfSubjectRulesReview', {'namespace': namespace}))['status']

    soon(lambda: rule('list', 'pods') in status()['resourceRules'], 'the rule is not told')
    assert any('/api' in each['nonResourceURLs'] for each in status()['nonResourceRules'])
    assert review(user, 'SelfSubjectRulesReview', {}).code == 400


def test_reviews_are_answered_and_not_kept(http):
    for method in ('GET', 'DELETE'):
        response = http.send(method, REVIEWS + 'selfsubjectaccessreviews')
        assert response.status == 405, shown(response)
    assert http.get(REVIEWS + 'selfsubjectaccessreviews/x').code in (404, 405)


def test_pods_are_created_for_the_user_who_has_the_right(user, http, grant, url):
    grant(rule('create get delete', 'pods'))
    name = unique()
    soon(lambda: not is_forbidden(user.post(url('pods'), pod(name))), 'no right to create pods')
    assert ok(user.get(url('pods', name)))['metadata']['name'] == name
    assert is_forbidden(user.patch(url('pods', name), {'metadata': {'labels': {'a': 'b'}}}))
    ok(user.delete(url('pods', name), gracePeriodSeconds=0))


# Server-side apply


def test_to_create_by_applying_takes_the_right_to_create(user, grant, url, name):
    grant(rule('patch get', 'configmaps'))
    until_allowed(user, url('configmaps', name))
    answer = user.patch(url('configmaps', name), configmap(name), APPLY, fieldManager='m')
    assert outcome(answer) == (403, 'Forbidden')
    assert answer.body['message'].startswith('configmaps "%s" is forbidden: ' % name)


def test_a_binding_to_a_role_without_a_name_is_refused(user, grant, namespace):
    grant(rule('create get', 'rolebindings', groups=[GROUP]))
    until_allowed(user, '%s/namespaces/%s/rolebindings/x' % (RBAC, namespace))
    answer = user.post('%s/namespaces/%s/rolebindings' % (RBAC, namespace), {
        'metadata': meta(unique()), 'roleRef': {'apiGroup': GROUP, 'kind': 'Role'}})
    assert answer.code == 400, shown(answer)
