"""Questions about users and rights, which the API answers and does not store.

What belongs here: SelfSubjectAccessReview and its kin, SelfSubjectReview and TokenReview. What does not: the decisions
(rbac.py), HTTP. Everything runs on the loop thread of the server.
"""
from . import errors, wrong_types
from .attributes import Attributes
from .causes import Causes
from .decoding import decode
from .users import User

AUTHORIZATION = 'authorization.k8s.io'
BOTH = 'cannot be specified in combination with resourceAttributes'
NEITHER = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'


class Reviews(object):
    """Answers reviews. users: Users; access: AlwaysAllow or RoleBasedAccess."""

    def __init__(self, users, access):
        self.users = users
        self.access = access

    def answer(self, row, namespace, data, user, validation):
        """Return a review with its status. data: parsed JSON; user: who asks. Raise ApiError 400 or 422."""
        review = decode(row.type, data, validation)
        validation.check(wrong_types.go_name(row.type))
        if review.get('metadata', {}).get('namespace', namespace) != namespace:
            raise errors.other_namespace()
        spec = review.get('spec', {})
        status, spec = ANSWERS[row.kind](self, row, namespace, spec, user)
        answer = {'kind': row.kind, 'apiVersion': row.api_version, 'metadata': {'creationTimestamp': None},
                  'status': status}
        if spec is not None:
            answer['spec'] = spec
        return answer

    # authorization.k8s.io

    def own_access(self, row, namespace, spec, user):
        return self.decide(row, spec, user), spec

    def access_of_others(self, row, namespace, spec, user):
        causes = Causes()
        if not spec.get('user') and not spec.get('groups'):
            causes.required('spec.user', 'at least one of user or group must be specified')
        wanted = spec.get('resourceAttributes', {})
        if namespace and wanted.get('namespace') != namespace:
            causes.invalid('spec.resourceAttributes.namespace', wanted.get('namespace', ''),
                           'must match metadata.namespace')
        other = User(spec.get('user', ''), spec.get('uid', ''), spec.get('groups', []), spec.get('extra', {}))
        return self.decide(row, spec, other, causes), spec

    def decide(self, row, spec, user, causes=()):
        """Return the status of a review of access. causes (list): what else is wrong with the request."""
        causes = Causes(causes)
        resource, url = spec.get('resourceAttributes'), spec.get('nonResourceAttributes')
        if resource is not None and url is not None:
            causes.invalid('spec.nonResourceAttributes', url, BOTH)
        if resource is None and url is None:
            causes.required('spec.resourceAttributes', NEITHER)
        if causes:
            raise errors.invalid('', '', causes, AUTHORIZATION)  # the API server names no kind here
        allowed, reason = self.access.decide(user, attributes(resource, url))
        return dict({'allowed': allowed}, **({'reason': reason} if reason else {}))

    def own_rules(self, row, namespace, spec, user):
        if not spec.get('namespace'):
            raise errors.bad_request('no namespace on request')
        rules, complaints = self.access.rules_for(user, spec['namespace'])
        status = {'resourceRules': [rule for rule in rules if 'nonResourceURLs' not in rule],
                  'nonResourceRules': [rule for rule in rules if 'nonResourceURLs' in rule],
                  'incomplete': bool(complaints)}
        if complaints:
            status['evaluationError'] = ', '.join(complaints)
        return status, {}

    # authentication.k8s.io

    def oneself(self, row, namespace, spec, user):
        return {'userInfo': user_info(user)}, None

    def token(self, row, namespace, spec, user):
        if not spec.get('token'):
            raise errors.bad_request('token is required for TokenReview in authentication')
        audiences = spec.get('audiences', [])
        owner = self.users.of_token(spec['token'], audiences)
        if owner is None:
            return {'user': {}, 'error': 'invalid bearer token'}, spec
        status = {'authenticated': True, 'user': user_info(owner)}
        return dict(status, **({'audiences': audiences} if audiences else {})), spec


def attributes(resource, url):
    """Return the Attributes that a review asks about."""
    if resource is None:
        return Attributes(url.get('verb', ''), path=url.get('path') or '/')
    return Attributes(*[resource.get(field, '') for field in ('verb', 'namespace', 'group', 'resource', 'subresource',
                                                             'name')])


def user_info(user):
    info = {'username': user.name, 'uid': user.uid, 'groups': user.groups, 'extra': user.extra}
    return {key: value for key, value in info.items() if value}


ANSWERS = {  # kind -> method of Reviews
    'SelfSubjectAccessReview': Reviews.own_access, 'SubjectAccessReview': Reviews.access_of_others,
    'LocalSubjectAccessReview': Reviews.access_of_others, 'SelfSubjectRulesReview': Reviews.own_rules,
    'SelfSubjectReview': Reviews.oneself, 'TokenReview': Reviews.token,
}
