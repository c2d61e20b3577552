"""What values of settings must be like: one table of pure functions, by the name of the trait.

Here belongs what Kubernetes would refuse in every pod, or what would fail at every start. Each function returns the
rest of a sentence that begins with the name of the setting, or None if it finds nothing. It never repeats a value of
the environment: some are secret. What may still be a template, or a function, is left for the start to judge.
"""
import ipaddress
import re

import jinja2

from ..messages.unsupported import SERVICES_ENABLED

PULL_POLICIES = ('Always', 'IfNotPresent', 'Never')
ACCESS_MODES = ('ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod')
LIFECYCLE = ('postStart', 'preStop', 'post_start', 'pre_stop', 'stopSignal', 'stop_signal')
TAINT_EFFECTS = ('NoSchedule', 'PreferNoSchedule', 'NoExecute')

DEEPEST = 50  # levels of lists and dicts; Kubernetes' own objects have about 15

QUANTITY = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?\Z')
DNS_LABEL = re.compile(r'[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z')
DNS_SUBDOMAIN = re.compile(r'(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z')
LABEL_NAME = re.compile(r'[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z')
VARIABLE = re.compile(r'[-._a-zA-Z][-._a-zA-Z0-9]*\Z')
HOST = re.compile(r'[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\.?\Z')
NO_TEXT = re.compile('[\0\ud800-\udfff]')  # NUL, and halves of characters, which UTF-8 does not have


def one_of(*allowed):
    """Return a check: a string, or each of a list of strings, must be one of these."""
    def check(value):
        for each in [value] if isinstance(value, str) else value:
            if each not in allowed:
                return 'contains %.100r; it must be one of %s.' % (each, ', '.join(allowed))
    return check


def matches(pattern, what):
    """Return a check: a string, or each of a list of strings, must match, unless it may be a template."""
    def check(value):
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(each, str) and '{' not in each and not pattern.match(each):
                return 'is %.100r, which is not %s.' % (each, what)
    return check


def at_least_zero(value):
    """A number, or each of a list of numbers, must not be negative."""
    for each in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(each, (int, float)) and each < 0:
            return 'is %r; it must not be negative.' % (each,)


def not_empty(value):
    """A string must not be empty."""
    if value == '':
        return 'is empty.'


def labels(value):
    """The keys and values of labels must be what Kubernetes accepts; values may be templates."""
    problem = keys(value)
    if problem:
        return problem
    for key, label in value.items():
        if isinstance(label, str) and label and '{' not in label and not LABEL_NAME.match(label):
            return ('gives the label %r the value %.100r. A value consists of at most 63 letters, digits, "-", "_" and '
                    '".", and begins and ends with a letter or a digit.' % (key, label))


def keys(value):
    """The keys of labels and annotations must be what Kubernetes accepts."""
    for key in value:
        prefix, slash, name = key.rpartition('/') if isinstance(key, str) else ('', '', '')
        if not LABEL_NAME.match(name) or slash and not DNS_SUBDOMAIN.match(prefix):
            return ('contains the key %.100r. A key is a name of at most 63 letters, digits, "-", "_" and "."; a '
                    'domain and "/" may precede it.' % (key,))


def environment(value):
    """Variables must have names and values that a container can get."""
    for name, content in value.items():
        if not (isinstance(name, str) and VARIABLE.match(name)):
            return ('contains the variable %.100r. A name consists of letters, digits, "-", "_" and ".", and does not '
                    'begin with a digit.' % (name,))
        is_model = hasattr(type(content), 'attribute_map')
        if not (content is None or callable(content) or is_model or isinstance(content, (str, int, float, dict))):
            return ('gives the variable %s a %s. It must be a string, a number, a dict of an EnvVar object, or a '
                    'function.' % (name, type(content).__name__))


def ip(value):
    """What a server listens on must be an IP address or the name of a host."""
    try:
        ipaddress.ip_address(value.strip('[]'))
    except ValueError:
        if value and value != '*' and '{' not in value and not HOST.match(value):
            return 'is %.100r, which is neither an IP address nor the name of a host.' % value


def host_template(value):
    """A template must be able to become a host."""
    wrong = re.search('[^-A-Za-z0-9_.:{}\\[\\]]', value)
    if wrong:
        return 'is %.100r, but the name of a host cannot contain %r.' % (value, wrong.group())


def lifecycle(value):
    """Lifecycle hooks must be known ones."""
    for key in value:
        if key not in LIFECYCLE:
            return 'contains %.100r; a lifecycle has postStart and preStop.' % (key,)


def form_template(value):
    """A template of a form must be one that Jinja2 can read."""
    try:
        jinja2.Environment().parse(value)
    except jinja2.TemplateError as e:
        return 'is no template of Jinja2: %s (line %s).' % (e, getattr(e, 'lineno', '?'))


def tolerations(value):
    """Tolerations must have a known operator and effect."""
    for item in objects_of(value):
        if item.get('operator', 'Equal') not in ('Equal', 'Exists'):
            return 'contains the operator %.100r; it must be Equal or Exists.' % (item['operator'],)
        if item.get('effect') not in (None, '') + TAINT_EFFECTS:
            return 'contains the effect %.100r; it must be one of %s.' % (item['effect'], ', '.join(TAINT_EFFECTS))


def terms(*alternatives):
    """Return a check: each term must have all fields of one of the alternatives, in camelCase or snake_case."""
    def check(value):
        for item in objects_of(value):
            present = {_camel(key) for key in item if isinstance(key, str)}
            if item and not any(present.issuperset(fields) for fields in alternatives):
                return 'contains a term without %s.' % ' or '.join(' and '.join(fields) for fields in alternatives)
    return check


def objects_of(value):
    """Return the dicts in a list of objects, or in a dict of them."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return [item for item in items if isinstance(item, dict)]


def _camel(key):
    head, *rest = key.split('_')
    return head + ''.join(word[:1].upper() + word[1:] for word in rest)


def not_supported(value):
    """Services are not supported yet."""
    return SERVICES_ENABLED if value else None


def any_value(value, depth=0):
    """Whatever a setting contains must be text that UTF-8 has, and must not contain itself."""
    if isinstance(value, str):
        if NO_TEXT.search(value):
            return 'contains NUL or half of a character, which no pod can have.'
    elif isinstance(value, (dict, list, tuple)):
        if depth == DEEPEST:
            return 'is nested too deeply. Does it contain itself?'
        for item in list(value.values()) + list(value) if isinstance(value, dict) else value:
            problem = any_value(item, depth + 1)
            if problem:
                return problem


ACCOUNT = matches(DNS_SUBDOMAIN, 'a name that Kubernetes accepts: a-z, 0-9, "-" and "."')
NAMESPACE = matches(DNS_LABEL, 'the name of a namespace: at most 63 of a-z, 0-9 and "-"')

# By the documented names of traits.
CHECKS = {
    'allow_privilege_escalation': (),
    'common_labels': (labels,),
    'component_label': (not_empty, matches(LABEL_NAME, 'the value of a label')),
    'cpu_guarantee': (at_least_zero,),
    'cpu_limit': (at_least_zero,),
    'delete_grace_period': (at_least_zero,),
    'environment': (environment,),
    'gid': (at_least_zero,),
    'ip': (ip,),
    'mem_guarantee': (at_least_zero,),
    'mem_limit': (at_least_zero,),
    'namespace': (not_empty, NAMESPACE),
    'node_affinity_preferred': (terms(('weight', 'preference')),),
    'node_affinity_required': (terms(('matchExpressions',), ('matchFields',)),),
    'pod_affinity_preferred': (terms(('weight', 'podAffinityTerm')),),
    'pod_affinity_required': (terms(('topologyKey',)),),
    'pod_anti_affinity_preferred': (terms(('weight', 'podAffinityTerm')),),
    'pod_anti_affinity_required': (terms(('topologyKey',)),),
    'pod_connect_ip': (host_template,),
    'pod_name_template': (not_empty,),
    'priority_class_name': (ACCOUNT,),
    'profile_form_template': (form_template,),
    'pvc_name_template': (not_empty,),
    'scheduler_name': (ACCOUNT,),
    'services_enabled': (not_supported,),
    'singleuser_extra_annotations': (keys,),
    'singleuser_extra_labels': (labels,),
    'singleuser_fs_gid': (at_least_zero,),
    'singleuser_image_pull_policy': (one_of(*PULL_POLICIES),),
    'singleuser_image_pull_secrets': (ACCOUNT,),
    'singleuser_image_spec': (not_empty,),
    'singleuser_lifecycle_hooks': (lifecycle,),
    'singleuser_node_selector': (labels,),
    'singleuser_service_account': (ACCOUNT,),
    'singleuser_supplemental_gids': (at_least_zero,),
    'singleuser_uid': (at_least_zero,),
    'storage_extra_annotations': (keys,),
    'tolerations': (tolerations,),
    'uid': (at_least_zero,),
    'user_namespace_annotations': (keys,),
    'user_namespace_labels': (labels,),
    'user_namespace_template': (not_empty,),
    'user_storage_access_modes': (one_of(*ACCESS_MODES),),
    'user_storage_capacity': (matches(QUANTITY, 'a quantity such as 10Gi'),),
    'user_storage_class': (matches(re.compile(r'\Z|' + DNS_SUBDOMAIN.pattern), 'the name of a storage class'),),
    'user_storage_extra_labels': (labels,),
}

# Pairs of traits, of which the first must not be more than the second.
NOT_MORE = [('cpu_guarantee', 'cpu_limit'), ('mem_guarantee', 'mem_limit')]


def problem_of(trait, value):
    """Return what is wrong with a value of the trait of that name, as the rest of a sentence; None if nothing is."""
    if value is None or callable(value):
        return None
    for check in (any_value,) + CHECKS.get(trait, ()):
        problem = check(value)
        if problem:
            return problem
