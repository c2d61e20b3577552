"""Who sends a request: users with a token, service accounts, and whom they impersonate.

What belongs here: authentication. What does not: what a user may do (rbac.py), the tokens of service accounts
(tokens.py). Everything runs on the loop thread of the server.
"""
import hmac
import re
import secrets
from collections import namedtuple
from urllib.parse import unquote

from . import errors, rbac
from .attributes import Attributes, forbidden
from .causes import quoted
from .kubeconfigs import ADMIN

ANONYMOUS = 'system:anonymous'
AUTHENTICATED, UNAUTHENTICATED = 'system:authenticated', 'system:unauthenticated'
ACCOUNTS = 'system:serviceaccounts'
ACCOUNT = re.compile(r'system:serviceaccount:([^:]+):([^:]+)\Z')
EXTRA = 'impersonate-extra-'

User = namedtuple('User', 'name uid groups extra')
User.__doc__ += """: who sends a request.

name, uid (str): the uid of a user who is no service account is ''.
groups (list of str). extra (dict): str -> list of str.
"""


class Users(object):
    """Everybody who has a token.

    admin_token (str): the token of the user who may do everything.
    accounts (AccountTokens or None): reads the tokens of service accounts.
    anonymous (bool): whether a request without a token is one of system:anonymous. Otherwise it gets a 401.
    """

    def __init__(self, admin_token, accounts=None, anonymous=False):
        self._tokens = {}  # token -> User
        self._accounts = accounts
        self._anonymous = anonymous
        self.add(ADMIN, [rbac.MASTERS], admin_token)

    def add(self, name, groups=(), token=None):
        """Add a user, and return the token."""
        token = token or secrets.token_hex(32)
        groups = list(groups) + ([] if AUTHENTICATED in groups else [AUTHENTICATED])
        self._tokens[token.encode('utf8', 'surrogatepass')] = User(name, '', groups, {})
        return token

    def of_request(self, headers):
        """Return the User of a request. Raise ApiError 401."""
        authorization = headers.get('Authorization', '')
        if not authorization and self._anonymous:
            return User(ANONYMOUS, '', [UNAUTHENTICATED], {})
        scheme, _, token = authorization.partition(' ')
        user = self.of_token(token) if scheme.lower() == 'bearer' else None
        if user is None:
            raise errors.unauthorized()
        return user

    def of_token(self, token, audiences=()):
        """Return the User with a token, or None. audiences (list of str): see AccountTokens.user."""
        given = token.strip().encode('utf8', 'surrogatepass')
        for known, user in self._tokens.items():
            if hmac.compare_digest(given, known):
                return user
        return self._accounts and self._accounts.user(token.strip(), audiences)


# Impersonation


def impersonated(user, headers, access):
    """Return whom a request of `user` impersonates, or `user`. Raise ApiError 403 if the user may not.

    access: AlwaysAllow or RoleBasedAccess.
    """
    name, groups, uid = headers.get('Impersonate-User', ''), headers.get_list('Impersonate-Group'), headers.get(
        'Impersonate-Uid', '')
    extra = {unquote(key[len(EXTRA):].lower()): headers.get_list(key) for key in headers
             if key.lower().startswith(EXTRA)}
    if not name:
        if groups or uid or extra:
            raise errors.ApiError(500, 'InternalError', 'Internal error occurred: requested %s without impersonating a '
                                  'user' % ', '.join(map(quoted, groups or [uid] or sorted(extra))))
        return user
    for wanted in wanted_for(name, groups, uid, extra):
        allowed, reason = access.decide(user, wanted)
        if not allowed:
            raise forbidden(user, wanted, reason)
    return User(name, uid, with_default_groups(name, groups), extra)


def wanted_for(name, groups, uid, extra):
    """Yield the Attributes of everything that an impersonation needs."""
    account = ACCOUNT.match(name)
    if account:
        yield Attributes('impersonate', account.group(1), '', 'serviceaccounts', name=account.group(2))
    else:
        yield Attributes('impersonate', resource='users', name=name)
    for group in groups:
        yield Attributes('impersonate', resource='groups', name=group)
    for key, values in sorted(extra.items()):
        for value in values:
            yield Attributes('impersonate', '', 'authentication.k8s.io', 'userextras', key, value)
    if uid:
        yield Attributes('impersonate', '', 'authentication.k8s.io', 'uids', name=uid)


def with_default_groups(name, groups):
    account = ACCOUNT.match(name)
    if account and not groups:
        groups = account_groups(account.group(1))
    default = UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED
    return groups + ([] if set(groups) & {AUTHENTICATED, UNAUTHENTICATED} else [default])


def account_groups(namespace):
    return [ACCOUNTS, '%s:%s' % (ACCOUNTS, namespace)]
