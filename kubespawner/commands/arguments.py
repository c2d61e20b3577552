"""Arguments of the commands on a configuration. Pure, but for the file of --auth-state.

To import JupyterHub takes seconds. Nothing here needs it, so that whoever asks for help does not wait.
"""
import argparse
import json


class Who:
    """Whose server is started.

    user, server (str): their names; '' is the default server.
    groups (list of str), is_admin (bool): of the user.
    auth_state (dict or None): what the authenticator kept at the last login.
    """

    def __init__(self, user='ann', server='', groups=(), is_admin=False, auth_state=None):
        self.user, self.server, self.groups = user, server, list(groups)
        self.is_admin, self.auth_state = is_admin, auth_state


def of_manifest(argv):
    """Return the arguments of `kubespawner manifest`. Ends the process if they make no sense, or ask for help."""
    parser = _new_parser('manifest', (
        'Print as YAML what a start of a server would create in Kubernetes, after profiles, hooks and templates. '
        'Neither a hub nor a cluster is needed, and nothing is created. The hooks of the configuration run.'))
    parser.add_argument('--profile', metavar='SLUG', action='append', default=[],
                        help='the profile that the user chooses; may be repeated (default: the default profile)')
    parser.add_argument('--option', metavar='KEY=VALUE', type=_pair, action='append', default=[],
                        help='the choice of an option of the profile; may be repeated')
    parser.add_argument('--all-profiles', action='store_true',
                        help='all profiles: each with its defaults, and with each other choice of each option in turn')
    parser.add_argument('--dry-run', action='store_true',
                        help='send the objects to the API server with dryRun=All, which creates nothing, and print '
                             'what it changes, warns of and refuses')
    parser.add_argument('--diff', metavar='FILE|CONTEXT',
                        help='print the differences to an earlier output (FILE), or to what is in the cluster of a '
                             'context of the kubeconfig (CONTEXT), for each choice; all choices are compared unless '
                             '--profile or --option is given')
    arguments = parser.parse_args(argv)
    if arguments.all_profiles and (arguments.profile or arguments.option):
        parser.error('--all-profiles goes with neither --profile nor --option')
    if arguments.diff and arguments.dry_run:
        parser.error('--diff does not go with --dry-run')
    return arguments


def of_doctor(argv):
    """Return the arguments of `kubespawner doctor`. Ends the process if they make no sense, or ask for help."""
    parser = _new_parser('doctor', (
        'Check the configuration of a hub, and the cluster that it is for: one line for each finding. Nothing is '
        'created, unless --with-pod is given. The hooks of the configuration run.'))
    parser.add_argument('--as', metavar='USER', dest='as_user',
                        help='ask as this user of Kubernetes, such as system:serviceaccount:NAMESPACE:hub, if the hub '
                             'has another account than this command')
    parser.add_argument('--offline', action='store_true', help='ask no cluster')
    parser.add_argument('--autoscaler', action='store_true', help='nodes may be added: that none fits is a warning')
    parser.add_argument('--with-pod', action='store_true',
                        help='create a pod that connects to the hub, which has to run, and delete it again')
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    arguments = parser.parse_args(argv)
    if arguments.offline and (arguments.with_pod or arguments.as_user):
        parser.error('--offline goes with neither --with-pod nor --as')
    return arguments


def who(arguments):
    """Return whose server is meant, a Who."""
    return Who(arguments.user, arguments.server, arguments.group, arguments.admin, arguments.auth_state)


def _new_parser(command, description):
    """Return a parser with the arguments that say which configuration and whose server are meant."""
    parser = argparse.ArgumentParser(prog='kubespawner ' + command, description=description)
    parser.add_argument('-f', '--config', metavar='FILE', default='jupyterhub_config.py',
                        help='configuration file of the hub (default: jupyterhub_config.py)')
    parser.add_argument('--user', metavar='NAME', type=_name, default='ann', help='name of the user (default: ann)')
    parser.add_argument('--server', metavar='NAME', default='', help='name of a named server (default: none)')
    parser.add_argument('--group', metavar='NAME', action='append', default=[],
                        help='a group that the user is in; may be repeated')
    parser.add_argument('--admin', action='store_true', help='the user is an administrator of the hub')
    parser.add_argument('--auth-state', metavar='FILE', type=_json_object,
                        help='JSON file with the auth_state that hooks get (default: they get None)')
    return parser


def _name(text):
    if not text:
        raise argparse.ArgumentTypeError('a user must have a name')
    return text


def _pair(text):
    """Return (key, value) of KEY=VALUE."""
    key, equals, value = text.partition('=')
    if not (key and equals):
        raise argparse.ArgumentTypeError('%r is not KEY=VALUE' % text)
    return key, value


def _json_object(path):
    try:
        with open(path, encoding='utf8') as f:
            value = json.load(f)
    except (OSError, ValueError) as e:
        raise argparse.ArgumentTypeError('%s: %s' % (path, e))
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('%s: it must contain an object' % path)
    return value
