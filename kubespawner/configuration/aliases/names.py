"""The table of what settings were called in other years."""

# The documented name of a trait, and all its names from the newest to the oldest.
NAMES = {trait: [newer, trait] for trait, newer in [
    ('singleuser_' + name, name) for name in [
        'working_dir', 'service_account', 'extra_labels', 'extra_annotations', 'image_pull_policy',
        'image_pull_secrets', 'node_selector', 'fs_gid', 'supplemental_gids', 'privileged', 'lifecycle_hooks',
        'init_containers', 'extra_container_config', 'extra_pod_config', 'extra_containers']
] + [
    ('user_' + name, name) for name in [
        'storage_class', 'storage_capacity', 'storage_pvc_ensure', 'storage_extra_labels', 'storage_access_modes']
]}
NAMES.update({
    'singleuser_image_spec': ['image', 'image_spec', 'singleuser_image_spec'],
    'allow_privilege_escalation': ['allow_privilege_escalation', 'singleuser_allow_privilege_escalation'],
    'namespace': ['namespace', 'kube_namespace'],
    'hub_connect_ip': ['hub_connect_ip', 'hub_ip_connect'],
    'k8s_api_host': ['k8s_api_host', 'kube_api_endpoint'],
    'k8s_api_ssl_ca_cert': ['k8s_api_ssl_ca_cert', 'kube_ca_path'],
    'slow_spawn_message_threshold': ['slow_spawn_message_threshold', 'slow_spawn_message_after'],
    'cpu_guarantee': ['cpu_guarantee', 'cpu_request'],
    'mem_guarantee': ['mem_guarantee', 'mem_request'],
    'delete_grace_period': ['delete_grace_period', 'kube_termination_grace'],
})

# The documented name by any name; only by names that are not documented.
SETTINGS = {name: trait for trait, names in NAMES.items() for name in names}
OTHER = {name: trait for name, trait in SETTINGS.items() if name != trait}


def canonical_name(name):
    """Return what the trait of any name is called here."""
    return OTHER.get(name, name)
