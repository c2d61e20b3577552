"""Runs the checks, in the order of a table, and prints what they find.

Exit codes: 0; 1 if something is broken; 2 if the arguments make no sense.
"""
import json
import os
import socket
import sys
from collections import OrderedDict, namedtuple

import kubernetes
from jupyterhub import __version__ as hub_version

from ...checks import find_problems
from ...configuration.aliases import canonical_name
from ...messages.errors import one_line
from ...parts.installation import others_in
from ...proxy import KubeIngressProxy
from ..arguments import who
from ..cluster import DRY_RUN_SINCE, Cluster, NoAnswer
from ..configured import CannotBeUsed, is_of_problems, load
from ..rehearsal import choices
from ..rehearsal.clients import recording
from ..rehearsal.start import StepFailed, rehearse
from . import answers, configuration, hub, installation, objects, pods, rights, room, routes, with_pod
from .findings import BROKEN, FINE, UNKNOWN, WARNING, broken, fine, unknown

COLORS = {FINE: '32', WARNING: '33', BROKEN: '31', UNKNOWN: '36'}

PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class Patient(namedtuple('Patient', 'configured problems rehearsals failures')):
    """What is looked at.

    configured (Configured). problems (list of Problem). rehearsals (dict): a Rehearsal by the title of each choice.
    failures (dict): a sentence by the title of each choice that cannot be started.
    """

    __slots__ = ()

    @property
    def spawner(self):
        return next(iter(self.rehearsals.values())).spawner

    @property
    def pods(self):
        return OrderedDict((title, each.pod) for title, each in self.rehearsals.items())

    @property
    def readable(self):
        """The pods in which all values are of the right types, by title: what others name cannot be read."""
        return OrderedDict((title, pod) for title, pod in self.pods.items() if not pods.has_wrong_types(pod))

    def of_kind(self, kind):
        """Return the objects of a kind that each choice creates, lists by its title."""
        return OrderedDict((title, [obj for obj in each.objects if obj['kind'] == kind])
                           for title, each in self.rehearsals.items())

    @property
    def created(self):
        """Kind and name of all that starts create, a set."""
        return {(obj['kind'], obj['metadata']['name']) for each in self.rehearsals.values() for obj in each.objects}

    @property
    def kinds(self):
        """Group and kind of all that starts create, a set; the group of the core is empty."""
        return {(obj['apiVersion'].rpartition('/')[0], obj['kind'])
                for each in self.rehearsals.values() for obj in each.objects}

    @property
    def namespaces(self):
        """The namespaces of pods that starts do not create, in order."""
        return sorted({pod['metadata']['namespace'] for pod in self.pods.values()} - {
            name for kind, name in self.created if kind == 'Namespace'})

    @property
    def distinct(self):
        """The objects of choices by title, without those that are as those of another choice."""
        found, seen = OrderedDict(), set()
        for title, each in self.rehearsals.items():
            text = json.dumps(each.shown, sort_keys=True)
            if text not in seen:
                seen.add(text)
                found[title] = each.objects
        return found


# Checks that need no cluster: of a Patient.

def check_settings(patient):
    return configuration.settings(patient.problems)


def check_log(patient):
    told = [problem.sentence for problem in patient.problems] + list(patient.failures.values())
    return configuration.logged([text for text in patient.configured.log.texts
                                 if not is_of_problems(text, patient.problems)], told)


def check_starts(patient):
    return configuration.starts(list(patient.rehearsals) + list(patient.failures), patient.failures)


def check_installation(patient):
    return installation.files(others_in(PACKAGES), PACKAGES)


def check_pods(patient):
    named = {canonical_name(problem.setting.rpartition('.')[2]) for problem in patient.problems}
    return pods.check(patient.pods, [check for check, settings in pods.TOLD_BY_SETTINGS.items() if named & settings])


def check_claims(patient):
    claims = patient.of_kind('PersistentVolumeClaim')
    return pods.check_claims(patient.readable, {title: claims[title] for title in patient.readable})


def check_images(patient):
    return installation.images({pod['spec']['containers'][0].get('image', '') for pod in patient.pods.values()},
                               hub_version)


def check_hub(patient, pods_are_here=False):
    return hub.address(patient.spawner.accessible_hub_api_url, patient.configured.app.hub.ip,
                       socket.gethostname(), pods_are_here)


# Checks of a cluster: of a Patient, a Cluster and its version.

def check_versions(patient, cluster, version):
    return installation.versions(hub_version, kubernetes.__version__, version)


def check_namespaces(patient, cluster, version):
    return [finding for name in patient.namespaces for finding in objects.namespace(cluster, name)]


def check_rights(patient, cluster, version):
    needed = rights.needed([each.spawner for each in patient.rehearsals.values()], patient.kinds)
    if patient.spawner.enable_user_namespaces:
        return rights.check_of_namespaces(cluster, needed, next(iter(patient.pods.values()))['metadata']['namespace'])
    return [finding for name in patient.namespaces for finding in rights.check(cluster, needed, name)]


def check_routes(patient, cluster, version):
    app = patient.configured.app
    if not issubclass(app.proxy_class, KubeIngressProxy):
        return []
    proxy = app.proxy_class(parent=app, app=app, hub=app.hub, log=app.log)
    return routes.check(cluster, version, proxy.namespace, proxy.ingress_class_name, patient.namespaces)


def check_references(patient, cluster, version):
    new = {name for kind, name in patient.created if kind == 'Namespace'}
    wanted = {each for pod in patient.readable.values() for each in objects.references(pod, patient.created)
              if each.namespace not in new}
    return objects.referenced(cluster, wanted)


def check_storage(patient, cluster, version):
    claims = [claim for each in patient.of_kind('PersistentVolumeClaim').values() for claim in each]
    return objects.storage(cluster, claims) if claims else []


def check_quotas(patient, cluster, version):
    readable, claims = patient.readable, patient.of_kind('PersistentVolumeClaim')
    return [finding for name in patient.namespaces for finding in room.quotas(
        cluster, name, {title: pod for title, pod in readable.items() if pod['metadata']['namespace'] == name}, claims)]


def check_answers(patient, cluster, version):
    if version < DRY_RUN_SINCE:
        return [unknown('Kubernetes %d.%d cannot be asked what it makes of objects without creating them.' % version)]
    return answers.check(cluster, patient.distinct)


LOCAL_CHECKS = [('settings', check_settings), ('log', check_log), ('profiles', check_starts),
                ('installation', check_installation)]
CHECKS_OF_STARTS = [('pods', check_pods), ('claims', check_claims), ('images', check_images)]
CLUSTER_CHECKS = [('versions', check_versions), ('namespace', check_namespaces), ('rights', check_rights),
                  ('routes', check_routes), ('objects', check_references), ('storage', check_storage),
                  ('quota', check_quotas), ('dry run', check_answers)]


def main(arguments):
    """Run the command with its parsed arguments; return the exit code."""
    output = Output(arguments.json)
    for check, finding in findings(arguments):
        output.add(check, finding)
    return output.end()


def findings(arguments):
    """Generate pairs of the name of a check and a Finding."""
    try:
        patient = _patient(arguments)
    except CannotBeUsed as e:
        yield 'configuration', broken(str(e))
        return
    yield 'configuration', fine('%s can be loaded, with %s as the spawner.' % (
        arguments.config, patient.configured.spawner_class.__name__))
    checks = LOCAL_CHECKS + (CHECKS_OF_STARTS if patient.rehearsals else [])
    for name, check in checks:
        yield from _all(name, check, patient)
    if patient.rehearsals:
        yield from _all('hub', check_hub, patient) if arguments.offline else _of_cluster(arguments, patient)


def _of_cluster(arguments, patient):
    spawner = patient.spawner
    try:
        cluster = Cluster(arguments.as_user, host=spawner.k8s_api_host, ssl_ca_cert=spawner.k8s_api_ssl_ca_cert,
                          verify_ssl=spawner.k8s_api_verify_ssl)
        version, pods_are_here = cluster.version(), cluster.is_localkube()
    except NoAnswer as e:
        yield from _all('hub', check_hub, patient)
        yield 'API server', broken('The API server cannot be used: %s' % e,
                                   'Check KUBECONFIG, or the service account of the hub. Without a cluster: --offline')
        return
    yield from _all('hub', check_hub, patient, pods_are_here)
    yield 'API server', fine('%s answers.' % cluster.host)
    for name, check in CLUSTER_CHECKS:
        yield from _all(name, check, patient, cluster, version)
    yield from _all('nodes', lambda: room.nodes(cluster, patient.readable, arguments.autoscaler))
    if arguments.with_pod:
        yield from _all('pod', lambda: with_pod.check(
            cluster, next(iter(patient.pods.values())), spawner.accessible_hub_api_url))


def _all(name, check, *arguments):
    """Generate what a check finds; if the server answers it no longer, that."""
    try:
        for finding in check(*arguments):
            yield name, finding
    except NoAnswer as e:
        yield name, unknown('The API server does not answer: %s' % e)
    except Exception as e:  # an answer such as no server gives; the other checks go on
        yield name, unknown('This could not be checked: %s: %s' % (type(e).__name__, one_line(e)))


def _patient(arguments):
    """Return what is looked at. Raises CannotBeUsed."""
    whose, rehearsals, failures = who(arguments), OrderedDict(), OrderedDict()
    with recording() as recorder:
        configured = load(arguments.config)
        problems = find_problems(configured.app.config, configured.spawner_class)
        try:
            wanted = choices.all_choices(choices.offered(configured, whose))
        except CannotBeUsed as e:
            wanted, failures['all'] = [], str(e)
        for choice in wanted:
            try:
                rehearsals[choice.title] = rehearse(configured, recorder, whose, choice.options)
            except StepFailed as e:
                failures[choice.title] = str(e)
    return Patient(configured, problems, rehearsals, failures)


class Output:
    """Prints findings: a line each, with the advice below it, or all of them as JSON at the end."""

    def __init__(self, as_json, stream=None):
        self._as_json, self._stream = as_json, stream or sys.stdout
        self._found = []
        self._has_colors = self._stream.isatty() and not os.environ.get('NO_COLOR')

    def add(self, check, finding):
        self._found.append(OrderedDict([('check', check)] + list(finding._asdict().items())))
        if not self._as_json:
            self._print(check, finding)

    def _print(self, check, finding):
        level = '%-7s' % finding.level
        if self._has_colors:
            level = '\x1b[%sm%s\x1b[0m' % (COLORS[finding.level], level)
        lines = ['%s  %s: %s' % (level, check, finding.sentence)]
        if finding.advice:
            lines.append('%s  %s' % (' ' * 7, finding.advice))
        print('\n'.join(lines), file=self._stream)
        self._stream.flush()

    def end(self):
        """Print the end; return the exit code."""
        counts = {level: len([each for each in self._found if each['level'] == level]) for level in COLORS}
        if self._as_json:
            print(json.dumps({'findings': self._found, 'broken': counts[BROKEN]}, indent=2), file=self._stream)
        return 1 if counts[BROKEN] else 0
