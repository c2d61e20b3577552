"""The tokens of service accounts, which are JSON Web Tokens.

What belongs here: issuing and checking them, and the requests for them (serviceaccounts/NAME/token). What does not: the
tokens of other users (users.py), where pods find them (accounts.py). Everything runs on the loop thread of the server.
The key is a secret of this process, so a token is of no use when localkube has ended.
"""
import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid

from . import errors
from .causes import Causes
from .rbac import ACCOUNT_USER
from .times import at, timestamp
from .users import AUTHENTICATED, User, account_groups

ISSUER = 'https://kubernetes.default.svc.cluster.local'  # also the audience of the API
API_VERSION = 'authentication.k8s.io/v1'
SHORTEST, LONGEST = 600, 2 ** 32  # seconds
DEFAULT_EXPIRATION = 3600
WARNING_EXPIRATION = 3607  # seconds; with exactly this expiration, the token of a pod is valid for EXTENSION
EXTENSION = 365 * 24 * 3600
NODE_AND_POD = ('node', 'pod')


class AccountTokens(object):
    """Issues and checks the tokens of one localkube.

    store (Store): contains the service accounts, and what tokens are bound to.
    """

    def __init__(self, store):
        self.store = store
        self._key = secrets.token_bytes(32)

    def token_for(self, namespace, account, audience='', expiration=DEFAULT_EXPIRATION, pod=None):
        """Return a token of a service account.

        audience (str): for whom it is; '' means the API. expiration (int): seconds. pod (dict or None): the token is
        valid as long as this pod exists. Raise ApiError 404.
        """
        return self.issue(namespace, account, [audience or ISSUER], expiration, 'Pod' if pod else '', pod)

    def issue(self, namespace, name, audiences, expiration, kind='', bound=None):
        """Return a token. kind (str), bound (dict or None): a Pod or a Secret, to which it is bound."""
        account = self.account(namespace, name)
        now = int(time.time())
        private = {'namespace': namespace, 'serviceaccount': reference_to(account)}
        end = now + expiration
        if bound:
            private[kind.lower()] = reference_to(bound)
        node = self.store.get('nodes', '', bound['spec'].get('nodeName', '')) if kind == 'Pod' else None
        if node:
            private['node'] = reference_to(node)
        if kind == 'Pod' and expiration == WARNING_EXPIRATION and audiences == [ISSUER]:
            private['warnafter'], end = end, now + EXTENSION
        return self.sign({'aud': audiences, 'exp': end, 'iat': now, 'nbf': now, 'iss': ISSUER, 'jti': str(uuid.uuid4()),
                          'kubernetes.io': private, 'sub': ACCOUNT_USER % (namespace, name)})

    def account(self, namespace, name):
        account = self.store.get('serviceaccounts', namespace, name)
        if account is None:
            raise errors.not_found('serviceaccounts', name)
        return account

    # The encoding

    def sign(self, claims):
        parts = encode({'alg': 'HS256', 'typ': 'JWT'}) + b'.' + encode(claims)
        return (parts + b'.' + self.signature(parts)).decode('ascii')

    def signature(self, parts):
        return urlsafe(hmac.new(self._key, parts, hashlib.sha256).digest())

    def claims(self, token):
        """Return the claims of a token that this localkube has issued, or None. It may have expired."""
        parts, _, signature = token.encode('utf8', 'surrogatepass').rpartition(b'.')
        if not hmac.compare_digest(signature, self.signature(parts)):
            return None
        payload = parts.partition(b'.')[2]
        return json.loads(base64.urlsafe_b64decode(payload + b'=' * (-len(payload) % 4)).decode('utf8'))

    def user(self, token, audiences=()):
        """Return the User with a token, or None if it is not valid for any of the audiences. None means the API."""
        claims = self.claims(token)
        if claims is None or not claims['nbf'] - 1 <= time.time() < claims['exp']:
            return None
        if not set(claims['aud']) & set(audiences or [ISSUER]):
            return None
        private = claims['kubernetes.io']
        namespace, account = private['namespace'], private['serviceaccount']
        for resource, key in (('serviceaccounts', 'serviceaccount'), ('pods', 'pod'), ('secrets', 'secret')):
            if key in private and not self.exists(resource, namespace, private[key]):
                return None
        extra = {'authentication.kubernetes.io/credential-id': ['JTI=' + claims['jti']]}
        for key in NODE_AND_POD:
            if key in private:
                extra['authentication.kubernetes.io/%s-name' % key] = [private[key]['name']]
                extra['authentication.kubernetes.io/%s-uid' % key] = [private[key]['uid']]
        return User(claims['sub'], account['uid'], account_groups(namespace) + [AUTHENTICATED], extra)

    def exists(self, resource, namespace, reference):
        obj = self.store.get(resource, namespace, reference['name'])
        return bool(obj) and obj['metadata']['uid'] == reference['uid']

    # TokenRequests

    def answer(self, namespace, name, request):
        """Return a TokenRequest (decoded) with its status. Raise ApiError 400, 404, 409 or 422."""
        spec = request.get('spec', {})
        self.account(namespace, name)
        expiration = spec.get('expirationSeconds', DEFAULT_EXPIRATION)
        audiences = spec.get('audiences') or [ISSUER]
        validate(expiration, request.get('metadata', {}).get('name', name), name)
        reference = spec.get('boundObjectRef') or {}
        bound = self.bound_object(namespace, name, reference) if reference else None
        token = self.issue(namespace, name, audiences, expiration, reference.get('kind', ''), bound)
        return {'kind': 'TokenRequest', 'apiVersion': API_VERSION,
                'metadata': {'name': name, 'namespace': namespace, 'creationTimestamp': timestamp()},
                'spec': {'audiences': audiences, 'expirationSeconds': expiration, 'boundObjectRef': reference or None},
                'status': {'token': token, 'expirationTimestamp': at(time.time() + expiration)}}

    def bound_object(self, namespace, account, reference):
        kind, name = reference.get('kind', ''), reference.get('name', '')
        if kind not in ('Pod', 'Secret') or reference.get('apiVersion', 'v1') != 'v1':
            group, _, version = reference.get('apiVersion', '').rpartition('/')
            raise errors.bad_request('cannot bind token to object of type %s/%s, Kind=%s' % (group, version, kind))
        resource = kind.lower() + 's'
        obj = self.store.get(resource, namespace, name)
        if obj is None:
            raise errors.not_found(resource, name)
        if kind == 'Pod' and obj['spec']['serviceAccountName'] != account:
            raise errors.bad_request('cannot bind token for serviceaccount "%s" to pod running with different '
                                     'serviceaccount name.' % account)
        if reference.get('uid', obj['metadata']['uid']) != obj['metadata']['uid']:
            raise errors.conflict(kind, name, 'the UID in the bound object reference (%s) does not match the UID in '
                                  'record. The object might have been deleted and then recreated' % reference['uid'])
        return obj


def validate(expiration, name, account):
    causes = Causes()
    if name != account:
        causes.invalid('metadata.name', name, 'must match the service account name if specified')
    if expiration < SHORTEST:
        causes.invalid('spec.expirationSeconds', expiration, 'may not specify a duration less than 10 minutes')
    if expiration > LONGEST:
        causes.invalid('spec.expirationSeconds', expiration, 'may not specify a duration larger than 2^32 seconds')
    if causes:
        raise errors.invalid('TokenRequest', '', causes, 'authentication.k8s.io')


def reference_to(obj):
    return {'name': obj['metadata']['name'], 'uid': obj['metadata']['uid']}


def encode(value):
    return urlsafe(json.dumps(value, separators=(',', ':')).encode('utf8'))


def urlsafe(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=')
