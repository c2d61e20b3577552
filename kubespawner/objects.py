"""make_pod and make_pvc: plain values in, models of the `kubernetes` client out.

Here belongs what a pod or a claim looks like, and nothing about who asks for it: no spawner, no templates, no API
calls. Pure: no argument is changed and nothing of an argument ends up in the result itself, only copies; any thread.

What configuration gives as raw Kubernetes objects is a dict inside the models, on every client: what they hold is for
the API server to judge, which is newer or older than the client that is installed. Such a dict answers to attributes,
too, and its known fields are spelled as the API does, see `kube.resource`. Only the names of fields of a container, of
a pod's spec and of security contexts have to be known.
"""
import datetime
import math

from .kube.clients import model, to_dict
from .kube.resource import SpellingError, of_type, path_text

V1Container = model('V1Container')
V1ContainerPort = model('V1ContainerPort')
V1EmptyDirVolumeSource = model('V1EmptyDirVolumeSource')
V1EnvVar = model('V1EnvVar')
V1LocalObjectReference = model('V1LocalObjectReference')
V1ObjectMeta = model('V1ObjectMeta')
V1PersistentVolumeClaim = model('V1PersistentVolumeClaim')
V1PersistentVolumeClaimSpec = model('V1PersistentVolumeClaimSpec')
V1Pod = model('V1Pod')
V1PodSecurityContext = model('V1PodSecurityContext')
V1PodSpec = model('V1PodSpec')
V1ResourceRequirements = model('V1ResourceRequirements')
V1SecurityContext = model('V1SecurityContext')
V1Volume = model('V1Volume')
V1VolumeMount = model('V1VolumeMount')

SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'
MASK = 'no-api-access-please'

# What the arguments are that are raw Kubernetes objects, or lists of them.
KINDS = {
    'volumes': 'V1Volume',
    'volume_mounts': 'V1VolumeMount',
    'env': 'V1EnvVar',
    'lifecycle_hooks': 'V1Lifecycle',
    'init_containers': 'V1Container',
    'extra_containers': 'V1Container',
    'extra_container_config': 'V1Container',
    'extra_pod_config': 'V1PodSpec',
    'container_security_context': 'V1SecurityContext',
    'pod_security_context': 'V1PodSecurityContext',
    'image_pull_secret': 'V1LocalObjectReference',
    'tolerations': 'V1Toleration',
    'node_affinity_preferred': 'V1PreferredSchedulingTerm',
    'node_affinity_required': 'V1NodeSelectorTerm',
    'pod_affinity_preferred': 'V1WeightedPodAffinityTerm',
    'pod_affinity_required': 'V1PodAffinityTerm',
    'pod_anti_affinity_preferred': 'V1WeightedPodAffinityTerm',
    'pod_anti_affinity_required': 'V1PodAffinityTerm',
    'selector': 'V1LabelSelector',
    'pod': 'V1Pod',
}

DEEPEST = 50  # levels of lists and dicts in what is configured; Kubernetes' own objects have about 15


class ArgumentError(ValueError):
    """An argument of `make_pod` or `make_pvc` of which no object can be made.

    argument (str): its name.
    problem (str): the rest of the sentence, to go after that name. It does not repeat values: some are secret.
    """

    def __init__(self, argument, problem):
        self.argument = argument
        self.problem = problem
        super().__init__(argument + problem)


def make_pod(
    name,
    cmd,
    port,
    image_spec,
    image_pull_policy,
    image_pull_secret=None,
    node_selector=None,
    run_as_uid=None,
    fs_gid=None,
    supplemental_gids=None,
    run_privileged=False,
    env=None,
    working_dir=None,
    volumes=None,
    volume_mounts=None,
    labels=None,
    annotations=None,
    cpu_limit=None,
    cpu_guarantee=None,
    mem_limit=None,
    mem_guarantee=None,
    extra_resource_limits=None,
    extra_resource_guarantees=None,
    lifecycle_hooks=None,
    init_containers=None,
    service_account=None,
    extra_container_config=None,
    extra_pod_config=None,
    extra_containers=None,
    restart_policy=None,
    allow_privilege_escalation=None,
    run_as_gid=None,
    container_security_context=None,
    pod_security_context=None,
    automount_service_account_token=None,
    scheduler_name=None,
    priority_class_name=None,
    tolerations=None,
    node_affinity_preferred=None,
    node_affinity_required=None,
    pod_affinity_preferred=None,
    pod_affinity_required=None,
    pod_anti_affinity_preferred=None,
    pod_anti_affinity_required=None,
):
    """Return the V1Pod of one notebook server.

    name (str): of the pod; a DNS label.
    cmd (list of str or None): the container's `args`; None leaves the image's own command alone.
    port (int): that the server listens on.
    image_spec, image_pull_policy, image_pull_secret (str): the image, when to pull it (`Always`, `IfNotPresent`,
        `Never`; None leaves that to Kubernetes), and the name of the secret to pull it with, or a list of names or of
        LocalObjectReference objects.
    node_selector (dict of str): labels that the node must have.
    run_as_uid, fs_gid (int), supplemental_gids (list of int): user, group of volumes, and further groups of all
        processes in the pod.
    run_privileged (bool): give the notebook container the rights of its node's root.
    env (dict): environment variables; their values are made strings, those that are None are left out. Dicts are EnvVar
        objects, whose fields replace `name` and `value`.
    working_dir (str): of the notebook container.
    volumes, volume_mounts (lists of dicts): Volume and VolumeMount objects. Wherever a list of objects is wanted it may
        be a dict of them, whose values count in the order of its keys. Wherever a dict is an object it may be a model
        of any client, and the keys of fields may be in camelCase or snake_case, all the way down.
    labels, annotations (dicts of str): of the pod.
    cpu_limit, cpu_guarantee (numbers of cores, or quantities such as `'500m'`), mem_limit, mem_guarantee (bytes, or
        quantities such as `'1G'`): `resources.limits` and `resources.requests` of the notebook container.
    extra_resource_limits, extra_resource_guarantees (dicts): more of the same, such as `{'nvidia.com/gpu': '3'}`.
    lifecycle_hooks (dict): Lifecycle object (`postStart`, `preStop`) of the notebook container.
    init_containers, extra_containers (lists of dicts): Container objects, to run before it and beside it.
    service_account (str): whose API token the pod gets. None: no account, and an empty directory is mounted where
        the token would be, so that a cluster that hands out tokens by itself hands none to users.
    extra_container_config, extra_pod_config (dicts): fields of Container and PodSpec that replace what stands there
        otherwise.
    restart_policy (str): `Always`, `OnFailure` or `Never`.
    allow_privilege_escalation (bool or None): whether processes of the notebook container may get more rights than
        their parents have; None says nothing about it. Privileged containers always may.
    run_as_gid (int): the group of all processes in the pod.
    container_security_context, pod_security_context (dicts): fields of SecurityContext and PodSecurityContext, that
        replace what the other arguments say.
    automount_service_account_token (bool or None): whether the pod gets the token of its service account; None if one
        is named.
    scheduler_name, priority_class_name (str): what places the pod, and how important it is.
    tolerations, node_affinity_preferred, node_affinity_required, pod_affinity_preferred, pod_affinity_required,
        pod_anti_affinity_preferred, pod_anti_affinity_required (lists of dicts): Toleration, PreferredSchedulingTerm,
        NodeSelectorTerm, and (for pods) WeightedPodAffinityTerm and PodAffinityTerm objects.

    Raises ArgumentError for what cannot be sent to the API: keys that are no strings or no fields, a field in both
    spellings with different values, things that JSON does not have, endless nesting.
    """
    container = _notebook_container(cmd, port, image_spec, image_pull_policy, env, working_dir)
    container.security_context = _container_security_context(
        run_privileged, allow_privilege_escalation, container_security_context)
    container.resources = V1ResourceRequirements(
        limits=_quantities('limit', cpu_limit, mem_limit, extra_resource_limits),
        requests=_quantities('guarantee', cpu_guarantee, mem_guarantee, extra_resource_guarantees),
    )
    spec = V1PodSpec(
        containers=[container],
        security_context=_pod_security_context(
            run_as_uid, run_as_gid, fs_gid, supplemental_gids, pod_security_context),
        node_selector=_strings('node_selector', node_selector) or None,
        restart_policy=restart_policy,
        scheduler_name=scheduler_name or None,
        priority_class_name=priority_class_name or None,
    )
    spec.tolerations = _objects('tolerations', tolerations) or None
    spec.affinity = _affinity({
        'node_affinity_preferred': node_affinity_preferred,
        'node_affinity_required': node_affinity_required,
        'pod_affinity_preferred': pod_affinity_preferred,
        'pod_affinity_required': pod_affinity_required,
        'pod_anti_affinity_preferred': pod_anti_affinity_preferred,
        'pod_anti_affinity_required': pod_anti_affinity_required,
    })
    if image_pull_secret:
        spec.image_pull_secrets = _pull_secrets(image_pull_secret)

    mask_volumes, mask_mounts = _service_account_or_mask(spec, service_account, automount_service_account_token)
    spec.volumes = _objects('volumes', volumes) + mask_volumes
    container.volume_mounts = _objects('volume_mounts', volume_mounts) + mask_mounts
    if lifecycle_hooks:
        container.lifecycle = raw('lifecycle_hooks', lifecycle_hooks)
    if init_containers:
        spec.init_containers = _objects('init_containers', init_containers)

    _set_extra(container, 'extra_container_config', extra_container_config)
    _set_extra(spec, 'extra_pod_config', extra_pod_config)
    if not isinstance(spec.containers, list):
        raise ArgumentError('extra_pod_config', "['containers'] is no list.")
    spec.containers.extend(_objects('extra_containers', extra_containers))
    return V1Pod(
        api_version='v1',
        kind='Pod',
        metadata=V1ObjectMeta(name=name, labels=_strings('labels', labels),
                              annotations=_strings('annotations', annotations)),
        spec=spec,
    )


def _notebook_container(cmd, port, image, image_pull_policy, env, working_dir):
    return V1Container(
        name='notebook',
        image=image,
        image_pull_policy=image_pull_policy,
        args=None if cmd is None else [str(argument) for argument in cmd],
        env=_variables(env),
        ports=[V1ContainerPort(name='notebook-port', container_port=int(port))],
        working_dir=working_dir,
    )


def _variables(env):
    _check_keys('env', env)
    return [_variable(name, value) for name, value in (env or {}).items() if value is not None]


def _variable(name, value):
    """Return an environment variable of a value, or of an EnvVar object."""
    if not isinstance(value, dict):
        return V1EnvVar(name=name, value=str(value))
    variable = V1EnvVar(name=name)
    _set_extra(variable, 'env', value)
    if variable.value is not None:
        variable.value = str(variable.value)
    return variable


def raw(argument, value):
    """Return a copy of what configuration gives as raw Kubernetes objects: JSON, with models in it here and there.

    They become dicts that answer to attributes, with the API's spelling of all fields of the argument's kind.
    """
    try:
        return of_type(_copy(value, ()), (False, KINDS[argument]))
    except (_Unfit, SpellingError) as e:
        raise _wrong_part(argument, e.path, e)


def _wrong_part(argument, path, error):
    """Return the ArgumentError for what is wrong with a part of an argument, to which the keys of `path` lead."""
    return ArgumentError(argument, '%s %s' % (path_text(path), error.problem))


def settle(pod):
    """Have all dicts in a V1Pod, whoever put them there, answer to attributes and spell fields as the API does.

    Raises ArgumentError for a field in both spellings.
    """
    try:
        of_type(pod, (False, KINDS['pod']))
    except SpellingError as e:
        raise _wrong_part('pod', e.path, e)


class _Unfit(Exception):
    """What is wrong with a part of a value, and the keys and numbers that lead to it."""

    def __init__(self, path, problem):
        self.path, self.problem = path, problem
        super().__init__(path, problem)


def _copy(value, path):
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if len(path) > DEEPEST:
        raise _Unfit(path, 'is more than %d levels deep. Does it contain itself?' % DEEPEST)
    if isinstance(value, dict):
        return {_key(key, path): _copy(item, path + (key,)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item, path + (number,)) for number, item in enumerate(value)]
    if hasattr(kind, 'attribute_map'):
        return _copy_of_model(value, path)
    if isinstance(value, (str, int, datetime.date)) or (kind is float and math.isfinite(value)):
        return value
    raise _Unfit(path, 'is %s, which JSON does not have.' % (value if kind is float else 'a ' + kind.__name__))


def _key(key, path):
    if isinstance(key, str):
        return key
    raise _Unfit(path, 'has the key %s, which is no string.' % _shown(key))


def _copy_of_model(value, path):
    try:
        return _copy(to_dict(value), path)
    except RecursionError:
        raise _Unfit(path, 'is nested too deeply. Does it contain itself?')


def _objects(argument, values):
    """Return a list of copies of raw Kubernetes objects: of a list, of a dict's values in the order of keys, or []."""
    if not values:
        return []
    try:
        copied = _copy(values, ())
    except _Unfit as e:
        raise _wrong_part(argument, e.path, e)
    if isinstance(copied, dict):
        items = sorted(copied.items())
    elif isinstance(copied, list):
        items = list(enumerate(copied))
    else:
        raise ArgumentError(argument, ': is no list.')
    for key, value in items:
        if not isinstance(value, dict):
            raise ArgumentError(argument, '[%r] is no dict, but a %s.' % (key, type(value).__name__))
    try:
        return of_type([value for _, value in items], (True, KINDS[argument]))
    except SpellingError as e:
        raise _wrong_part(argument, (items[e.path[0]][0],) + e.path[1:], e)


def _pull_secrets(given):
    """Return references to secrets: of one name, or of a list of names and references."""
    given = [given] if isinstance(given, str) else given
    return _objects('image_pull_secret', [
        V1LocalObjectReference(name=secret) if isinstance(secret, str) else secret for secret in given])


def _strings(argument, mapping):
    """Return a copy of a dict, or of None, whose values are strings, as those of labels have to be."""
    return {key: str(value) for key, value in _scalars(argument, mapping).items()}


def _scalars(argument, mapping):
    """Return a dict, {} for None, if all that it holds are strings, numbers and booleans."""
    _check_keys(argument, mapping)
    for key, value in (mapping or {}).items():
        if not isinstance(value, (str, int, float)):
            raise ArgumentError(argument, '[%r] is a %s; it must be a string.' % (key, type(value).__name__))
    return mapping or {}


def _check_keys(argument, mapping):
    for key in mapping or ():
        if not isinstance(key, str):
            raise ArgumentError(argument, ': has the key %s, which is no string.' % _shown(key))


def _quantities(which, cpu, memory, extra):
    """Return resources by name, each as the string that Kubernetes calls a quantity."""
    given = {'cpu_' + which: cpu, 'mem_' + which: memory}
    for argument, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ArgumentError(argument, ': %s is no quantity.' % value)
    extra = {resource: value for resource, value in (extra or {}).items() if value is not None}
    quantities = dict({'cpu': cpu, 'memory': memory}, **_scalars('extra_resource_%ss' % which, extra))
    return {resource: str(value) for resource, value in quantities.items() if value is not None}


def _container_security_context(privileged, allow_privilege_escalation, fields):
    if not (privileged or fields) and allow_privilege_escalation is None:
        return None
    context = V1SecurityContext(
        privileged=True if privileged else None,
        allow_privilege_escalation=None if privileged else allow_privilege_escalation,
    )
    _set_extra(context, 'container_security_context', fields)
    if context.privileged and context.allow_privilege_escalation is False and not (
            {'allowPrivilegeEscalation', 'allow_privilege_escalation'} & set(fields)):
        context.allow_privilege_escalation = None  # which the API would refuse
    return context


def _pod_security_context(uid, gid, fs_gid, supplemental_gids, fields):
    gids = supplemental_gids or []
    if isinstance(gids, (str, bytes, dict)) or not hasattr(gids, '__iter__'):
        raise ArgumentError('supplemental_gids', ': is no list of numbers, but a %s.' % type(gids).__name__)
    context = V1PodSecurityContext(
        run_as_user=None if uid is None else _id('run_as_uid', uid),
        fs_group=None if fs_gid is None else _id('fs_gid', fs_gid),
        supplemental_groups=[_id('supplemental_gids', group) for group in gids] or None,
    )
    if gid is not None:  # newer than the oldest client
        context.run_as_group = _id('run_as_gid', gid)
    _set_extra(context, 'pod_security_context', fields)
    return context


# What the arguments are in an Affinity object: the keys that lead there.
_AFFINITIES = {
    'node_affinity_preferred': ('nodeAffinity', 'preferredDuringSchedulingIgnoredDuringExecution'),
    'node_affinity_required': ('nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'),
    'pod_affinity_preferred': ('podAffinity', 'preferredDuringSchedulingIgnoredDuringExecution'),
    'pod_affinity_required': ('podAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'),
    'pod_anti_affinity_preferred': ('podAntiAffinity', 'preferredDuringSchedulingIgnoredDuringExecution'),
    'pod_anti_affinity_required': ('podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'),
}


def _affinity(arguments):
    """Return an Affinity object (a dict) of lists of terms by argument; None if there are no terms."""
    affinity = {}
    for argument, terms in arguments.items():
        if terms:
            terms = _objects(argument, terms)
            kind, when = _AFFINITIES[argument]
            affinity.setdefault(kind, {})[when] = (
                {'nodeSelectorTerms': terms} if argument == 'node_affinity_required' else terms)
    return of_type(affinity, (False, 'V1Affinity')) if affinity else None


def _id(argument, value):
    """Return the number of a user or group."""
    try:
        number = int(value)
        if not isinstance(value, float) or number == value:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise ArgumentError(argument, ': %s is not the number of a user or group.' % _shown(value))


def _shown(value):
    """Return a small value as one may write it, of others what they are."""
    return '%.100r' % value if isinstance(value, (str, int, float)) or value is None else 'a ' + type(value).__name__


def _service_account_or_mask(spec, service_account, automount):
    """Set the service account, or none; return the volumes and mounts that hide the token of the latter."""
    if service_account:
        spec.service_account_name = service_account
    spec.automount_service_account_token = automount if automount is not None or service_account else False
    if service_account or automount:
        return [], []
    return (
        [V1Volume(name=MASK, empty_dir=V1EmptyDirVolumeSource())],
        [V1VolumeMount(name=MASK, mount_path=SERVICE_ACCOUNT_DIRECTORY, read_only=True)],
    )


def _set_extra(model, argument, config):
    """Set the fields of `model` that the dict `config` names, in camelCase or snake_case."""
    if not config:
        return
    config = raw(argument, config)
    if not isinstance(config, dict):
        raise ArgumentError(argument, ': is no dict, but a %s.' % type(config).__name__)
    names = {}
    for attribute, key in model.attribute_map.items():
        names[attribute] = names[key] = attribute
    for key, value in config.items():
        if key not in names:
            raise ArgumentError(argument, ': %r is not a field of a Kubernetes %s; those are: %s' % (
                key, type(model).__name__[len('V1'):], ', '.join(sorted(model.attribute_map.values()))))
        try:
            setattr(model, names[key], value)
        except ValueError as e:  # models of old clients refuse None for what has to be there
            raise ArgumentError(argument, '[%r]: %s.' % (key, e))


def check_pod(pod):
    """Raise ArgumentError unless `pod`, whoever made it, is a model of a pod that can be sent."""
    if not {'metadata', 'spec'} <= set(getattr(type(pod), 'attribute_map', ())):
        raise ArgumentError('pod', ' returned %s; it must return the pod to create, a V1Pod.' % (
            'None' if pod is None else 'a ' + type(pod).__name__))
    if not isinstance(getattr(pod.metadata, 'name', None), str):
        raise ArgumentError('pod', ' returned a pod without a name (metadata.name).')
    try:
        _copy(to_dict(pod), ())
    except _Unfit as e:
        raise _wrong_part('pod', e.path, e)
    except RecursionError:
        raise ArgumentError('pod', ' returned a pod that is nested too deeply. Does it contain itself?')


def make_pvc(name, storage_class, access_modes, storage, labels, annotations=None, selector=None,
             without_class=False):
    """Return the V1PersistentVolumeClaim of a user's files.

    name (str): of the claim; a DNS label.
    storage_class (str): StorageClass to ask for; empty or None leaves the choice to the cluster.
    access_modes (list of str): such as `['ReadWriteOnce']`.
    storage (str): how much to ask for, a quantity such as `'10Gi'`.
    labels, annotations (dicts of str): of the claim.
    selector (dict): the volumes to choose from, a LabelSelector.
    without_class (bool): ask for a volume that has no class.

    Raises ArgumentError as `make_pod` does.
    """
    annotations = _strings('annotations', annotations)
    access_modes = list(access_modes)
    if not all(isinstance(mode, str) for mode in access_modes):
        raise ArgumentError('access_modes', ': is no list of strings.')
    spec = V1PersistentVolumeClaimSpec(access_modes=access_modes)
    # The clients disagree about the class of `resources`, not about what is in it.
    spec.resources = V1ResourceRequirements(requests={'storage': str(storage)})
    if storage_class:
        # Clusters from before 1.6 read the annotation.
        annotations['volume.beta.kubernetes.io/storage-class'] = storage_class
        spec.storage_class_name = storage_class
    elif without_class:
        spec.storage_class_name = ''
    if selector:
        spec.selector = raw('selector', selector)
    return V1PersistentVolumeClaim(
        api_version='v1',
        kind='PersistentVolumeClaim',
        metadata=V1ObjectMeta(name=name, labels=_strings('labels', labels), annotations=annotations),
        spec=spec,
    )
