"""make_pod and make_pvc: plain values in, models of the `kubernetes` client out.

Here belongs what a pod or a claim looks like, and nothing about who asks for it: no spawner, no templates, no API
calls. Pure: no argument is changed and nothing of an argument ends up in the result itself, only copies; any thread.

What configuration gives as raw Kubernetes dicts stays such a dict inside the models, on every client: what they hold is
for the API server to judge, which is newer or older than the client that is installed. Only the names of fields of a
container and of a pod's spec are looked up in the models.
"""
import copy

from .clients import model

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
):
    """Return the V1Pod of one notebook server.

    name (str): of the pod; a DNS label.
    cmd (list of str or None): the container's `args`; None leaves the image's own command alone.
    port (int): that the server listens on.
    image_spec, image_pull_policy, image_pull_secret (str): the image, when to pull it (`Always`, `IfNotPresent`,
        `Never`), and the name of the secret to pull it with.
    node_selector (dict of str): labels that the node must have.
    run_as_uid, fs_gid (int), supplemental_gids (list of int): user, group of volumes, and further groups of all
        processes in the pod.
    run_privileged (bool): give the notebook container the rights of its node's root.
    env (dict): environment variables; their values are made strings, those that are None are left out.
    working_dir (str): of the notebook container.
    volumes, volume_mounts (lists of dicts): Volume and VolumeMount objects, as the Kubernetes API spells them.
    labels, annotations (dicts of str): of the pod.
    cpu_limit, cpu_guarantee (numbers of cores, or quantities such as `'500m'`), mem_limit, mem_guarantee (bytes, or
        quantities such as `'1G'`): `resources.limits` and `resources.requests` of the notebook container.
    extra_resource_limits, extra_resource_guarantees (dicts): more of the same, such as `{'nvidia.com/gpu': '3'}`.
    lifecycle_hooks (dict): Lifecycle object (`postStart`, `preStop`) of the notebook container.
    init_containers, extra_containers (lists of dicts): Container objects, to run before it and beside it.
    service_account (str): whose API token the pod gets. None: no account, and an empty directory is mounted where
        the token would be, so that a cluster that hands out tokens by itself hands none to users.
    extra_container_config, extra_pod_config (dicts): fields of Container and PodSpec, in camelCase or snake_case,
        that replace what stands there otherwise. ValueError for a key that is no such field.
    restart_policy (str): `Always`, `OnFailure` or `Never`.
    """
    container = _notebook_container(cmd, port, image_spec, image_pull_policy, env, working_dir, run_privileged)
    container.resources = V1ResourceRequirements(
        limits=_quantities(cpu_limit, mem_limit, extra_resource_limits),
        requests=_quantities(cpu_guarantee, mem_guarantee, extra_resource_guarantees),
    )
    spec = V1PodSpec(
        containers=[container],
        security_context=_pod_security_context(run_as_uid, fs_gid, supplemental_gids),
        node_selector=_strings(node_selector) or None,
        restart_policy=restart_policy,
    )
    if image_pull_secret:
        spec.image_pull_secrets = [V1LocalObjectReference(name=image_pull_secret)]

    mask_volumes, mask_mounts = _service_account_or_mask(spec, service_account)
    spec.volumes = copy.deepcopy(list(volumes or [])) + mask_volumes
    container.volume_mounts = copy.deepcopy(list(volume_mounts or [])) + mask_mounts
    if lifecycle_hooks:
        container.lifecycle = copy.deepcopy(lifecycle_hooks)
    if init_containers:
        spec.init_containers = copy.deepcopy(list(init_containers))

    _set_extra(container, extra_container_config, 'extra_container_config')
    _set_extra(spec, extra_pod_config, 'extra_pod_config')
    spec.containers.extend(copy.deepcopy(list(extra_containers or [])))
    return V1Pod(
        api_version='v1',
        kind='Pod',
        metadata=V1ObjectMeta(name=name, labels=_strings(labels), annotations=_strings(annotations)),
        spec=spec,
    )


def _notebook_container(cmd, port, image, image_pull_policy, env, working_dir, privileged):
    return V1Container(
        name='notebook',
        image=image,
        image_pull_policy=image_pull_policy,
        args=None if cmd is None else [str(argument) for argument in cmd],
        env=[V1EnvVar(name=key, value=str(value)) for key, value in (env or {}).items() if value is not None],
        ports=[V1ContainerPort(name='notebook-port', container_port=int(port))],
        working_dir=working_dir,
        security_context=V1SecurityContext(privileged=True) if privileged else None,
    )


def _strings(mapping):
    """Return a copy of a dict, or of None, whose values are strings, as those of labels have to be."""
    return {key: str(value) for key, value in (mapping or {}).items()}


def _quantities(cpu, memory, extra):
    """Return resources by name, each as the string that Kubernetes calls a quantity."""
    quantities = dict({'cpu': cpu, 'memory': memory}, **(extra or {}))
    return {resource: str(value) for resource, value in quantities.items() if value is not None}


def _pod_security_context(uid, fs_gid, supplemental_gids):
    return V1PodSecurityContext(
        run_as_user=None if uid is None else int(uid),
        fs_group=None if fs_gid is None else int(fs_gid),
        supplemental_groups=[int(gid) for gid in supplemental_gids] if supplemental_gids else None,
    )


def _service_account_or_mask(spec, service_account):
    """Set the service account, or none; return the volumes and mounts that hide the token of the latter."""
    if service_account:
        spec.service_account_name = service_account
        return [], []
    spec.automount_service_account_token = False
    return (
        [V1Volume(name=MASK, empty_dir=V1EmptyDirVolumeSource())],
        [V1VolumeMount(name=MASK, mount_path=SERVICE_ACCOUNT_DIRECTORY, read_only=True)],
    )


def _set_extra(model, config, argument):
    """Set the fields of `model` that the dict `config` names, in camelCase or snake_case."""
    names = {}
    for attribute, key in model.attribute_map.items():
        names[attribute] = names[key] = attribute
    for key, value in (config or {}).items():
        if key not in names:
            raise ValueError('%s: %r is not a field of a Kubernetes %s; those are: %s' % (
                argument, key, type(model).__name__[len('V1'):], ', '.join(sorted(model.attribute_map.values()))))
        setattr(model, names[key], copy.deepcopy(value))


def make_pvc(name, storage_class, access_modes, storage, labels, annotations=None):
    """Return the V1PersistentVolumeClaim of a user's files.

    name (str): of the claim; a DNS label.
    storage_class (str): StorageClass to ask for; empty or None leaves the choice to the cluster.
    access_modes (list of str): such as `['ReadWriteOnce']`.
    storage (str): how much to ask for, a quantity such as `'10Gi'`.
    labels, annotations (dicts of str): of the claim.
    """
    annotations = _strings(annotations)
    spec = V1PersistentVolumeClaimSpec(access_modes=list(access_modes))
    # The clients disagree about the class of `resources`, not about what is in it.
    spec.resources = V1ResourceRequirements(requests={'storage': str(storage)})
    if storage_class:
        # Clusters from before 1.6 read the annotation.
        annotations['volume.beta.kubernetes.io/storage-class'] = storage_class
        spec.storage_class_name = storage_class
    return V1PersistentVolumeClaim(
        api_version='v1',
        kind='PersistentVolumeClaim',
        metadata=V1ObjectMeta(name=name, labels=_strings(labels), annotations=annotations),
        spec=spec,
    )
