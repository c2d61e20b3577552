"""The claims and pods of all other servers, according to the hub's database.

A renamed user or named server keeps its claim and its running pod, which have their old names and annotations. Only the
state of the server says whose they are. Everything runs on the IOLoop's thread, and reads hub state.
"""
from jupyterhub import orm

from .. import naming
from ..configuration import Configuration
from ..lifecycle.pods import new_spawn_id, uid_of
from ..messages.errors import Cause, SpawnError
from ..naming.ownership import owner_of


class OtherServers(Configuration):
    """The part of KubeSpawner that protects the objects of other servers."""

    def _other_owner_of_pod(self, pod):
        """Return the (username, servername) of the other server that runs in a pod (a dict); None if there is none."""
        return owner_of_pod(states_of_other_servers(self), uid_of(pod))

    def _is_claim_taken(self, claim):
        """Return whether a claim (a dict) is another server's, by that server's state or the claim's annotations.

        Servers may share a claim, if a template names it alike for all. A claim in this server's state is its own.
        """
        name, namespace = claim['metadata']['name'], claim['metadata'].get('namespace', self.namespace)
        if name == self.pvc_name and (self._server_names.has_claim or name != self._claim_name_of(self.name)
                                      or self._is_named_by_operator('pvc_name_template')):
            return False
        owners = owners_of_claim(states_of_other_servers(self), name, namespace, self._common_namespace)
        for username, servername in owners + [owner_of(claim)]:
            other = None if username == self.user.name else username
            is_mine = (username, servername) == (self.user.name, self.name)
            if not is_mine and username is not None and self._claim_name_of(servername, other) not in (None, name):
                self.log.warning('Claim %s is that of the server %r of the user %r', name, servername, username)
                return True
        return False

    def _claims_of_other_servers(self):
        """Return the names of the claims of the user's other servers, according to the hub's database."""
        servers = getattr(self.user, 'orm_spawners', {})
        states = [server.state or {} for name, server in servers.items() if name != self.name]
        return {state.get('pvc_name') for state in states} | {
            claim['name'] for state in states for claim in state.get('profile_claims') or []}

    def _why_taken(self, claim):
        """Return why a claim (a dict) must not be deleted with this server, if it is another one's; otherwise None."""
        return 'another server has it' if self._is_claim_taken(claim) else None

    def _use_another_claim_name(self):
        """Give this server's new claim another name, because another server has a claim of this one."""
        if not self.remember_pvc_name:
            raise SpawnError(
                'Claim %s is that of another server. A new one would need another name, which the hub does not '
                'remember: KubeSpawner.remember_pvc_name is False.' % self.pvc_name, cause=Cause.CONFIGURATION)
        self._server_names.take_claim(naming.object_name('%s-%s' % (self.pvc_name, new_spawn_id()[:8])))


def states_of_other_servers(spawner):
    """Return the states of all other servers, as a list of (username, servername, state); state is a dict.

    This reads the whole table, so call it only if something may belong to another server.
    """
    user, session = spawner.user, getattr(spawner.user, 'db', None)
    if session is None:
        servers = getattr(user, 'orm_spawners', {})
        rows = [(user.name, name, server.state) for name, server in servers.items()]
    else:
        rows = session.query(orm.User.name, orm.Spawner.name, orm.Spawner.state).filter(
            orm.Spawner.user_id == orm.User.id).all()
    return [(username, servername or '', state) for username, servername, state in rows
            if isinstance(state, dict) and (username, servername or '') != (user.name, spawner.name)]


def is_of_another_server(pod, user, orm_spawner):
    """Return whether a pod (a dict) belongs to another server that runs or starts, according to the hub's database."""
    session = getattr(user, 'db', None)
    if session is None:  # there is no hub
        return False
    others = session.query(orm.Spawner).filter(orm.Spawner.server_id.isnot(None), orm.Spawner.id != orm_spawner.id)
    names = pod['metadata']['namespace'], pod['metadata']['name']
    return any((state.get('namespace'), state.get('pod_name')) == names
               for state in [other.state or {} for other in others])


def owners_of_claim(states, name, namespace, common_namespace):
    """Return the (username, servername) of the servers that have a claim, as a list.

    states: see `states_of_other_servers`. common_namespace (str): of servers whose states have no namespace.
    """
    return [(username, servername) for username, servername, state in states
            if (namespace, name) in _claims_in(state, common_namespace)]


def owner_of_pod(states, uid):
    """Return the (username, servername) of the server that runs in the pod with a uid; None if there is none."""
    return next(((username, servername) for username, servername, state in states
                 if state.get('pod_uid') == uid), None)


def _claims_in(state, common_namespace):
    """Return the claims that a state has, as a set of (namespace, name)."""
    usual = {(state.get('namespace') or common_namespace, state.get('pvc_name'))}
    return usual | {(claim.get('namespace'), claim.get('name')) for claim in state.get('profile_claims') or []}
