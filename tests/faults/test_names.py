"""Names of pods, claims and label values for 100,000 pairs of user and server: valid, distinct, and for ever the same.

A pod or a claim that is called differently after an upgrade is a lost server, or a lost home directory. What they are
called is in names.json: a checksum for each thousand pairs, and one of them to look at. After a change on purpose:
`UPDATE_NAMES=1 pytest tests/faults/test_names.py`. The pairs come from `getrandbits`, which is the same on each Python.
"""
import hashlib
import json
import os
import random
import re

import pytest

from kubespawner import KubeSpawner, naming
from tests.cluster.conftest import make_spawner

NAMES = os.path.join(os.path.dirname(__file__), 'names.json')
PAIRS, BLOCK, LONGEST = 100000, 1000, 200
LENGTHS = [6, 6, 6, 6, 6, 12, 12, 12, 12, 12, 12, 24, 24, 24, 60, LONGEST]  # at most, each as often as it stands here

DNS_LABEL = re.compile(r'[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z')
LABEL_VALUE = re.compile(r'[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z')


def characters(*ranges):
    return [chr(code) for first, last in ranges for code in range(first, last + 1)]


ALPHABETS = [
    characters((0x20, 0x7e)),
    characters((0x61, 0x7a), (0x30, 0x39)),
    list('aAbB'),
    list('-0123456789abcdef'),
    list('-a4'),
    ['-40', '-2d', '--', '-', 'a', '40', '2d', '@'],
    list('.@_+-') + characters((0x61, 0x7a)),
    characters((0xc0, 0x17f)),
    characters((0x61, 0x65), (0x300, 0x32f)),
    characters((0x4e00, 0x9fa5)),
    characters((0x1f300, 0x1f64f), (0x10000, 0x1005d)),
    characters((0x0, 0x1f), (0x7f, 0xa0), (0x2028, 0x202e)),
    characters((0xd800, 0xdfff)),
    ['{username}', '{', '}', '%s', '$(x)', '`', '/', '..', ',', '=', '\n'],
]


class Pairs:
    """An endless source of pairs of user and server, each of which resembles the one before or is quite another."""

    def __init__(self, seed):
        self._bits = random.Random(seed).getrandbits
        self._last = ('a', '')

    def _below(self, limit):
        return self._bits(32) % limit

    def _name(self):
        length = 1 + self._below(LENGTHS[self._below(len(LENGTHS))])
        alphabet = ALPHABETS[self._below(len(ALPHABETS))]
        return ''.join(alphabet[self._below(len(alphabet))] for _ in range(length))[:LONGEST]

    def __iter__(self):
        while True:
            user, server = self._next(self._below(10), *self._last)
            if user and max(len(user), len(server)) <= LONGEST:
                self._last = user, server
                yield self._last

    def _next(self, relation, user, server):
        """Return a pair that is related to this one so that some rule might take them for the same."""
        cut = self._below(len(user) + len(server) + 1)
        return {
            0: lambda: (user.swapcase(), server),
            1: lambda: (user, server.swapcase()),
            2: lambda: (server, user),
            3: lambda: ((user + server)[:cut], (user + server)[cut:]),
            4: lambda: (user + '-' + server, ''),
            5: lambda: (user + self._name()[:3], server),
            6: lambda: (''.join('-%02x' % ord(c) for c in user), server),
            7: lambda: (self._name(), ''),
        }.get(relation, lambda: (self._name(), self._name()))()


def distinct_pairs():
    seen = set()
    for pair in Pairs(2018):
        if pair not in seen:
            seen.add(pair)
            yield pair
            if len(seen) == PAIRS:
                return


def label_of(name):
    return naming.label_value(naming.escape(name))


def names_of(user, server):
    """Return what a pair's pod and claim are called, and the label values of user and server."""
    fields = naming.template_fields(user, 7, server)
    pod, claim = (naming.object_name(naming.expand(template, fields)) for template in (
        KubeSpawner.pod_name_template.default_value, KubeSpawner.pvc_name_template.default_value))
    return pod, claim, label_of(user), label_of(server) if server else ''


@pytest.fixture(scope='module')
def named():
    """All pairs with their names: (user, server, names)."""
    return [(user, server, names_of(user, server)) for user, server in distinct_pairs()]


def test_all_names_are_valid(named):
    for user, server, (pod, claim, user_label, server_label) in named:
        assert DNS_LABEL.match(pod) and DNS_LABEL.match(claim), (user, server)
        assert LABEL_VALUE.match(user_label) and (LABEL_VALUE.match(server_label) or not server), (user, server)


def test_different_servers_never_share_a_pod_or_a_claim(named):
    assert len({names[0] for _, _, names in named}) == PAIRS
    assert len({names[1] for _, _, names in named}) == PAIRS


def test_different_users_never_share_a_label_value_nor_do_different_servers(named):
    users = {user: names[2] for user, _, names in named}
    servers = {server: names[3] for _, server, names in named}
    assert len(set(users.values())) == len(users)
    assert len(set(servers.values())) == len(servers)


def test_names_are_what_they_always_were(named):
    blocks = [named[start:start + BLOCK] for start in range(0, PAIRS, BLOCK)]
    now = {'blocks': [{
        'sha256': hashlib.sha256('\n'.join(' '.join(names) for _, _, names in block).encode('ascii')).hexdigest(),
        'first': [ascii(block[0][0]), ascii(block[0][1])] + list(block[0][2]),
    } for block in blocks]}
    if os.environ.get('UPDATE_NAMES'):
        with open(NAMES, 'w') as f:
            f.write(json.dumps(now, indent=1) + '\n')
    with open(NAMES) as f:
        assert now == json.load(f)


def test_a_spawner_calls_its_pod_and_claim_so(named):
    class Spawner(KubeSpawner):
        pod_reflector = None

    for user, server, (pod, claim, user_label, server_label) in named[::PAIRS // 200]:
        spawner = make_spawner(Spawner, user, server)
        labels = spawner._build_common_labels({})
        assert (spawner.pod_name, spawner.pvc_name) == (pod, claim)
        assert labels['hub.jupyter.org/username'] == user_label
        assert labels.get('hub.jupyter.org/servername', '') == server_label
