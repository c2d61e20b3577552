"""Checks of the values of settings: one table of pure functions, by the name of the trait.

Here belongs what Kubernetes would refuse in every pod, or what would fail at every start. Each function returns the
rest of a sentence that begins with the name of the setting, see `sentence`, or None if it finds nothing. It never
repeats a value of the environment: some are secret. What may still be a template, or a function, is left for the start
to judge. With what may be wrong, but does not keep servers from starting, the rest of the sentence is a `Doubt`.
"""
import ipaddress
import re

import jinja2

from .. import naming
from ..arguments import DEEPEST, KINDS, ArgumentError, fields, objects
from ..configuration.cluster import is_url_of_api
from ..kube import clients
from ..kube.fields import camel_case
from ..kube.quantities import is_quantity, value_of

PULL_POLICIES = ('Always', 'IfNotPresent', 'Never')
ACCESS_MODES = ('ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod')
LIFECYCLE = ('postStart', 'preStop', 'post_start', 'pre_stop', 'stopSignal', 'stop_signal')
TOLERATION_OPERATORS = ('Equal', 'Exists', 'Lt', 'Gt')
TAINT_EFFECTS = ('NoSchedule', 'PreferNoSchedule', 'NoExecute')

LARGEST_ID = 2 ** 31 - 1  # of a user or a group

DNS_SUBDOMAIN = re.compile(r'(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z')
VARIABLE = re.compile(r'[-._a-zA-Z][-._a-zA-Z0-9]*\Z')
NEWER_VARIABLE = re.compile(r'[ -<>-~]+\Z')  # since Kubernetes 1.32
HOST = re.compile(r'[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\.?\Z')
NO_TEXT = re.compile('[\0\ud800-\udfff]')  # NUL, and halves of characters, which UTF-8 does not have


class Doubt(str):
    """A problem with a value that does not keep servers from starting."""


def one_of(*allowed):
    """Return a check: a string, or each of a list of strings, must be one of these."""
    def check(value):
        for each in [value] if isinstance(value, str) else value:
            if each not in allowed:
                return 'contains %.100r; it must be one of %s.' % (each, ', '.join(filter(None, allowed)))
    return check


def matches(is_one, what):
    """Return a check: a string, or each of a list of strings, must be one, unless it may be a template.

    is_one (callable): of a string, returns a true value if it is.
    """
    def check(value):
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(each, str) and '{' not in each and not is_one(each):
                return 'is %.100r, which is not %s.' % (each, what)
    return check


def doubtful(check):
    """Return a check whose problem does not keep servers from starting."""
    def doubt(value):
        problem = check(value)
        return problem and Doubt(problem)
    return doubt


def at_least_zero(value):
    """A number, or each of a list of numbers, must not be negative."""
    for each in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(each, (int, float)) and each < 0:
            return 'is %r; it must not be negative.' % (each,)


def positive(value):
    """A number must be more than zero."""
    if isinstance(value, (int, float)) and value <= 0:
        return 'is %r; it must be more than 0.' % (value,)


def at_most(most):
    """Return a check: a number, or each of a list of numbers, must not be greater."""
    def check(value):
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(each, (int, float)) and each > most:
                return 'is %r; it must not be more than %d.' % (each, most)
    return check


def quantities(value):
    """The values of resources must be quantities that are not negative."""
    for name, quantity in value.items():
        if isinstance(quantity, (str, int, float)) and not isinstance(quantity, bool):
            number = value_of(quantity)
            if number is None or number < 0:
                return 'gives the resource %.100r the value %.100r, which is not a quantity such as 1 or 10Gi.' % (
                    name, quantity)


def no_blanks(value):
    """A name of an image must not contain blanks."""
    if re.search(r'\s', value):
        return 'is %.100r; the name of an image contains no blanks.' % value


def not_empty(value):
    """A string must not be empty."""
    if value == '':
        return 'is empty.'


def labels(value):
    """The keys and values of labels must be what Kubernetes accepts; values may be templates."""
    problem = _keys(value, str)
    if problem:
        return problem
    for key, label in value.items():
        if isinstance(label, str) and '{' not in label and not naming.is_label_value(label):
            return ('gives the label %r the value %.100r. A value consists of at most 63 letters, digits, "-", "_" and '
                    '".", and begins and ends with a letter or a digit.' % (key, label))


def annotations(value):
    """The keys of annotations must be what Kubernetes accepts, which ignores case there."""
    return _keys(value, str.lower)


def _is_name_of_label(text):
    return text != '' and naming.is_label_value(text)


def _keys(value, spelled):
    for key in value:
        prefix, slash, name = spelled(key).rpartition('/') if isinstance(key, str) else ('', '', '')
        if not _is_name_of_label(name) or slash and not DNS_SUBDOMAIN.match(prefix):
            return ('contains the key %.100r. A key is a name of at most 63 letters, digits, "-", "_" and "."; a '
                    'domain and "/" may precede it.' % (key,))


def environment(value):
    """Variables must have names and values that a container can get. Values of most kinds become strings."""
    for name, content in value.items():
        is_model = hasattr(type(content), 'attribute_map')
        if not (is_model or callable(content)) and _has_no_text(content):
            return ('gives the variable %s a %s. It must be a string, a number, a dict of an EnvVar object, or a '
                    'function.' % (name, type(content).__name__))
    problems = [problem for name in value for problem in [_name_of_variable(name)] if problem]
    return next((problem for problem in problems if not isinstance(problem, Doubt)), next(iter(problems), None))


def _name_of_variable(name):
    if not (isinstance(name, str) and NEWER_VARIABLE.match(name)):
        return 'contains the variable %.100r. A name consists of printable ASCII characters other than "=".' % (name,)
    if not VARIABLE.match(name):
        return Doubt('contains the variable %.100r. Before version 1.32, Kubernetes only accepts names of letters, '
                     'digits, "-", "_" and "." that do not begin with a digit.' % name)


def _has_no_text(value):
    """Return whether the text of an object is only its class and its address in memory."""
    return (type(value).__str__, type(value).__repr__) == (object.__str__, object.__repr__)


def ip(value):
    """What a server listens on must be an IP address or the name of a host."""
    try:
        ipaddress.ip_address(value.strip('[]'))
    except ValueError:
        if value and value != '*' and '{' not in value and not HOST.match(value):
            return 'is %.100r, which is neither an IP address nor the name of a host.' % value


def host_of_hub(value):
    """What pods connect to must be a host alone: its port is another setting."""
    try:
        ipaddress.ip_address(value.strip('[]'))
    except ValueError:
        host, colon, port = value.partition(':')
        if value and not HOST.match(host) or colon and not port.isdigit():
            return 'is %.100r; it must be the name of a host or an IP address, without a scheme or a path.' % value
        if colon:
            return Doubt('is %.100r. Set KubeSpawner.hub_connect_port to the port.' % value)


def host_template(value):
    """A template must be able to become a host."""
    wrong = re.search('[^-A-Za-z0-9_.:{}\\[\\]]', value)
    if wrong:
        return 'is %.100r, but the name of a host cannot contain %r.' % (value, wrong.group())


def lifecycle(value):
    """Lifecycle hooks should be known ones: Kubernetes ignores others."""
    for key in value:
        if key not in LIFECYCLE:
            return Doubt('contains %.100r, which has no effect; a lifecycle has postStart and preStop.' % (key,))


def form_template(value):
    """A template of a form should be one that Jinja2 can read. Servers also start without a form."""
    try:
        jinja2.Environment().parse(value)
    except jinja2.TemplateError as e:
        return Doubt('is no template of Jinja2: %s (line %s).' % (e, getattr(e, 'lineno', '?')))


def tolerations(value):
    """Tolerations must have a known operator and effect."""
    for item in objects_of(value):
        if item.get('operator') not in (None, '') + TOLERATION_OPERATORS:
            return 'contains the operator %.100r; it must be one of %s.' % (
                item['operator'], ', '.join(TOLERATION_OPERATORS))
        if item.get('effect') not in (None, '') + TAINT_EFFECTS:
            return 'contains the effect %.100r; it must be one of %s.' % (item['effect'], ', '.join(TAINT_EFFECTS))


def terms(*alternatives):
    """Return a check: each term must have all fields of one of the alternatives, in camelCase or snake_case."""
    def check(value):
        for item in objects_of(value):
            present = {camel_case(key) for key in item if isinstance(key, str)}
            if item and not any(present.issuperset(names) for names in alternatives):
                return 'contains a term without %s.' % ' or '.join(' and '.join(names) for names in alternatives)
    return check


def objects_of(value):
    """Return the dicts in a list of objects, or in a dict of them."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return [item for item in items if isinstance(item, dict)]


def objects_for(argument):
    """Return a check: a value must be a list of Kubernetes objects as `make_pod` takes it for an argument."""
    return _taken_by(lambda value: objects(argument, value))


def fields_for(argument):
    """Return a check: a value must be a dict of a Kubernetes object's fields as `make_pod` takes it."""
    return _taken_by(lambda value: fields(clients.model(KINDS[argument]), argument, value))


def _taken_by(take):
    def check(value):
        try:
            take(value)
        except ArgumentError as e:
            return e.problem
    return check


def weights(value):
    """The weights of preferred terms must be in the range that Kubernetes knows."""
    for item in objects_of(value):
        weight = item.get('weight', 1)
        if isinstance(weight, int) and not 1 <= weight <= 100:
            return 'contains the weight %r; it must be from 1 to 100.' % weight


def directory(value):
    """A directory in a container must be an absolute path. Kubernetes allows no colon in it."""
    if not value.startswith('/') or ':' in value or value.strip('/') == '':
        return 'is %.100r; it must be the absolute path of a directory, without a colon.' % value


def secret_variables(value):
    """A list of variables should name some, and patterns name none."""
    if value == []:
        return Doubt('is an empty list, which means the same as True. Set it to True, or to the names of variables.')
    for name in value if isinstance(value, list) else ():
        problem = _name_of_variable(name)
        if problem:
            return Doubt(problem)


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


# Empty is as if it was not set.
EMPTY_OR_SUBDOMAIN = re.compile(r'\Z|' + DNS_SUBDOMAIN.pattern).match
ACCOUNT = matches(EMPTY_OR_SUBDOMAIN, 'a name that Kubernetes accepts: a-z, 0-9, "-" and "."')
NAMESPACE = matches(naming.is_dns_label, 'the name of a namespace: at most 63 of a-z, 0-9 and "-"')

# By the documented names of traits.
CHECKS = {
    'allow_privilege_escalation': (),
    'common_labels': (labels,),
    'container_security_context': (fields_for('container_security_context'),),
    'component_label': (not_empty, matches(_is_name_of_label, 'the value of a label')),
    'cpu_guarantee': (at_least_zero,),
    'cpu_limit': (at_least_zero,),
    'delete_grace_period': (at_least_zero,),
    'dns_name_template': (not_empty, host_template),
    'environment': (environment,),
    'extra_resource_guarantees': (quantities,),
    'extra_resource_limits': (quantities,),
    'gid': (at_least_zero, at_most(LARGEST_ID)),
    'hub_connect_ip': (host_of_hub,),
    'ip': (ip,),
    'k8s_api_host': (matches(is_url_of_api, 'a URL such as https://10.0.0.1:6443'),),
    'mem_guarantee': (at_least_zero,),
    'mem_limit': (at_least_zero,),
    'namespace': (not_empty, NAMESPACE),
    'node_affinity_preferred': (objects_for('node_affinity_preferred'), terms(('weight', 'preference')), weights),
    'node_affinity_required': (objects_for('node_affinity_required'), terms(('matchExpressions',), ('matchFields',))),
    'pod_affinity_preferred': (objects_for('pod_affinity_preferred'), terms(('weight', 'podAffinityTerm')), weights),
    'pod_affinity_required': (objects_for('pod_affinity_required'), terms(('topologyKey',))),
    'pod_anti_affinity_preferred': (
        objects_for('pod_anti_affinity_preferred'), terms(('weight', 'podAffinityTerm')), weights),
    'pod_anti_affinity_required': (objects_for('pod_anti_affinity_required'), terms(('topologyKey',))),
    'pod_connect_ip': (host_template,),
    'pod_name_template': (not_empty,),
    'pod_security_context': (fields_for('pod_security_context'),),
    'priority_class_name': (ACCOUNT,),
    'profile_form_template': (form_template,),
    'pvc_name_template': (not_empty,),
    'scheduler_name': (doubtful(ACCOUNT),),  # Kubernetes leaves the names to schedulers
    'secret_environment': (secret_variables,),
    'secret_mount_path': (directory,),
    'secret_name_template': (not_empty,),
    'singleuser_extra_annotations': (annotations,),
    'singleuser_extra_container_config': (fields_for('extra_container_config'),),
    'singleuser_extra_containers': (objects_for('extra_containers'),),
    'singleuser_extra_labels': (labels,),
    'singleuser_extra_pod_config': (fields_for('extra_pod_config'),),
    'singleuser_fs_gid': (at_least_zero, at_most(LARGEST_ID)),
    'singleuser_image_pull_policy': (one_of('', *PULL_POLICIES),),
    'singleuser_image_pull_secrets': (doubtful(ACCOUNT),),  # the image may be there, or public
    'singleuser_image_spec': (not_empty, no_blanks),
    'singleuser_init_containers': (objects_for('init_containers'),),
    'singleuser_lifecycle_hooks': (lifecycle,),
    'singleuser_node_selector': (labels,),
    'singleuser_service_account': (ACCOUNT,),
    'singleuser_supplemental_gids': (at_least_zero, at_most(LARGEST_ID)),
    'singleuser_uid': (at_least_zero, at_most(LARGEST_ID)),
    'start_timeout': (positive,),
    'storage_extra_annotations': (annotations,),
    'tolerations': (objects_for('tolerations'), tolerations),
    'uid': (at_least_zero, at_most(LARGEST_ID)),
    'user_namespace_annotations': (annotations,),
    'user_namespace_labels': (labels,),
    'user_namespace_template': (not_empty,),
    'user_storage_access_modes': (one_of(*ACCESS_MODES),),
    'user_storage_capacity': (matches(is_quantity, 'a quantity such as 10Gi'),),
    'user_storage_class': (matches(EMPTY_OR_SUBDOMAIN, 'the name of a storage class'),),
    'user_storage_extra_labels': (labels,),
    'volume_mounts': (objects_for('volume_mounts'), terms(('name', 'mountPath'))),
    'volumes': (objects_for('volumes'), terms(('name',))),
}

# Settings that have an effect only with another one, by the name of that.
ONLY_WITH = {
    'enable_user_namespaces': ('user_namespace_annotations', 'user_namespace_labels', 'user_namespace_template'),
    'user_storage_pvc_ensure': (
        'pvc_name_template', 'storage_extra_annotations', 'user_storage_access_modes', 'user_storage_capacity',
        'user_storage_class', 'user_storage_extra_labels'),
}

# Those of them that other settings may use all the same: volumes name claims that somebody else has made.
USED_WITHOUT = frozenset(['pvc_name_template'])

# Settings by which a server can get other values than those that are configured.
REPLACING = frozenset([
    'apply_user_options', 'auth_state_hook', 'group_overrides', 'modify_pod_hook', 'options_from_form',
    'pre_spawn_hook', 'profile_list'])

# Pairs of traits, of which the first must not be more than the second, with the resource that they are numbers of.
NOT_MORE = [('cpu_guarantee', 'cpu_limit', 'cpu'), ('mem_guarantee', 'mem_limit', 'memory')]

# The same for the values of dicts, by resource.
NOT_MORE_OF_EACH = 'extra_resource_guarantees', 'extra_resource_limits'


def sentence(name, problem):
    """Return the sentence about the setting of a name. problem (str): the rest of it, such as `is empty.`"""
    return name + problem if problem.startswith((':', '[')) else '%s %s' % (name, problem)


def problem_of(trait, value):
    """Return what is wrong with a value of the trait of that name, as the rest of a sentence; None if nothing is."""
    if value is None or callable(value):
        return None
    for check in (any_value,) + CHECKS.get(trait, ()):
        problem = check(value)
        if problem:
            return problem
