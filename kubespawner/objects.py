"""make_pod and make_pvc: plain values in, models of the `kubernetes` client out.

What a pod or a claim looks like belongs here: no spawner, no templates, no API calls. Pure: no argument is changed, and
results contain only copies; any thread.

With every client, configured Kubernetes objects become dicts inside the models. The API server, which may be newer or
older than the client, decides which fields they can have. Such a dict answers to attributes as well, and its known
fields have the API's spelling, see `kube.resource`. Only the fields of containers, pod specs and security contexts have
to be known here.
"""
import math

from .arguments import (
    ArgumentError,
    check_keys,
    checked,
    fields,
    id_number,
    objects,
    raw,
    scalars,
    set_fields,
    settled,
    strings,
)
from .environment import resolvable
from .kube.clients import model, to_dict
from .kube.fields import camel_case
from .kube.once import Once
from .kube.resource import of_type
from .related_objects import (  # noqa: F401, others import the functions from here
    CERTIFICATE,
    KEY,
    TRUST,
    make_ingress,
    make_namespace,
    make_owner_reference,
    make_secret,
    make_service,
)

_once = Once()

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
MASK = 'no-api-access-please'  # the volume that hides the token of a service account
CERTIFICATES = 'jupyterhub-internal-certs'


def make_pod(
    name,
    cmd,
    port,
    image_spec=None,
    image_pull_policy=None,
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
    *,
    image=None,
    image_pull_secrets=None,
    privileged=None,
    uid=None,
    gid=None,
    ssl_secret_name=None,
    ssl_secret_mount_path=None,
    logger=None
):
    """Return the V1Pod for one notebook server.

    Wherever an argument is a list of Kubernetes objects, it may also be a dict of them; they are used in the order of
    its keys. Wherever it is a dict of a Kubernetes object, it may also be a model of any client. Fields may be in
    camelCase or snake_case, at any depth.

    name (str): the name of the pod; a DNS label.
    cmd (list of str or None): the `args` of the notebook container; None for the image's own command.
    port (int): the port on which the server listens.
    image_spec, image_pull_policy, image_pull_secret (str): the image; when to pull it (`Always`, `IfNotPresent` or
        `Never`; None for the default of Kubernetes); the name of the secret for pulling it, or a list of names or of
        LocalObjectReference objects.
    node_selector (dict of str): the labels that the node must have.
    run_as_uid, fs_gid (int), supplemental_gids (list of int): the user ID, the group ID for volumes, and the further
        group IDs of all processes in the pod.
    run_privileged (bool): whether the notebook container is privileged.
    env (dict): environment variables. Values are converted to strings; variables whose value is None are left out. A
        dict is an EnvVar object, whose fields replace `name` and `value`. A variable that refers to others, as in
        `$(OTHER)`, comes after them, because Kubernetes could not resolve it otherwise.
    working_dir (str): the working directory of the notebook container.
    volumes, volume_mounts (lists of dicts): Volume and VolumeMount objects.
    labels, annotations (dicts of str): the labels and annotations of the pod.
    cpu_limit, cpu_guarantee (numbers of cores, or quantities such as `'500m'`), mem_limit, mem_guarantee (bytes, or
        quantities such as `'1G'`): `resources.limits` and `resources.requests` of the notebook container. Numbers are
        sent as numbers. A limit of 0 means no limit.
    extra_resource_limits, extra_resource_guarantees (dicts): the same for other resources, such as
        `{'nvidia.com/gpu': '3'}`.
    lifecycle_hooks (dict): a Lifecycle object (`postStart`, `preStop`) for the notebook container.
    init_containers, extra_containers (lists of dicts): Container objects that run before the notebook container, and
        beside it.
    service_account (str): the service account whose API token the pod gets. If it is None, the pod gets no token: an
        empty directory hides the one that the cluster may mount.
    extra_container_config, extra_pod_config (dicts): fields of Container and PodSpec, which replace those from other
        arguments.
    restart_policy (str): `Always`, `OnFailure` or `Never`.
    allow_privilege_escalation (bool or None): whether processes of the notebook container can gain more privileges than
        their parents; None for the default of Kubernetes. It has no effect on a privileged container.
    run_as_gid (int): the group ID of all processes in the pod.
    container_security_context, pod_security_context (dicts): fields of SecurityContext and PodSecurityContext, which
        replace those from other arguments.
    automount_service_account_token (bool or None): whether the pod gets the token of its service account; None: only if
        `service_account` is set.
    scheduler_name, priority_class_name (str): the scheduler and the priority class of the pod.
    tolerations, node_affinity_preferred, node_affinity_required, pod_affinity_preferred, pod_affinity_required,
        pod_anti_affinity_preferred, pod_anti_affinity_required (lists of dicts): Toleration, PreferredSchedulingTerm,
        NodeSelectorTerm, and (for pods) WeightedPodAffinityTerm and PodAffinityTerm objects.
    image, image_pull_secrets, privileged: newer names of `image_spec`, `image_pull_secret` and `run_privileged`.
    uid, gid (int): the user ID and the group ID of processes in the notebook container only.
    ssl_secret_name, ssl_secret_mount_path (str): the secret with the certificates of the server, and the directory in
        which it is mounted. Environment variables of the notebook container contain the paths of the files.
    logger (logging.Logger): gets warnings about environment variables that refer to each other in a circle, and about
        fields that are replaced.

    Raises ArgumentError for what cannot be sent to the API: keys that are not strings or not fields, a field in both
    spellings with different values, values that JSON does not have, nesting that is too deep. Raises TypeError if there
    is no image.
    """
    image = image_spec if image is None else image
    if image is None:
        raise TypeError('make_pod needs an image')
    certificates = _Certificates(ssl_secret_name, ssl_secret_mount_path)
    container = _notebook_container(cmd, port, image, image_pull_policy, working_dir)
    container.env = _variables(env, certificates.env, logger)
    container.security_context = _container_security_context(
        uid, gid, run_privileged or privileged, allow_privilege_escalation, container_security_context)
    container.resources = _resources(
        limits=_quantities('limit', cpu_limit or None, mem_limit or None, extra_resource_limits),
        requests=_quantities('guarantee', cpu_guarantee, mem_guarantee, extra_resource_guarantees),
    )
    spec = V1PodSpec(
        containers=[container],
        security_context=_pod_security_context(
            run_as_uid, run_as_gid, fs_gid, supplemental_gids, pod_security_context),
        node_selector=strings('node_selector', node_selector) or None,
        restart_policy=restart_policy,
        scheduler_name=scheduler_name or None,
        priority_class_name=priority_class_name or None,
    )
    spec.tolerations = objects('tolerations', tolerations) or None
    spec.affinity = _affinity({
        'node_affinity_preferred': node_affinity_preferred,
        'node_affinity_required': node_affinity_required,
        'pod_affinity_preferred': pod_affinity_preferred,
        'pod_affinity_required': pod_affinity_required,
        'pod_anti_affinity_preferred': pod_anti_affinity_preferred,
        'pod_anti_affinity_required': pod_anti_affinity_required,
    })
    if image_pull_secrets or image_pull_secret:
        spec.image_pull_secrets = _pull_secrets(image_pull_secrets or image_pull_secret)

    mask_volumes, mask_mounts = _service_account_or_mask(spec, service_account, automount_service_account_token)
    spec.volumes = objects('volumes', volumes) + certificates.volumes + mask_volumes
    container.volume_mounts = objects('volume_mounts', volume_mounts) + certificates.mounts + mask_mounts
    if lifecycle_hooks:
        container.lifecycle = raw('lifecycle_hooks', lifecycle_hooks)
    if init_containers:
        spec.init_containers = objects('init_containers', init_containers)

    defaults = [{'allowPrivilegeEscalation': allow_privilege_escalation}, to_dict(mask_mounts), to_dict(mask_volumes)]
    _replace_fields(container, 'extra_container_config', extra_container_config, defaults, logger)
    _replace_fields(spec, 'extra_pod_config', extra_pod_config, defaults, logger)
    _add_missing(spec, certificates.volumes + mask_volumes)
    if not isinstance(spec.containers, list):
        raise ArgumentError('extra_pod_config', "['containers'] is not a list.")
    spec.containers.extend(objects('extra_containers', extra_containers))
    pod = V1Pod(
        api_version='v1',
        kind='Pod',
        metadata=V1ObjectMeta(name=name, labels=strings('labels', labels),
                              annotations=strings('annotations', annotations)),
        spec=spec,
    )
    unmask(pod)
    return pod


class _Certificates:
    """The volumes, mounts and variables for a server's certificates in a pod; none without a secret."""

    FILES = {'KEYFILE': KEY, 'CERTFILE': CERTIFICATE, 'CLIENT_CA': TRUST}

    def __init__(self, secret, directory):
        self.volumes, self.mounts, self.env = [], [], {}
        if secret and directory:
            self.volumes = [{'name': CERTIFICATES, 'secret': {'secretName': secret}}]
            self.mounts = [{'name': CERTIFICATES, 'mountPath': directory, 'readOnly': True}]
            self.env = {'JUPYTERHUB_SSL_' + variable: '%s/%s' % (directory.rstrip('/'), file)
                        for variable, file in self.FILES.items()}


def _notebook_container(cmd, port, image, image_pull_policy, working_dir):
    return V1Container(
        name='notebook',
        image=image,
        image_pull_policy=image_pull_policy,
        args=None if cmd is None else [str(argument) for argument in cmd],
        ports=[V1ContainerPort(name='notebook-port', container_port=int(port))],
        working_dir=working_dir,
    )


def _replace_fields(model, argument, config, defaults, logger):
    """Set fields of a container or a pod; warn once of objects and lists of other settings that are lost by that.

    defaults (list): objects and lists that no setting has asked for.
    """
    for name, value in fields(model, argument, config).items() if logger is not None else ():
        before = to_dict(getattr(model, name))
        is_lost = before and isinstance(before, (dict, list)) and name != 'ports' and before not in defaults
        if is_lost and before != to_dict(value) and _once.is_new(argument, name):
            logger.warning('KubeSpawner.%s replaces all of %s, also what other settings have put there.',
                           argument, model.attribute_map[name])
    set_fields(model, argument, config)


def _variables(env, more, logger):
    """Return environment variables in an order in which Kubernetes can resolve them."""
    check_keys('env', env)
    env = dict(env or {}, **more)
    variables = [_variable(name, value) for name, value in env.items() if value is not None]
    order, cyclic = resolvable([(variable.name, variable.value) for variable in variables])
    if cyclic and logger is not None:
        logger.warning('Kubernetes cannot resolve the environment variables %s: they refer to each other in a circle.',
                       ', '.join(cyclic))
    return [variables[number] for number in order]


def _variable(name, value):
    """Return an environment variable with a value, or from an EnvVar object."""
    value = value if type(value) is str else to_dict(value)
    if not isinstance(value, dict):
        return V1EnvVar(name=name, value=str(value))
    variable = V1EnvVar(name=name)
    set_fields(variable, 'env', value)
    if variable.value is not None:
        variable.value = str(variable.value)
    return variable


def _pull_secrets(given):
    """Return references to secrets, from one name, or from a list of names and references."""
    given = [given] if isinstance(given, str) else given
    return objects('image_pull_secret', [
        V1LocalObjectReference(name=secret) if isinstance(secret, str) else secret for secret in given])


def _quantities(which, cpu, memory, extra):
    """Return resources by name, each as a quantity: a string, or an unchanged number."""
    extra = {resource: value for resource, value in (extra or {}).items() if value is not None}
    arguments = {'cpu': 'cpu_' + which, 'memory': 'mem_' + which}
    quantities = dict({'cpu': cpu, 'memory': memory}, **scalars('extra_resource_%ss' % which, extra))
    return {resource: _quantity(arguments.get(resource, 'extra_resource_%ss' % which), value)
            for resource, value in quantities.items() if value is not None}


def _quantity(argument, value):
    """Return a quantity to send. Kubernetes also accepts numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(argument, ': %s is no quantity.' % value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number or value is None else str(value)


def _resources(limits=None, requests=None):
    """Return a V1ResourceRequirements. Its values are assigned later: some clients' constructors only take strings."""
    resources = V1ResourceRequirements()
    resources.limits, resources.requests = limits, requests
    return resources


def _container_security_context(uid, gid, privileged, allow_privilege_escalation, fields):
    if not (privileged or fields) and uid is gid is allow_privilege_escalation is None:
        return None
    context = V1SecurityContext(
        privileged=True if privileged else None,
        allow_privilege_escalation=None if privileged else allow_privilege_escalation,
        run_as_user=None if uid is None else id_number('uid', uid),
    )
    if gid is not None:  # newer than the oldest client
        context.run_as_group = id_number('gid', gid)
    set_fields(context, 'container_security_context', fields)
    if context.privileged and context.allow_privilege_escalation is False and not (
            {'allowPrivilegeEscalation', 'allow_privilege_escalation'} & set(fields or ())):
        context.allow_privilege_escalation = None  # which the API would refuse
    return context


def _pod_security_context(uid, gid, fs_gid, supplemental_gids, fields):
    gids = supplemental_gids or []
    if isinstance(gids, (str, bytes, dict)) or not hasattr(gids, '__iter__'):
        raise ArgumentError(
            'supplemental_gids', ': is not a list of numbers, but of the type %s.' % type(gids).__name__)
    context = V1PodSecurityContext(
        run_as_user=None if uid is None else id_number('run_as_uid', uid),
        fs_group=None if fs_gid is None else id_number('fs_gid', fs_gid),
        supplemental_groups=[id_number('supplemental_gids', group) for group in gids] or None,
    )
    if gid is not None:  # newer than the oldest client
        context.run_as_group = id_number('run_as_gid', gid)
    set_fields(context, 'pod_security_context', fields)
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
    """Return an Affinity object (a dict) from lists of terms, by argument; None if there are no terms."""
    affinity = {}
    for argument, terms in arguments.items():
        if terms:
            terms = objects(argument, terms)
            kind, when = _AFFINITIES[argument]
            affinity.setdefault(kind, {})[when] = (
                {'nodeSelectorTerms': terms} if argument == 'node_affinity_required' else terms)
    return of_type(affinity, (False, 'V1Affinity')) if affinity else None


def _service_account_or_mask(spec, service_account, automount):
    """Set the service account; without one, return the volumes and mounts that hide the default account's token."""
    if service_account:
        spec.service_account_name = service_account
    spec.automount_service_account_token = automount if automount is not None or service_account else False
    if service_account or automount:
        return [], []
    return (
        [V1Volume(name=MASK, empty_dir=V1EmptyDirVolumeSource())],
        [V1VolumeMount(name=MASK, mount_path=SERVICE_ACCOUNT_DIRECTORY, read_only=True)],
    )


def _add_missing(spec, volumes):
    """Add the volumes that `extra_pod_config` has replaced, but that are still mounted."""
    if isinstance(spec.volumes or [], list):
        names = {_part(volume, 'name') for volume in spec.volumes or ()}
        spec.volumes = (spec.volumes or []) + [volume for volume in volumes if _part(volume, 'name') not in names]


def unmask(pod):
    """Remove the mask from a pod that asks for the token of its service account. Its parts may be dicts or models."""
    spec = _part(pod, 'spec')
    if _part(spec, 'automount_service_account_token') is not True:
        return
    masked = [_part(spec, 'volumes')]
    for containers in ('containers', 'init_containers'):
        masked += [_part(container, 'volume_mounts') for container in _part(spec, containers) or ()]
    for items in masked:
        if isinstance(items, list):
            items[:] = [item for item in items if _part(item, 'name') != MASK]


def _part(value, field):
    """Return a field of a model or of a dict, by its name in models; None if there is none."""
    if isinstance(value, dict):
        return value.get(camel_case(field), value.get(field))
    return getattr(value, field, None)


def settle(pod):
    """Make all parts of a V1Pod answer to attributes and keys, with the API's spelling of fields.

    Raises ArgumentError for a field in both spellings.
    """
    settled('pod', pod)


def check_pod(pod):
    """Raise ArgumentError unless `pod` is a model of a pod that can be sent."""
    if not {'metadata', 'spec'} <= set(getattr(type(pod), 'attribute_map', ())):
        raise ArgumentError('pod', ' returned %s; it must return the pod to create, a V1Pod.' % (
            'None' if pod is None else 'a ' + type(pod).__name__))
    name = getattr(pod.metadata, 'name', None)
    if not (isinstance(name, str) and name):
        raise ArgumentError('pod', ' returned a pod without a name (metadata.name).')
    _check_shape(pod)
    try:
        checked('pod', to_dict(pod))
    except RecursionError:
        raise ArgumentError('pod', ' returned a pod that is nested too deeply. Does it contain itself?')


def _check_shape(pod):
    """Raise ArgumentError for parts of a pod that the hub reads and that are not objects, or not lists of objects."""
    for key in ('labels', 'annotations'):
        _require(isinstance(pod.metadata.get(key) or {}, dict), 'metadata.' + key, 'a dict')
    _require(_is_object(pod.spec), 'spec', 'an object')
    for key in ('containers', 'initContainers', 'volumes'):
        listed = pod.spec.get(key) or []
        _require(_are_objects(listed), 'spec.' + key, 'a list of objects')
        for number, each in enumerate(listed):
            _require(_are_objects(each.get('env') or []), 'spec.%s[%d].env' % (key, number), 'a list of objects')


def _is_object(value):
    return isinstance(value, dict) or hasattr(type(value), 'attribute_map')


def _are_objects(values):
    return isinstance(values, (list, tuple)) and all(map(_is_object, values))


def _require(is_right, path, what):
    if not is_right:
        raise ArgumentError('pod', ' returned a pod whose %s is not %s.' % (path, what))


def make_pvc(name, storage_class, access_modes, storage, labels=None, annotations=None, selector=None,
             without_class=False):
    """Return the V1PersistentVolumeClaim for a user's files.

    name (str): the name of the claim; a DNS label.
    storage_class (str): the StorageClass; empty or None for the default of the cluster.
    access_modes (list of str): such as `['ReadWriteOnce']`.
    storage (str or number): the capacity: a quantity such as `'10Gi'`, or a number of bytes.
    labels, annotations (dicts of str): the labels and annotations of the claim.
    selector (dict): a LabelSelector for the volumes to choose from.
    without_class (bool): whether the volume must have no class.

    By position, `selector` may also come before `storage`, as in releases since 2019. Raises ArgumentError in the same
    cases as `make_pod`.
    """
    if isinstance(labels, (str, int, float)):
        selector, storage, labels, annotations = storage, labels, annotations, selector
    annotations = strings('annotations', annotations)
    access_modes = list(access_modes)
    if not all(isinstance(mode, str) for mode in access_modes):
        raise ArgumentError('access_modes', ': is not a list of strings.')
    spec = V1PersistentVolumeClaimSpec(access_modes=access_modes)
    # The clients disagree about the class of `resources`, not about what is in it.
    spec.resources = _resources(requests={'storage': _quantity('storage', storage)})
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
        metadata=V1ObjectMeta(name=name, labels=strings('labels', labels), annotations=annotations),
        spec=spec,
    )
