"""`kubespawner manifest`: prints, compares or checks what a start would create. It creates nothing.

Exit codes: 0; 1 if there are differences (--diff), or if the API server refuses something (--dry-run); 2 if a server
cannot be started with the configuration, something cannot be compared, or the arguments make no sense. Runs on the main
thread.
"""
import os
import sys

from ..checks import find_problems
from ..messages.errors import one_line
from . import contexts
from .arguments import who
from .cluster import Cluster, NoAnswer
from .configured import CannotBeUsed, Log, is_of_problems, is_set, load
from .documents import differences, dump, heading, sections
from .dry_run import check_version, dry_run
from .live import Comparison
from .rehearsal import choices
from .rehearsal.clients import recording
from .rehearsal.start import StepFailed, rehearse

FINE, DIFFERENT, BROKEN = 0, 1, 2
REFUSED = DIFFERENT


def main(arguments):
    """Run the command with its parsed arguments; return the exit code."""
    try:
        cluster = _cluster_to_compare(arguments.diff)
        servers = _rehearsed(arguments)
        if cluster:
            return _compare_with_cluster(arguments, cluster, servers)
        if arguments.dry_run:
            return _dry_run(servers)
        if arguments.diff:
            return _compare(arguments, _text(arguments, servers))
        sys.stdout.write(_text(arguments, servers))
        return BROKEN if servers.has_failed else FINE
    except (CannotBeUsed, NoAnswer) as e:
        say(e)
        return BROKEN


def say(text):
    """Print a line to standard error."""
    print('kubespawner manifest: %s' % text, file=sys.stderr)


class Servers(list):
    """Pairs of the title of a choice and its Rehearsal. has_failed (bool): whether others could not be started."""

    has_failed = False


def _rehearsed(arguments):
    """Return the Servers of the choices that are meant. What fails is said on standard error."""
    whose, servers, problems = who(arguments), Servers(), []
    with recording() as recorder:
        configured = load(arguments.config, Log(lambda text: is_of_problems(text, problems) or say(text)))
        problems += _checked(configured)
        for choice in _choices(configured, whose, arguments):
            try:
                servers.append((choice.title, rehearse(configured, recorder, whose, choice.options)))
            except StepFailed as e:
                servers.has_failed = True
                say('%s: %s' % (choice.title, e))
    if not servers:
        raise CannotBeUsed('No server can be started with this configuration.')
    return servers


def _checked(configured):
    """Say what is wrong with values, and return it. Raises CannotBeUsed if a hub would not start with them."""
    problems = find_problems(configured.app.config, configured.spawner_class)
    for problem in problems:
        say('%s: %s' % (configured.path, problem.sentence))
    if any(problem.is_fatal for problem in problems):
        raise CannotBeUsed('%s: no server could start with this configuration, so the hub would not start.'
                           % configured.path)
    return problems


def _choices(configured, whose, arguments):
    """Return the Choices that the arguments mean."""
    offered, options = choices.offered(configured, whose), dict(arguments.option)
    if arguments.profile and not offered and not _may_offer_later(configured):
        raise CannotBeUsed('--profile %s: %s has no profile_list.' % (arguments.profile[0], configured.path))
    if arguments.all_profiles or arguments.diff and not (arguments.profile or options):
        return choices.all_choices(offered)
    slugs = arguments.profile or ([] if 'profile' in options else [None])
    if not (arguments.profile or options):
        default = next((each for each in offered if each['default']), None)
        return [choices.chosen(default) if default else choices.USUAL]
    return [_named(offered, slug, options) for slug in slugs or [options.pop('profile')]]


def _may_offer_later(configured):
    """Return whether a subclass or a function of the operator may decide at a start which profiles there are."""
    cls = configured.spawner_class
    return is_set('options_form', configured.app.config, cls) or cls.__module__.split('.')[0] != __name__.split('.')[0]


def _named(offered, slug, options):
    """Return the Choice of a profile (None: the default) and of options, as a user makes it."""
    title = ', '.join(['profile %s' % slug if slug else 'the default'] + ['%s %s' % item for item in
                                                                         sorted(options.items())])
    return choices.Choice(one_line(title), choices.with_unlisted(
        offered, dict(options, profile=slug) if slug else options))


def _text(arguments, servers):
    """Return the output."""
    return ''.join(heading(arguments.user, arguments.server, title) + dump(rehearsal.shown)
                   for title, rehearsal in servers)


def _compare(arguments, text):
    try:
        with open(arguments.diff, encoding='utf8') as f:
            before = sections(f.read())
    except (OSError, ValueError) as e:
        raise CannotBeUsed('--diff %s: %s' % (arguments.diff, getattr(e, 'strerror', None) or e))
    after = sections(text)
    if arguments.profile or arguments.option:  # the others were not asked for
        before = {name: documents for name, documents in before.items() if name in after}
    found = differences(before, after)
    sys.stdout.write('\n'.join(found))
    return DIFFERENT if found else FINE


def _cluster_to_compare(name):
    """Return the Cluster of a context; None for a file, which has precedence. Raises CannotBeUsed for neither."""
    if name is None or os.path.exists(name) and not os.path.isdir(name):
        return None
    known, location = contexts.names(), contexts.location()
    if name in known:
        return contexts.cluster_of(name)
    raise CannotBeUsed('--diff %s: there is neither a file nor a context of this name. The contexts of the kubeconfig '
                       '%s: %s' % (name, location, ', '.join(known) or 'none'))


def _compare_with_cluster(arguments, cluster, servers):
    comparison, is_different = Comparison(cluster), False
    for title, rehearsal in servers:
        found = comparison.differences(rehearsal)
        is_different = is_different or bool(found)
        if found:
            sys.stdout.write(heading(arguments.user, arguments.server, title) + ''.join(found))
    for text in comparison.notes + comparison.refused:
        say(text)
    return BROKEN if servers.has_failed or comparison.refused else DIFFERENT if is_different else FINE


def _dry_run(servers):
    spawner = servers[0][1].spawner
    cluster = Cluster(host=spawner.k8s_api_host, ssl_ca_cert=spawner.k8s_api_ssl_ca_cert,
                      verify_ssl=spawner.k8s_api_verify_ssl)
    check_version(cluster)
    is_refused = False
    for title, rehearsal in servers:
        for outcome in dry_run(cluster, rehearsal.objects):
            is_refused = is_refused or outcome.is_refused
            for line in outcome.lines:
                print('%s: %s: %s' % (title, outcome.name, one_line(line)))
    return REFUSED if is_refused else BROKEN if servers.has_failed else FINE
