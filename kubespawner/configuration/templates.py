"""Which settings are templates, whose fields are filled in for each server. Nothing is expanded here."""

# As far as each start needs them, and those that only claims need.
TEMPLATES = ['pod_name_template', 'pod_connect_ip', 'volumes', 'volume_mounts', 'singleuser_extra_labels',
             'singleuser_extra_annotations', 'secret_name_template']
TEMPLATES_OF_CLAIMS = ['pvc_name_template', 'user_storage_extra_labels', 'storage_extra_annotations']
