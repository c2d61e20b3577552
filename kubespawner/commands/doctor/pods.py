"""Mistakes in the pods that starts create, whether a setting, a profile or a hook made them. Pure.

Here belongs what is known without a cluster. The rest is for the API server to say, see `answers`.
"""
import re
from collections import OrderedDict

from ...kube.quantities import value_of
from ..rehearsal.placeholders import TOKEN
from .findings import broken, fine, warning
from .shapes import misspelled, wrong_types

IMAGE = re.compile(r'''
    ([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*(:[0-9]+)?/ |
     \[[0-9A-Fa-f:]+\](:[0-9]+)?/)?                                            # the registry
    [a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*    # the name
    (:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?                                      # the tag
    (@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})?\Z   # the digest
    ''', re.VERBOSE)

_REFERENCE = re.compile(r'\$\$|\$\(([-._a-zA-Z0-9]+)\)')  # $$ is a dollar sign

IMAGES, RESOURCES = 'images', 'resources'

# Settings whose problems say the same as a check.
TOLD_BY_SETTINGS = {
    IMAGES: frozenset(['singleuser_image_spec']),
    RESOURCES: frozenset(['cpu_guarantee', 'extra_resource_guarantees', 'mem_guarantee']),
}


def check(pods, told=()):
    """Check pods (dicts by the titles of choices), without the checks whose names are in `told`."""
    return _of_choices({title: of_pod(pod, told) for title, pod in pods.items()}) or [
        fine('No pod contradicts itself.')]


def check_claims(pods, claims):
    """Check that pods mount the claims (lists of dicts by the titles of choices) that are created for them."""
    return _of_choices({title: list(unmounted(pods[title]['spec'], of_choice)) for title, of_choice in claims.items()})


def _of_choices(findings):
    """Return the Findings of all choices (lists by title), each once, with the choices that it is about."""
    found = OrderedDict()
    for title, of_choice in findings.items():
        for finding in of_choice:
            found.setdefault(finding, []).append(title)
    return [finding._replace(sentence=_whose(titles, len(findings)) + finding.sentence)
            for finding, titles in found.items()]


def _whose(titles, count):
    if len(titles) == count:
        return ''
    more = len(titles) - 1
    return '%s%s: ' % (titles[0], ' and %d more choice%s' % (more, '' if more == 1 else 's') if more else '')


def has_wrong_types(pod):
    """Return whether a value in a pod is of the wrong type."""
    return any(True for _ in wrong_types(pod['spec'], 'V1PodSpec', 'spec'))


def of_pod(pod, told=()):
    """Return the Findings of a pod, a list. With values of the wrong type, nothing else is looked at."""
    wrong = [broken(sentence, ADVICE_OF_TYPES) for sentence in wrong_types(pod['spec'], 'V1PodSpec', 'spec')]
    if wrong:
        return wrong
    found = [warning(sentence) for sentence in misspelled(pod['spec'], 'V1PodSpec', 'spec')]
    return found + [finding for name, function in CHECKS if name not in told for finding in function(pod['spec'])]


ADVICE_OF_TYPES = 'Look for it in the settings, profiles and hooks that add this to the pod.'


def _containers(spec):
    return (spec.get('initContainers') or []) + (spec.get('containers') or [])


def _called(container):
    return 'container %s' % container.get('name')


def _repeated(names):
    """Return the names that occur more than once, in order."""
    names = [name for name in names if name]
    return [name for name in OrderedDict.fromkeys(names) if names.count(name) > 1]


def names_of_containers(spec):
    for name in _repeated(each.get('name') for each in _containers(spec)):
        yield broken('Two containers of the pod have the name %s.' % name, 'Rename one of them.')
    for container in _containers(spec):
        if not container.get('name'):
            yield broken('A container with the image %s has no name.' % container.get('image'), 'Give it a name.')


def names_of_images(spec):
    for container in _containers(spec):
        image = container.get('image')
        if image and not IMAGE.match(image):
            yield broken('The %s has the image %r, a name that no node can pull.' % (_called(container), image),
                         'A name is like registry.example.org/team/image:1: lower case, at most one tag, and no '
                         'https:// before it.')


def volumes(spec):
    listed = spec.get('volumes') or []
    for name in _repeated(volume.get('name') for volume in listed):
        yield broken('Two volumes of the pod have the name %s.' % name,
                     'Rename or remove one in c.KubeSpawner.volumes, or where else the pod gets it.')
    for volume in listed:
        sources = [key for key, value in volume.items() if key != 'name' and value is not None]
        if not sources:
            yield warning('The volume %s says nothing of what it is: Kubernetes makes it an empty directory, which is '
                          'deleted with the pod.' % volume.get('name'),
                          "If that is meant, add 'emptyDir': {}; otherwise name the claim.")
        elif len(sources) > 1:
            yield broken('The volume %s is several things at once: %s.' % (
                volume.get('name'), ', '.join(sorted(sources))), 'Make it one volume for each.')


def unmounted(spec, claims):
    """Generate Findings of claims (dicts) that no container of the pod mounts."""
    mounted = {mount.get('name') for container in _containers(spec) for key in ('volumeMounts', 'volumeDevices')
               for mount in container.get(key) or []}
    used = {(volume.get('persistentVolumeClaim') or {}).get('claimName') for volume in spec.get('volumes') or []
            if volume.get('name') in mounted}
    for claim in claims:
        name = claim['metadata']['name']
        if name not in used:
            yield warning('The claim %s is created, but no container mounts it: what users write is lost when their '
                          'server stops.' % name,
                          "Add it to c.KubeSpawner.volumes, with 'claimName': '{pvc_name}', and to "
                          'c.KubeSpawner.volume_mounts.')


def mounts(spec):
    there = {volume.get('name') for volume in spec.get('volumes') or []}
    for container in _containers(spec):
        listed = container.get('volumeMounts') or []
        for name in OrderedDict.fromkeys(mount.get('name') for mount in listed):
            if name and name not in there:
                yield broken('The %s mounts the volume %s, which the pod does not have.' % (_called(container), name),
                             'Add it to c.KubeSpawner.volumes, or remove it from c.KubeSpawner.volume_mounts.')
        for path in _repeated(mount.get('mountPath') for mount in listed):
            yield broken('The %s mounts two volumes at %s.' % (_called(container), path), 'Choose another mountPath.')


def resources(spec):
    for container in _containers(spec):
        given = container.get('resources') or {}
        for resource, wanted in sorted((given.get('requests') or {}).items()):
            limit = (given.get('limits') or {}).get(resource)
            if None not in (value_of(wanted), value_of(limit)) and value_of(wanted) > value_of(limit):
                yield broken('The %s is guaranteed more %s than its limit: %s and %s.' % (
                    _called(container), resource, wanted, limit), 'Lower the guarantee, or raise the limit.')


def variables(spec):
    for container in _containers(spec):
        listed = container.get('env') or []
        for name in _repeated(variable.get('name') for variable in listed):
            yield warning('The %s has the variable %s twice; the last one counts.' % (_called(container), name),
                          'Remove one, for example from c.KubeSpawner.environment.')
        for i, variable in enumerate(listed):
            yield from _references(container, variable, {each.get('name') for each in listed[:i]}, listed)
            if variable.get('name') == 'JUPYTERHUB_API_TOKEN' and variable.get('value') not in (None, TOKEN):
                yield broken('The %s has a JUPYTERHUB_API_TOKEN that is not the token of its server: the hub refuses '
                             'it.' % _called(container), 'Remove it from c.KubeSpawner.environment.')


def _references(container, variable, before, listed):
    """Generate Findings of what a variable refers to. Kubernetes leaves $(NAME) as it is if NAME is not defined before.
    """
    name = variable.get('name')
    for other in OrderedDict.fromkeys(_REFERENCE.findall(variable.get('value') or '')):
        if other in before or container.get('envFrom'):
            continue
        if other == name:
            yield warning('The variable %s of the %s refers to itself. Kubernetes does not know the value that the '
                          'image gives it, and leaves $(%s) as it is.' % (name, _called(container), name),
                          'Write the whole value.')
        elif other in [each.get('name') for each in listed]:
            yield warning('The variable %s of the %s refers to %s, which is defined after it. Kubernetes leaves $(%s) '
                          'as it is.' % (name, _called(container), other, other), 'Write the value in its place.')


CHECKS = [('names', names_of_containers), (IMAGES, names_of_images), ('volumes', volumes), ('mounts', mounts),
          (RESOURCES, resources), ('variables', variables)]
