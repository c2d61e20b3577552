"""Arguments that commands on a configuration have in common. Pure, but for the file of --auth-state."""
import argparse
import json

from .rehearsal.users import Who


def new_parser(command, description):
    """Return a parser with the arguments that say which configuration and whose server are meant."""
    parser = argparse.ArgumentParser(prog='kubespawner ' + command, description=description)
    parser.add_argument('-f', '--config', metavar='FILE', default='jupyterhub_config.py',
                        help='configuration file of the hub (default: jupyterhub_config.py)')
    parser.add_argument('--user', metavar='NAME', default='ann', help='name of the user (default: ann)')
    parser.add_argument('--server', metavar='NAME', default='', help='name of a named server (default: none)')
    parser.add_argument('--group', metavar='NAME', action='append', default=[],
                        help='a group that the user is in; may be repeated')
    parser.add_argument('--admin', action='store_true', help='the user is an administrator of the hub')
    parser.add_argument('--auth-state', metavar='FILE', type=_json_object,
                        help='JSON file with the auth_state that hooks get (default: they get None)')
    return parser


def who(arguments):
    """Return whose server is meant, a Who."""
    return Who(arguments.user, arguments.server, arguments.group, arguments.admin, arguments.auth_state)


def pair(text):
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
