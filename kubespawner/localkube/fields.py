"""The fields of every object that this API serves, as Kubernetes declares them from 1.20 on.

What belongs here: names and types. What does not: values (defaults.py), rules (validation.py) and the reading of
requests (decoding.py). The table is constant, so any thread may read it.

A line reads `Type field field:type field:type`; fields without a type of their own share the next one's. A type has
the version v1 unless its name ends with another one. Types:

    string int bool time bytes quantity intstr   as in JSON; bytes is base64, and intstr is an int or a string
    number flag                                  an int or a bool, which is left out if it is 0 or false
    text                                         a string that is kept if it is empty; a string is left out
    object                                       any JSON object, which is kept unchanged
    {T}                                          a map from strings to T
    [T]                                          a list that a strategic merge patch replaces
    [T]key                                       a list of objects that a strategic merge patch merges by `key`
    [T]*                                         a list of plain values to which a strategic merge patch adds

`@28` behind a type means that the field is there since Kubernetes 1.28, and `@-25` that it is no longer there in 1.25.
"""
import re
from collections import namedtuple

TABLE = """
Pod metadata:ObjectMeta spec:PodSpec status:PodStatus
PersistentVolumeClaim metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
Event action message reason reportingComponent reportingInstance type:string count:number eventTime firstTimestamp
    lastTimestamp:time involvedObject related:ObjectReference metadata:ObjectMeta series:EventSeries
    source:EventSource
Service metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus
Endpoints metadata:ObjectMeta subsets:[EndpointSubset]
EndpointSlice addressType:string metadata:ObjectMeta endpoints:[Endpoint] ports:[SlicePort]
Endpoint hostname nodeName zone:string addresses:[string] conditions:EndpointConditions deprecatedTopology:{string}
    hints:object targetRef:ObjectReference
EndpointConditions ready serving terminating:bool
SlicePort appProtocol protocol:string name:text port:int
Secret type:string immutable:bool data:{bytes} metadata:ObjectMeta stringData:{string}
ConfigMap immutable:bool binaryData:{bytes} data:{string} metadata:ObjectMeta
Namespace metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus
Node metadata:ObjectMeta spec:NodeSpec status:NodeStatus
Ingress metadata:ObjectMeta spec:IngressSpec status:IngressStatus
Ingress_v1beta1 metadata:ObjectMeta spec:IngressSpec_v1beta1 status:IngressStatus
ResourceQuota metadata:ObjectMeta spec:ResourceQuotaSpec status:ResourceQuotaStatus
ResourceQuotaSpec hard:{quantity} scopes:[string] scopeSelector:ScopeSelector
ResourceQuotaStatus hard used:{quantity}
ScopeSelector matchExpressions:[ScopedResourceSelectorRequirement]
ScopedResourceSelectorRequirement operator scopeName:string values:[string]
LimitRange metadata:ObjectMeta spec:LimitRangeSpec
LimitRangeSpec limits:[LimitRangeItem]
LimitRangeItem type:string default defaultRequest max maxLimitRequestRatio min:{quantity}
Binding metadata:ObjectMeta target:ObjectReference
ServiceAccount metadata:ObjectMeta secrets:[ObjectReference]name imagePullSecrets:[LocalObjectReference]name
    automountServiceAccountToken:bool
Role metadata:ObjectMeta rules:[PolicyRule]
ClusterRole metadata:ObjectMeta rules:[PolicyRule] aggregationRule:AggregationRule
RoleBinding metadata:ObjectMeta subjects:[Subject] roleRef:RoleRef
ClusterRoleBinding metadata:ObjectMeta subjects:[Subject] roleRef:RoleRef
TokenRequest metadata:ObjectMeta spec:TokenRequestSpec status:object
TokenReview metadata:ObjectMeta spec:TokenReviewSpec status:object
SelfSubjectReview metadata:ObjectMeta status:object
SelfSubjectAccessReview metadata:ObjectMeta spec:SubjectAccessReviewSpec status:object
SubjectAccessReview metadata:ObjectMeta spec:SubjectAccessReviewSpec status:object
LocalSubjectAccessReview metadata:ObjectMeta spec:SubjectAccessReviewSpec status:object
SelfSubjectRulesReview metadata:ObjectMeta spec:SelfSubjectRulesReviewSpec status:object
ObjectMeta clusterName:string@-25 generateName name namespace resourceVersion selfLink uid:string
    deletionGracePeriodSeconds generation:int creationTimestamp deletionTimestamp:time annotations labels:{string}
    finalizers:[string]* managedFields:[object] ownerReferences:[OwnerReference]uid
PodSpec dnsPolicy hostname nodeName preemptionPolicy priorityClassName restartPolicy runtimeClassName schedulerName
    serviceAccount serviceAccountName subdomain:string activeDeadlineSeconds priority
    terminationGracePeriodSeconds:int automountServiceAccountToken enableServiceLinks:bool hostIPC hostNetwork
    hostPID:flag setHostnameAsFQDN shareProcessNamespace:bool affinity:Affinity containers
    initContainers:[Container]name dnsConfig:PodDNSConfig ephemeralContainers:[object] hostAliases:[HostAlias]ip
    imagePullSecrets:[LocalObjectReference]name nodeSelector:{string} overhead:{quantity}
    readinessGates:[PodReadinessGate] securityContext:PodSecurityContext tolerations:[Toleration]
    topologySpreadConstraints:[TopologySpreadConstraint]topologyKey volumes:[Volume]name os:PodOS@23 hostUsers:bool@25
    schedulingGates:[PodSchedulingGate]name@26 resourceClaims:[object]name@26 resources:ResourceRequirements@32
    hostnameOverride:text@34
PodStatus hostIP message nominatedNodeName phase podIP qosClass reason:string startTime:time
    conditions:[PodCondition]type containerStatuses ephemeralContainerStatuses initContainerStatuses:[ContainerStatus]
    podIPs:[PodIP]ip hostIPs:[PodIP]@28 observedGeneration:number@33 resize:string@27 resourceClaimStatuses:[object]@28
PolicyRule apiGroups nonResourceURLs resourceNames resources verbs:[string]
AggregationRule clusterRoleSelectors:[LabelSelector]
Subject apiGroup kind name namespace:string
RoleRef apiGroup kind name:string
TokenRequestSpec audiences:[string] expirationSeconds:int boundObjectRef:BoundObjectReference
BoundObjectReference apiVersion kind name uid:string
TokenReviewSpec token:string audiences:[string]
SubjectAccessReviewSpec resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes
    user uid:string groups:[string] extra:object
ResourceAttributes namespace verb group version resource subresource name:string fieldSelector labelSelector:object
NonResourceAttributes path verb:string
SelfSubjectRulesReviewSpec namespace:string
PersistentVolumeClaimSpec storageClassName:text volumeMode volumeName:string accessModes:[string] dataSource:object
    resources:ResourceRequirements selector:LabelSelector dataSourceRef:object@22 volumeAttributesClassName:string@29
PersistentVolumeClaimStatus phase:string accessModes:[string] capacity:{quantity}
    conditions:[PersistentVolumeClaimCondition]type allocatedResources:{quantity}@23
    allocatedResourceStatuses:{string}@28 currentVolumeAttributesClassName:string@29 modifyVolumeStatus:object@29
ObjectReference apiVersion fieldPath kind name namespace resourceVersion uid:string
EventSeries count:int lastObservedTime:time
EventSource component host:string
ServiceSpec clusterIP externalName externalTrafficPolicy ipFamilyPolicy loadBalancerIP sessionAffinity type:string
    healthCheckNodePort:number allocateLoadBalancerNodePorts:bool publishNotReadyAddresses:flag clusterIPs externalIPs
    ipFamilies loadBalancerSourceRanges:[string] topologyKeys:[string]@-22 ports:[ServicePort]port selector:{string}
    sessionAffinityConfig:object internalTrafficPolicy:string@21 loadBalancerClass:string@21
    trafficDistribution:string@30
IngressSpec ingressClassName:text defaultBackend:IngressBackend rules:[IngressRule] tls:[IngressTLS]
IngressSpec_v1beta1 ingressClassName:text backend:IngressBackend_v1beta1 rules:[IngressRule_v1beta1] tls:[IngressTLS]
IngressStatus loadBalancer:LoadBalancerStatus
IngressRule host:string http:HTTPIngressRuleValue
IngressRule_v1beta1 host:string http:HTTPIngressRuleValue_v1beta1
HTTPIngressRuleValue paths:[HTTPIngressPath]
HTTPIngressRuleValue_v1beta1 paths:[HTTPIngressPath_v1beta1]
HTTPIngressPath path:string pathType:text backend:IngressBackend
HTTPIngressPath_v1beta1 path:string pathType:text backend:IngressBackend_v1beta1
IngressBackend service:IngressServiceBackend resource:TypedLocalObjectReference
IngressBackend_v1beta1 serviceName:string servicePort:intstr resource:TypedLocalObjectReference
IngressServiceBackend name:string port:ServiceBackendPort
ServiceBackendPort name:string number:number
TypedLocalObjectReference apiGroup kind name:string
IngressTLS secretName:string hosts:[string]
ServiceStatus conditions:[Condition]type loadBalancer:LoadBalancerStatus
EndpointSubset addresses notReadyAddresses:[EndpointAddress] ports:[EndpointPort]
NamespaceSpec finalizers:[string]
NamespaceStatus phase:string conditions:[NamespaceCondition]type
NodeSpec externalID podCIDR providerID:string unschedulable:flag configSource:object podCIDRs:[string]* taints:[Taint]
NodeStatus phase:string addresses:[NodeAddress]type allocatable capacity:{quantity} conditions:[NodeCondition]type
    config:object daemonEndpoints:NodeDaemonEndpoints images:[ContainerImage] nodeInfo:NodeSystemInfo
    volumesAttached:[AttachedVolume] volumesInUse:[string] features:object@31 runtimeHandlers:[object]@30
OwnerReference apiVersion kind name uid:string blockOwnerDeletion controller:bool
Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
Container image imagePullPolicy name terminationMessagePath terminationMessagePolicy
    workingDir:string stdin stdinOnce tty:flag args command:[string] env:[EnvVar]name envFrom:[EnvFromSource]
    lifecycle:Lifecycle livenessProbe readinessProbe startupProbe:Probe
    ports:[ContainerPort]containerPort resources:ResourceRequirements
    securityContext:SecurityContext volumeDevices:[VolumeDevice]devicePath volumeMounts:[VolumeMount]mountPath
    restartPolicy:string@28 resizePolicy:[object]@27 restartPolicyRules:[object]@34
PodDNSConfig nameservers searches:[string] options:[PodDNSConfigOption]
HostAlias ip:string hostnames:[string]
LocalObjectReference name:string
PodReadinessGate conditionType:string
PodSecurityContext fsGroupChangePolicy:string fsGroup runAsGroup runAsUser:int runAsNonRoot:bool seLinuxOptions
    seccompProfile windowsOptions:object supplementalGroups:[int] sysctls:[Sysctl] appArmorProfile:object@30
    supplementalGroupsPolicy:string@31 seLinuxChangePolicy:string@32
Toleration effect key operator value:string tolerationSeconds:int
TopologySpreadConstraint topologyKey whenUnsatisfiable:string maxSkew:int labelSelector:LabelSelector minDomains:int@24
    nodeAffinityPolicy:string@25 nodeTaintsPolicy:string@25 matchLabelKeys:[string]@25
Volume name:string awsElasticBlockStore azureDisk azureFile cephfs cinder csi ephemeral fc flexVolume
    flocker gcePersistentDisk gitRepo glusterfs iscsi photonPersistentDisk portworxVolume quobyte rbd
    scaleIO storageos vsphereVolume:object configMap:ConfigMapVolumeSource emptyDir:EmptyDirVolumeSource
    hostPath:HostPathVolumeSource nfs:NFSVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource
    secret:SecretVolumeSource downwardAPI:DownwardAPIVolumeSource projected:ProjectedVolumeSource image:object@31
PodCondition message reason status type:string lastProbeTime lastTransitionTime:time observedGeneration:number@33
ContainerStatus containerID:string image imageID name:text restartCount:int ready started:bool lastState
    state:ContainerState allocatedResources:{quantity}@27 resources:ResourceRequirements@27
    volumeMounts:[object]mountPath@30 user:object@31 allocatedResourcesStatus:[object]name@31 stopSignal:string@33
PodIP ip:string
ResourceRequirements limits requests:{quantity} claims:[object]@26
LabelSelector matchExpressions:[LabelSelectorRequirement] matchLabels:{string}
PersistentVolumeClaimCondition message reason status type:string lastProbeTime lastTransitionTime:time
ServicePort appProtocol name protocol:string nodePort:number port:int targetPort:intstr
Condition message reason status type:string observedGeneration:int lastTransitionTime:time
LoadBalancerStatus ingress:[LoadBalancerIngress]
EndpointAddress hostname ip nodeName:string targetRef:ObjectReference
EndpointPort appProtocol name protocol:string port:int
NamespaceCondition message reason status type:string lastTransitionTime:time
Taint effect key value:string timeAdded:time
NodeAddress address type:string
NodeCondition message reason status type:string lastHeartbeatTime lastTransitionTime:time
NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
ContainerImage sizeBytes:int names:[string]
NodeSystemInfo architecture bootID containerRuntimeVersion kernelVersion kubeProxyVersion kubeletVersion machineID
    operatingSystem osImage systemUUID:string swap:object@33
AttachedVolume devicePath name:string
NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:[PreferredSchedulingTerm]
    requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
PodAffinity preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
    requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
    requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
EnvVar name value:string valueFrom:EnvVarSource
EnvFromSource prefix:string configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource
Lifecycle postStart preStop:Handler stopSignal:string@33
Probe failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds:number exec:ExecAction
    httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction@23 terminationGracePeriodSeconds:int@21
ContainerPort hostIP name protocol:string containerPort:int hostPort:number
SecurityContext procMount:string runAsGroup runAsUser:int allowPrivilegeEscalation privileged readOnlyRootFilesystem
    runAsNonRoot:bool capabilities:Capabilities seLinuxOptions seccompProfile windowsOptions:object
    appArmorProfile:object@30
VolumeDevice devicePath name:string
VolumeMount mountPath mountPropagation name subPath subPathExpr:string readOnly:flag recursiveReadOnly:string@30
PodDNSConfigOption name value:string
Sysctl name value:string
ConfigMapVolumeSource name:string defaultMode:int optional:bool items:[KeyToPath]
EmptyDirVolumeSource medium:string sizeLimit:quantity
HostPathVolumeSource path type:string
NFSVolumeSource path server:string readOnly:flag
PersistentVolumeClaimVolumeSource claimName:string readOnly:flag
SecretVolumeSource secretName:string defaultMode:int optional:bool items:[KeyToPath]
DownwardAPIVolumeSource defaultMode:int items:[DownwardAPIVolumeFile]
DownwardAPIVolumeFile path:string mode:int fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector
ProjectedVolumeSource defaultMode:int sources:[VolumeProjection]
VolumeProjection configMap:ConfigMapProjection downwardAPI:DownwardAPIProjection secret:SecretProjection
    serviceAccountToken:ServiceAccountTokenProjection clusterTrustBundle podCertificate:object
ConfigMapProjection name:string optional:bool items:[KeyToPath]
SecretProjection name:string optional:bool items:[KeyToPath]
DownwardAPIProjection items:[DownwardAPIVolumeFile]
ServiceAccountTokenProjection audience path:string expirationSeconds:int
ContainerState running:ContainerStateRunning terminated:ContainerStateTerminated waiting:ContainerStateWaiting
LabelSelectorRequirement key operator:string values:[string]
LoadBalancerIngress hostname ip:string ports:[PortStatus] ipMode:string@29
DaemonEndpoint Port:int
PreferredSchedulingTerm weight:int preference:NodeSelectorTerm
NodeSelector nodeSelectorTerms:[NodeSelectorTerm]
WeightedPodAffinityTerm weight:int podAffinityTerm:PodAffinityTerm
PodAffinityTerm topologyKey:string labelSelector:LabelSelector namespaces:[string] namespaceSelector:LabelSelector@21
    matchLabelKeys:[string]@29 mismatchLabelKeys:[string]@29
EnvVarSource configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector
    secretKeyRef:SecretKeySelector fileKeyRef:object@34
ConfigMapEnvSource name:string optional:bool
SecretEnvSource name:string optional:bool
Handler exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction@29
ExecAction command:[string]
HTTPGetAction host path scheme:string httpHeaders:[HTTPHeader] port:intstr
TCPSocketAction host:string port:intstr
Capabilities add drop:[string]
KeyToPath key path:string mode:int
ContainerStateRunning startedAt:time
ContainerStateTerminated containerID message reason:string exitCode:int signal:number finishedAt startedAt:time
ContainerStateWaiting message reason:string
PortStatus error protocol:string port:int
NodeSelectorTerm matchExpressions matchFields:[NodeSelectorRequirement]
ConfigMapKeySelector key name:string optional:bool
ObjectFieldSelector apiVersion fieldPath:string
ResourceFieldSelector containerName resource:string divisor:quantity
SecretKeySelector key name:string optional:bool
HTTPHeader name value:string
NodeSelectorRequirement key operator:string values:[string]
PodOS name:string
PodSchedulingGate name:string
GRPCAction port:int service:text
SleepAction seconds:int
DeleteOptions gracePeriodSeconds:int preconditions:Preconditions orphanDependents:bool propagationPolicy:text
    dryRun:[string]
Preconditions uid resourceVersion:text
"""

Field = namedtuple('Field', 'shape type merge_key since until')
Field.__doc__ += """: what a field can contain.

shape (str): 'one', 'list' or 'map' of `type`.
type (str): a plain type, or the name of a type of the table.
merge_key (str): the key by which a strategic merge patch merges a list; '*' means as a set, and '' not at all.
since, until (tuple): the first release that has the field, and the first that no longer has it.
"""

NOTATION = re.compile(r'(?:(\w+)|\{(\w+)\}|\[(\w+)\](\*|\w*))(?:@(\d+)|@-(\d+))?\Z')
ALWAYS, NEVER = (1, 0), (2, 0)


def parse_field(notation):
    one, map_of, list_of, merge_key, since, until = NOTATION.match(notation).groups()
    shape = 'one' if one else 'map' if map_of else 'list'
    return Field(shape, one or map_of or list_of, merge_key or '', (1, int(since)) if since else ALWAYS,
                 (1, int(until)) if until else NEVER)


def field_of(type_name, name, release):
    """Return the Field that objects of a type have in a release, or None."""
    field = TYPES[type_name].get(name)
    return field if field and field.since <= release < field.until else None


def parse(table):
    """Return {type name: {field name: Field}}."""
    types = {}
    for line in re.sub(r'\n +', ' ', table).strip().splitlines():
        name, *words = line.split()
        fields = types[name] = {}
        untyped = []
        for word in words:
            field, _, notation = word.partition(':')
            untyped.append(field)
            if notation:
                fields.update(dict.fromkeys(untyped, parse_field(notation)))
                untyped = []
        if name in ROOTS:
            fields.update(apiVersion=parse_field('string'), kind=parse_field('string'))
    return types


ROOTS = ('Pod', 'PersistentVolumeClaim', 'Event', 'Service', 'Endpoints', 'Secret', 'ConfigMap', 'Namespace', 'Node',
         'Binding', 'Ingress', 'Ingress_v1beta1', 'ServiceAccount', 'Role', 'ClusterRole', 'RoleBinding',
         'ClusterRoleBinding', 'TokenRequest', 'TokenReview', 'SelfSubjectReview', 'SelfSubjectAccessReview',
         'SubjectAccessReview', 'LocalSubjectAccessReview', 'SelfSubjectRulesReview', 'ResourceQuota', 'LimitRange',
         'EndpointSlice', 'DeleteOptions')
TYPES = parse(TABLE)

CONDITION = {'type': '', 'status': '', 'lastTransitionTime': None}
ALWAYS_SENT = {  # type -> what its objects have where a request leaves it out
    'PodCondition': dict(CONDITION, lastProbeTime=None),
    'PersistentVolumeClaimCondition': dict(CONDITION, lastProbeTime=None),
    'NodeCondition': dict(CONDITION, lastHeartbeatTime=None),
    'NamespaceCondition': CONDITION,
    'Condition': dict(CONDITION, reason='', message=''),
    'ContainerStatus': {'name': '', 'image': '', 'imageID': '', 'ready': False, 'restartCount': 0, 'state': {},
                        'lastState': {}},
    'ContainerStateRunning': {'startedAt': None},
    'ContainerStateTerminated': {'exitCode': 0, 'startedAt': None, 'finishedAt': None},
    'Event': {'firstTimestamp': None, 'lastTimestamp': None, 'involvedObject': {}},
    'WeightedPodAffinityTerm': {'weight': 0, 'podAffinityTerm': {'topologyKey': ''}},
    'PreferredSchedulingTerm': {'weight': 0, 'preference': {}},
    'NodeSelector': {'nodeSelectorTerms': None},
}
