"""Processes of this machine that know the names of a cluster's Services.

The machine's own resolv.conf stays as it is: such a process has another one, in mounts of its own. It needs root.
"""

# $1 is the address of the server that knows the names; the rest is the command, which takes the shell's place.
RUN = """\
set -eu
resolv_conf=$(mktemp)
echo "nameserver $1" > "$resolv_conf"
mount --bind "$resolv_conf" /etc/resolv.conf
rm "$resolv_conf"
shift
exec "$@"
"""


def with_cluster_names(server, command):
    """Return the command that runs `command`, a list of words, as a process for which `server` resolves all names.

    It is one process, with the id and the output of the command, and all its children know these names as well.
    server (str): the address of a name server, such as that of `--pod-gateway`.
    """
    return ['unshare', '--mount', 'sh', '-c', RUN, 'sh', server] + [str(word) for word in command]
