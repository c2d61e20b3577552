"""Which fields the objects of a pod have, how each is spelled, and what is in it.

Here belongs what is known of Kubernetes' schema: what the models of the installed client say, and a table of what the
oldest client lacks, so that every client knows the same. Objects themselves are in `resource`. Pure; any thread.
"""
import functools
import re
from collections import namedtuple

from kubernetes import client

# The fields that the oldest client does not know, by kind, each with its type as models name it; that of numbers,
# strings and booleans is left out. What an installed client lacks it is taught, see `clients.model`.
NEWER_FIELDS = {kind: dict(field.partition(':')[::2] for field in fields.split()) for kind, fields in {
    'CoreV1ResourceClaim': 'name request',
    'V1AppArmorProfile': 'localhostProfile type',
    'V1CSIVolumeSource': 'driver fsType nodePublishSecretRef:V1LocalObjectReference readOnly volumeAttributes',
    'V1CinderVolumeSource': 'secretRef:V1LocalObjectReference',
    'V1ClaimSource': 'resourceClaimName resourceClaimTemplateName',
    'V1ClusterTrustBundleProjection': 'labelSelector:V1LabelSelector name optional path signerName user',
    'V1ConfigMapVolumeSource': 'defaultUser',
    'V1Container': 'resizePolicy:List[V1ContainerResizePolicy] restartPolicy '
                   'restartPolicyRules:List[V1ContainerRestartRule] startupProbe:V1Probe '
                   'volumeDevices:List[V1VolumeDevice]',
    'V1ContainerResizePolicy': 'resourceName restartPolicy',
    'V1ContainerRestartRule': 'action exitCodes:V1ContainerRestartRuleOnExitCodes',
    'V1ContainerRestartRuleOnExitCodes': 'operator values',
    'V1DownwardAPIVolumeFile': 'user',
    'V1DownwardAPIVolumeSource': 'defaultUser',
    'V1EmptyDirVolumeSource': 'mode',
    'V1EnvVarSource': 'fileKeyRef:V1FileKeySelector',
    'V1EphemeralContainer': 'args command env:List[V1EnvVar] envFrom:List[V1EnvFromSource] image imagePullPolicy '
                            'lifecycle:V1Lifecycle livenessProbe:V1Probe name ports:List[V1ContainerPort] '
                            'readinessProbe:V1Probe resizePolicy:List[V1ContainerResizePolicy] '
                            'resources:V1ResourceRequirements restartPolicy '
                            'restartPolicyRules:List[V1ContainerRestartRule] securityContext:V1SecurityContext '
                            'startupProbe:V1Probe stdin stdinOnce targetContainerName terminationMessagePath '
                            'terminationMessagePolicy tty volumeDevices:List[V1VolumeDevice] '
                            'volumeMounts:List[V1VolumeMount] workingDir',
    'V1EphemeralVolumeSource': 'volumeClaimTemplate:V1PersistentVolumeClaimTemplate',
    'V1EvictionResponder': 'name priority',
    'V1FileKeySelector': 'key optional path volumeName',
    'V1GRPCAction': 'mode port service',
    'V1HTTPGetAction': 'protocol',
    'V1ImageVolumeSource': 'pullPolicy reference',
    'V1KeyToPath': 'user',
    'V1Lifecycle': 'stopSignal',
    'V1LifecycleHandler': 'sleep:V1SleepAction',
    'V1ManagedFieldsEntry': 'apiVersion fieldsType fieldsV1 manager operation subresource time',
    'V1NodeSelectorTerm': 'matchFields:List[V1NodeSelectorRequirement]',
    'V1ObjectMeta': 'managedFields:List[V1ManagedFieldsEntry]',
    'V1PersistentVolumeClaimSpec': 'dataSource:V1TypedLocalObjectReference dataSourceRef:V1TypedObjectReference '
                                   'volumeAttributesClassName volumeMode',
    'V1PersistentVolumeClaimTemplate': 'metadata:V1ObjectMeta spec:V1PersistentVolumeClaimSpec',
    'V1PodAffinityTerm': 'matchLabelKeys mismatchLabelKeys namespaceSelector:V1LabelSelector',
    'V1PodCertificateProjection': 'certificateChainPath credentialBundlePath keyPath keyType maxExpirationSeconds '
                                  'signerName user userAnnotations',
    'V1PodDNSConfig': 'nameservers options:List[V1PodDNSConfigOption] searches',
    'V1PodDNSConfigOption': 'name value',
    'V1PodOS': 'name',
    'V1PodReadinessGate': 'conditionType',
    'V1PodResourceClaim': 'name resourceClaimName resourceClaimTemplateName source:V1ClaimSource',
    'V1PodSchedulingGate': 'name',
    'V1PodSchedulingGroup': 'podGroupName',
    'V1PodSecurityContext': 'appArmorProfile:V1AppArmorProfile fsGroupChangePolicy runAsGroup seLinuxChangePolicy '
                            'seccompProfile:V1SeccompProfile supplementalGroupsPolicy sysctls:List[V1Sysctl] '
                            'windowsOptions:V1WindowsSecurityContextOptions',
    'V1PodSpec': 'dnsConfig:V1PodDNSConfig enableServiceLinks ephemeralContainers:List[V1EphemeralContainer] '
                 'evictionResponders:List[V1EvictionResponder] hostUsers hostnameOverride os:V1PodOS overhead '
                 'preemptionPolicy readinessGates:List[V1PodReadinessGate] resourceClaims:List[V1PodResourceClaim] '
                 'resources:V1ResourceRequirements runtimeClassName schedulingGates:List[V1PodSchedulingGate] '
                 'schedulingGroup:V1PodSchedulingGroup setHostnameAsFQDN shareProcessNamespace '
                 'topologySpreadConstraints:List[V1TopologySpreadConstraint]',
    'V1Probe': 'grpc:V1GRPCAction terminationGracePeriodSeconds',
    'V1ProjectedVolumeSource': 'defaultUser',
    'V1QuobyteVolumeSource': 'tenant',
    'V1ResourceRequirements': 'claims:List[CoreV1ResourceClaim]',
    'V1SeccompProfile': 'localhostProfile type',
    'V1SecretVolumeSource': 'defaultUser',
    'V1SecurityContext': 'appArmorProfile:V1AppArmorProfile procMount runAsGroup seccompProfile:V1SeccompProfile '
                         'windowsOptions:V1WindowsSecurityContextOptions',
    'V1ServiceAccountTokenProjection': 'audience expirationSeconds path user',
    'V1SleepAction': 'seconds',
    'V1Sysctl': 'name value',
    'V1TopologySpreadConstraint': 'labelSelector:V1LabelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy '
                                  'nodeTaintsPolicy topologyKey whenUnsatisfiable',
    'V1TypedLocalObjectReference': 'apiGroup kind name',
    'V1TypedObjectReference': 'apiGroup kind name namespace',
    'V1Volume': 'csi:V1CSIVolumeSource ephemeral:V1EphemeralVolumeSource image:V1ImageVolumeSource',
    'V1VolumeDevice': 'devicePath name',
    'V1VolumeMount': 'bindMountOptions recursiveReadOnly subPathExpr',
    'V1VolumeProjection': 'clusterTrustBundle:V1ClusterTrustBundleProjection podCertificate:V1PodCertificateProjection '
                          'serviceAccountToken:V1ServiceAccountTokenProjection',
    'V1WindowsSecurityContextOptions': 'gmsaCredentialSpec gmsaCredentialSpecName hostProcess runAsUserName',
}.items()}

# What some clients call a kind of that table.
OTHER_NAMES = {'V1Handler': 'V1LifecycleHandler', 'V1ResourceClaim': 'CoreV1ResourceClaim'}

_LIST = re.compile(r'list\[(.*)\]\Z', re.IGNORECASE)
_KIND = re.compile(r'(Core)?V\d\w*\Z')


class Kind(namedtuple('Kind', 'name attributes keys types')):
    """The known fields of a kind of object.

    name (str): as its model is called, such as `V1Container`.
    attributes (dict of str): the key of each field by its attribute, as the client's models call it.
    keys (dict of str): the key of each field by every other spelling that it has.
    types (dict): of the fields with objects in them, by key: a pair of whether it is a list, and the objects' kind.
    """


@functools.lru_cache(maxsize=None)
def kind_of(name):
    """Return the Kind of a name, such as `V1Container`; one without fields if nobody knows it."""
    model, newer = getattr(client, name, None), NEWER_FIELDS.get(OTHER_NAMES.get(name, name), {})
    attributes = dict(getattr(model, 'attribute_map', {}))
    types = {attributes[attribute]: type_ for attribute, type_ in types_of(model).items()}
    attributes.update((attribute_of(key), key) for key in newer if key not in types)
    types.update((key, type_) for key, type_ in newer.items() if type_ or key not in types)
    keys = {spelling: key for attribute, key in attributes.items()
            for spelling in (attribute, attribute_of(key), _attribute_of_old_clients(key)) if spelling != key}
    parsed = {key: _parsed(type_) for key, type_ in types.items()}
    return Kind(name, attributes, keys, {key: type_ for key, type_ in parsed.items() if type_})


def types_of(model):
    """Return the types of a model's fields by attribute, as the client writes them; {} for None."""
    return getattr(model, 'openapi_types', None) or getattr(model, 'swagger_types', {})


def _parsed(type_):
    """Return a type of `Kind.types`; None for one without objects, or of which the keys are the user's own."""
    listed = _LIST.match(type_)
    name = listed.group(1) if listed else type_
    return (bool(listed), name) if _KIND.match(name) else None


def camel_case(attribute):
    """Return how the API spells most attributes of models: `host_path` is `hostPath` (but `pod_ip` is `podIP`)."""
    return re.sub('_+(.)', lambda found: found.group(1).upper(), attribute.strip('_'))


def attribute_of(key):
    """Return the attribute of a model for a key of the API: `hostIPC` is `host_ipc`."""
    return re.sub('(?<=[a-z])(?=[A-Z])', '_', key).lower()


def _attribute_of_old_clients(key):
    """Return what clients before 37 call it where it is something else: `targetWWNs` is `target_ww_ns`."""
    return re.sub('([a-z0-9])([A-Z])', r'\1_\2', re.sub('(.)([A-Z][a-z]+)', r'\1_\2', key)).lower()
