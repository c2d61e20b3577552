"""A course of 2023 on Kubernetes itself: everybody has a namespace, in which their account may do everything."""
c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.allow_named_servers = True

c.KubeSpawner.enable_user_namespaces = True
c.KubeSpawner.user_namespace_template = 'course-{username}'
c.KubeSpawner.user_namespace_labels = {
    'course.example/part': 'student', 'pod-security.kubernetes.io/enforce': 'baseline'}
c.KubeSpawner.user_namespace_annotations = {'course.example/owner': '{unescaped_username}'}

c.KubeSpawner.image = 'course/kubectl:1.26'
c.KubeSpawner.service_account = 'student'
c.KubeSpawner.pod_name_template = 'lab-{servername}'
c.KubeSpawner.pvc_name_template = 'work-{username}--{servername}'
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '500Mi'
c.KubeSpawner.storage_extra_annotations = {'course.example/user': '{username}', 'course.example/lab': '{servername}'}
c.KubeSpawner.storage_selector = {'matchLabels': {'for': '{username}'}}
c.KubeSpawner.volumes = [{'name': 'work', 'persistentVolumeClaim': {'claimName': 'work-{username}--{servername}'}}]
c.KubeSpawner.volume_mounts = [{'name': 'work', 'mountPath': '/work', 'subPath': '{userid}'}]
c.KubeSpawner.extra_labels = {'course.example/namespace-of': '{username}', 'course.example/lab': 'lab{servername}'}
c.KubeSpawner.extra_annotations = {'course.example/greeting': 'Hello, {unescaped_username}'}
c.KubeSpawner.environment = {
    'NAMESPACE': {'name': 'NAMESPACE', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.namespace'}}},
    'PROMPT': '[{username}/{servername}] ',
}
c.KubeSpawner.fs_gid = 100
c.KubeSpawner.allow_privilege_escalation = True
c.KubeSpawner.privileged = False
c.KubeSpawner.init_containers = [{
    'name': 'kubeconfig',
    'image': 'course/kubectl:1.26',
    'command': ['write-kubeconfig', '--namespace', 'course-{username}'],
    'volumeMounts': [{'name': 'work', 'mountPath': '/work', 'subPath': '{userid}'}],
}]


async def with_token_for(spawner, pod):
    """Give the pod a token of its own audience, which expires."""
    pod.spec.volumes.append({'name': 'token', 'projected': {'sources': [
        {'serviceAccountToken': {'path': 'token', 'audience': 'course', 'expirationSeconds': 3600}}]}})
    pod.spec.containers[0].volume_mounts.append({'name': 'token', 'mountPath': '/var/run/course'})
    return pod


c.KubeSpawner.modify_pod_hook = with_token_for
