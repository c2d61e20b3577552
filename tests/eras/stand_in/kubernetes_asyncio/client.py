"""Some of the models, with some of their fields."""
import re


def _model(kind, **types):
    """Return a class with fields of these types, None unless given; it knows what the API calls them."""
    def __init__(self, local_vars_configuration=None, **fields):  # noqa: N807
        self.local_vars_configuration = local_vars_configuration
        for attribute in types:
            setattr(self, '_' + attribute, fields.pop(attribute, None))
        assert not fields, fields

    def field(attribute):
        return property(lambda self: getattr(self, '_' + attribute),
                        lambda self, value: setattr(self, '_' + attribute, value))

    keys = {attribute: re.sub('_(.)', lambda match: match.group(1).upper(), attribute) for attribute in types}
    return type(kind, (), dict({attribute: field(attribute) for attribute in types},
                               __init__=__init__, openapi_types=types, attribute_map=keys))


V1Capabilities = _model('V1Capabilities', add='list[str]', drop='list[str]')
V1SecurityContext = _model('V1SecurityContext', capabilities='V1Capabilities', privileged='bool', run_as_user='int')
V1VolumeMount = _model('V1VolumeMount', mount_path='str', name='str', read_only='bool')
V1Container = _model('V1Container', command='list[str]', image='str', image_pull_policy='str', name='str',
                     security_context='V1SecurityContext', volume_mounts='list[V1VolumeMount]')
V1PersistentVolumeClaimVolumeSource = _model('V1PersistentVolumeClaimVolumeSource', claim_name='str', read_only='bool')
V1Volume = _model('V1Volume', name='str', persistent_volume_claim='V1PersistentVolumeClaimVolumeSource')
V1ExecAction = _model('V1ExecAction', command='list[str]')
V1LifecycleHandler = _model('V1LifecycleHandler', _exec='V1ExecAction')
V1LifecycleHandler.attribute_map = {'_exec': 'exec'}
V1Lifecycle = _model('V1Lifecycle', post_start='V1LifecycleHandler', pre_stop='V1LifecycleHandler')
V1PodSpec = _model('V1PodSpec', containers='list[V1Container]', hostname='str')
