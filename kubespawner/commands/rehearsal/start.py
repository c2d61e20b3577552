"""One rehearsal: the steps of a start in JupyterHub's order, what it creates, and which step failed.

Each rehearsal has reflectors of its own, which end with it. Runs on the main thread.
"""
import json
from contextlib import contextmanager
from datetime import timedelta

from kubernetes.client.rest import ApiException
from tornado import gen
from tornado.ioloop import IOLoop

from ...messages.errors import one_line
from ...parts.awaiting import maybe_await
from ..cluster import PATHS
from ..configured import cause, chain, place
from ..streams import output_to_stderr
from . import certificates
from .placeholders import texts_of_pods, without_secrets
from .users import new_spawner

LONGEST = 120  # seconds for one start

# The order in which to create objects, and that of the output. What is not named here comes before secrets.
ORDER = ['Namespace', 'PersistentVolumeClaim', None, 'Secret', 'Service', 'Pod']

KINDS = {resource: kind for kind, resource in PATHS.items()}

# What the attributes that a subclass of another spawner may share are called.
SHARED = 'pod_reflector', 'event_reflector', '_further_reflectors'

NO_AUTH_STATE = ' This command gives hooks no auth_state, unless a file has one: --auth-state FILE.'
NO_GROUPS = ' Of groups, this command knows those that are named: --group NAME.'
NO_CLUSTER = (' This command asks no cluster: all that it has is what the start itself creates. A hook that reads '
              'other objects should go on if they are not there (404).')


class StepFailed(Exception):
    """A step of a start that failed. str() is a sentence with the place, the step and the reason."""


class Rehearsal:
    """What a start has created.

    objects (list of dicts): in the order in which to create them, each with its kind and namespace.
    spawner (KubeSpawner): as it was at the end.
    auth_state (dict or None): what the hooks were given; none of its texts is shown.
    """

    def __init__(self, objects, spawner, auth_state=None):
        self.objects, self.spawner, self._auth_state = objects, spawner, auth_state

    @property
    def shown(self):
        """The objects, with placeholders for secrets."""
        return self.without_secrets(self.objects)

    def without_secrets(self, objects, others=()):
        """Return objects (dicts) with placeholders for the secrets of this start, and for others (list of str)."""
        texts = texts_of_pods(self.objects) + list(others)
        return [without_secrets(obj, self._auth_state, texts) for obj in objects]

    @property
    def pod(self):
        """The pod, a dict."""
        return next(obj for obj in self.objects if obj['kind'] == 'Pod')


def rehearse(configured, recorder, who, options=None):
    """Return the Rehearsal of a start. Raises StepFailed.

    configured (Configured), who (Who), options (dict or None): what the user chose, as `user_options`.
    recorder (Recorder): to which clients talk, see `clients`.
    """
    recorder.forget()
    with own_reflectors(configured.spawner_class), output_to_stderr():
        return run(lambda: _rehearse(configured, recorder, who, options or {}))


def run(coroutine):
    """Return what a coroutine returns, run on a loop of its own."""
    loop = IOLoop()
    try:
        return loop.run_sync(coroutine)
    finally:
        loop.close()


@contextmanager
def own_reflectors(cls):
    """Let spawners of a class create new reflectors in a `with` block, and stop them at its end."""
    shared = [(each, name, vars(each)[name]) for each in cls.__mro__ for name in SHARED if name in vars(each)]
    for each, name, _ in shared:
        setattr(each, name, {} if name == '_further_reflectors' else None)
    try:
        yield
    finally:
        for reflector in cls.reflectors.values():
            reflector.on_failure = None
            reflector.stop()
        for each, name, value in shared:
            setattr(each, name, value)


@gen.coroutine
def _rehearse(configured, recorder, who, options):
    with _step('the spawner', configured):
        spawner = new_spawner(configured, who, configured.log)
    spawner.user_options = options
    with certificates.without_keys(spawner):
        for name, function in _steps(spawner, who):
            with _step(name, configured, who):
                yield gen.with_timeout(timedelta(seconds=LONGEST), gen.convert_yielded(maybe_await(function())),
                                       quiet_exceptions=Exception)
    objects = sorted(map(_object, recorder.created), key=_rank)
    if not any(obj['kind'] == 'Pod' for obj in objects):
        raise StepFailed('%s: start() of %s has created no pod.' % (configured.path, type(spawner).__name__))
    return Rehearsal(objects, spawner, who.auth_state)


def _steps(spawner, who):
    """Return what JupyterHub does in a start, as (name, function without arguments), in its order."""
    steps = []
    if _has_own_pre_spawn_start(spawner):
        steps.append(('pre_spawn_start of ' + type(spawner.authenticator).__name__,
                      lambda: spawner.authenticator.pre_spawn_start(spawner.user, spawner)))
    if getattr(spawner, 'auth_state_hook', None):  # since JupyterHub 0.9
        steps.append(('auth_state_hook', lambda: spawner.auth_state_hook(spawner, who.auth_state)))
    if hasattr(spawner, 'apply_group_overrides'):  # since JupyterHub 5
        steps.append(('group_overrides', spawner.apply_group_overrides))
    if hasattr(spawner, '_run_apply_user_options'):  # since JupyterHub 5.3
        steps.append(('apply_user_options', lambda: spawner._run_apply_user_options(spawner.user_options)))
    steps.append(('pre_spawn_hook', spawner.run_pre_spawn_hook))
    if certificates.has_internal_tls(spawner):
        steps.append(('create_certs', lambda: certificates.create(spawner)))
    steps.append(('start', spawner.start))
    return steps


def _has_own_pre_spawn_start(spawner):
    """Return whether the authenticator has its own, which may open sessions on this machine."""
    method = getattr(type(spawner.authenticator), 'pre_spawn_start', None)
    return method is not None and (method.__module__ or '').split('.')[0] != 'jupyterhub'


@contextmanager
def _step(name, configured, who=None):
    """Turn any error in a `with` block into StepFailed, which names the step."""
    try:
        yield
    except (StepFailed, KeyboardInterrupt):
        raise
    except BaseException as e:  # functions of an operator may call sys.exit
        raise StepFailed(_sentence(name, e, configured, who))


def _sentence(name, error, configured, who):
    first = next((each for each in chain(error) if place(each, configured.path) != configured.path), error)
    where = place(error, configured.path)
    if where == configured.path:  # not in a function of the operator's: a value is wrong
        return '%s: %s' % (configured.path, _of_value(name, error))
    said = '%s failed: %s' % (name, cause(first)) if name != 'start' else _of_start(error, first)
    missed = _missed(error, who)
    return '%s: %s%s' % (where, said.rstrip('.') + '.' if missed else said, missed)


def _of_start(error, first):
    text = one_line(error)
    return text if cause(first) in text or text.startswith('KubeSpawner.') else '%s (%s)' % (text, cause(first))


def _of_value(name, error):
    if isinstance(error, gen.TimeoutError):
        return '%s took longer than %d s.' % (name, LONGEST)
    text = one_line(error)
    return text if text.startswith(('KubeSpawner.', '"', 'There is no')) else '%s failed: %s' % (name, cause(error))


def _missed(error, who):
    """Return what a function may have missed here that a hub has."""
    errors = chain(error)
    if any(isinstance(each, ApiException) for each in errors):
        return NO_CLUSTER
    text = ' '.join(map(str, errors))
    if "'NoneType'" in text and who is not None and who.auth_state is None:
        return NO_AUTH_STATE
    if isinstance(errors[0], (LookupError, StopIteration)) and who is not None and not who.groups:
        return NO_GROUPS
    return ''


# Objects

def _object(created):
    """Return an object that was created, with its namespace."""
    obj = json.loads(json.dumps(created.body))
    if created.namespace:
        obj['metadata']['namespace'] = created.namespace
    parts = created.path.strip('/').split('/')
    obj['apiVersion'] = obj.get('apiVersion') or (parts[1] if parts[0] == 'api' else '/'.join(parts[1:3]))
    obj['kind'] = obj.get('kind') or KINDS.get(parts[-1], parts[-1])  # clients need not send it
    return obj


def _rank(obj):
    return ORDER.index(obj['kind'] if obj['kind'] in ORDER else None)
