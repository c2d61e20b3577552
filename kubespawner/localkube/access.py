"""Access control: what happens to each request before it is executed.

What belongs here: the order of authentication, impersonation and authorization, and the parts that they share. What
does not: the parts themselves (users.py, tokens.py, attributes.py, rbac.py, reviews.py). Everything runs on the loop
thread of the server.
"""
from . import attributes, errors
from .accounts import AccountAdmission
from .attributes import Attributes
from .escalation import Escalation
from .rbac import MASTERS, AlwaysAllow, RoleBasedAccess
from .reviews import Reviews
from .tokens import AccountTokens
from .users import Users, impersonated


class Access(object):
    """Access control of one API.

    token (str): the token of the administrator.
    rbac (bool): with False, everybody who has a token may do everything.
    """

    def __init__(self, registry, token, rbac):
        store = registry.store
        self.accounts = AccountTokens(store)
        self.users = Users(token, self.accounts, anonymous=rbac)
        self.rules = RoleBasedAccess(store) if rbac else AlwaysAllow()
        self.reviews = Reviews(self.users, self.rules)
        registry.admission += [AccountAdmission(store).admit, Escalation(self.rules).admit]

    def admit(self, request, is_watch, field_selector):
        """Return the User for whom a request (of tornado) is executed. Raise ApiError 401 or 403."""
        user = impersonated(self.users.of_request(request.headers), request.headers, self.rules)
        wanted = attributes.of_request(request.method, request.path, is_watch, field_selector)
        allowed, reason = self.rules.decide(user, wanted)
        if not allowed:
            raise attributes.forbidden(user, wanted, reason)
        return user

    def check_create(self, user, row, namespace, name):
        """Raise ApiError 403 unless a user may create an object, which a patch of a missing one does."""
        allowed, reason = self.rules.decide(user, Attributes('create', namespace, row.group, row.name, name=name))
        if not allowed:
            raise errors.forbidden(row.qualified, name, reason)  # which does not say more in Kubernetes, either

    def check_admin(self, request):
        """Raise ApiError 401 unless a request is the administrator's."""
        if MASTERS not in self.users.of_request(request.headers).groups:
            raise errors.unauthorized()
