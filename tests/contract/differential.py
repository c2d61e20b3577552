"""Two servers, the same requests: what differs in their answers.

`python -m tests.contract.differential --kubeconfig FILE --seeds 1-500` shows differences that differences.py does not
accept, by kind. Requests come from generated.py.
"""
import argparse
import http.client
import json
import re
import ssl
import tempfile
import time
from collections import defaultdict, namedtuple
from urllib.parse import urlencode, urlsplit

from kubespawner.localkube import LocalKube

from .differences import ACCEPTED
from .generated import UID, VERSION, Edit, put_at, scenario
from .helpers import JSON, PATIENCE, Http, created, unique

Reply = namedtuple('Reply', 'code headers body')
Difference = namedtuple('Difference', 'seed step request field first second')

VERSION_OF_LOCALKUBE = '1.20'
COMPARED_HEADERS = ('content-type', 'warning', 'allow', 'retry-after')
UNSTABLE = ('uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'lastTransitionTime', 'managedFields',
            'clusterIP', 'clusterIPs', 'nodePort', 'continue', 'selfLink', 'healthCheckNodePort')
PATTERNS = [(re.compile(pattern), text) for pattern, text in [
    ('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'UID'),
    (r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|\.\d+ [^",)]*| \+0000 UTC)', 'TIME'),
    (r'UID-in-object-meta: .*', 'UID'),
    (r'\(\d+\)', '(NUMBER)'), (r'current: \d+', 'current: NUMBER'),
    (r', error found in #\d+ byte of .*', ''),
]]


class Server:
    """Sends steps over one connection, without a client's checks of the path or the body."""

    def __init__(self, kubeconfig, directory):
        self.http = Http(kubeconfig, directory)
        address = urlsplit(self.http.server)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        kind = http.client.HTTPSConnection if address.scheme == 'https' else http.client.HTTPConnection
        options = {'context': context} if address.scheme == 'https' else {}
        self.connection = kind(address.hostname, address.port, timeout=PATIENCE, **options)
        self.seen = {}

    def forget(self):
        self.seen = {}

    def send(self, step):
        body = self.fill(step.body)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        target = step.path + ('?' + urlencode(step.query) if step.query else '')
        headers = dict({'Accept': JSON, 'Authorization': 'Bearer ' + self.http.token}, **step.headers)
        if body is None:
            headers.pop('Content-Type', None)
        try:
            return self.exchange(step.method, target, body, headers)
        except (http.client.HTTPException, OSError) as error:
            self.connection.close()
            return Reply(0, {}, type(error).__name__)

    def exchange(self, method, target, body, headers):
        self.connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value)
        if body is not None:
            self.connection.putheader('Content-Length', str(len(body)))
        self.connection.endheaders(body)
        response = self.connection.getresponse()
        text = response.read().decode('utf8', 'replace')
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            reply = Reply(response.status, headers, json.loads(text))
        except ValueError:
            return Reply(response.status, headers, text)
        if isinstance(reply.body, dict) and reply.code < 300 and 'uid' in (reply.body.get('metadata') or {}):
            self.seen = reply.body
        return reply

    def fill(self, body):
        """Replace the marks of generated.py by what this server has sent."""
        if isinstance(body, Edit):
            edited = json.loads(json.dumps(self.seen, sort_keys=True))
            for path, value in body.changes:
                put_at(edited, path, value)
            return edited
        if isinstance(body, bytes) or body is None:
            return body
        metadata = self.seen.get('metadata', {})
        text = json.dumps(body).replace(UID, metadata.get('uid', 'none'))
        return json.loads(text.replace(VERSION, metadata.get('resourceVersion', '1')))


def normal(value):
    """Return an answer without what may differ: uids, versions, times, addresses."""
    if isinstance(value, dict):
        return {key: shape(each) if key in UNSTABLE else normal(each) for key, each in value.items()
                if key != 'managedFields'}
    if isinstance(value, list):
        return [normal(each) for each in value]
    if isinstance(value, str):
        for pattern, text in PATTERNS:
            value = pattern.sub(text, value)
    return value


def shape(value):
    return value if value in (None, '', 'None', ['None'], 0) else type(value).__name__


def flat(value, path=''):
    """Yield (path, value) of every leaf."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            for leaf in flat(each, '%s.%s' % (path, key) if path else key):
                yield leaf
    elif isinstance(value, list) and value:
        for i, each in enumerate(value):
            for leaf in flat(each, '%s[%d]' % (path, i)):
                yield leaf
    else:
        yield path, value


def compare(first, second):
    """Yield (field, first value, second value) of what differs in two replies."""
    if first.code != second.code:
        yield 'code', '%s %s' % (first.code, message(first)), '%s %s' % (second.code, message(second))
        return
    for name in COMPARED_HEADERS:
        if first.headers.get(name) != second.headers.get(name):
            yield name, first.headers.get(name), second.headers.get(name)
    one, two = dict(flat(normal(first.body))), dict(flat(normal(second.body)))
    for field in sorted(set(one) | set(two)):
        if field not in one or field not in two or one[field] != two[field]:
            yield field, one.get(field, '<missing>'), two.get(field, '<missing>')


def message(reply):
    return normal(reply.body.get('message', '') if isinstance(reply.body, dict) else reply.body)


def accepted(path, field, first, second):
    return any(each.accepts(path, field, first, second) for each in ACCEPTED)


def answers(step, servers):
    """Send a step to each server; return the replies. Reads of a cache are repeated until it knows the last change."""
    deadline = time.monotonic() + PATIENCE
    while True:
        replies = [server.send(step) for server in servers]
        differ = any(not accepted(step.path, *difference) for difference in compare(*replies))
        if not differ or not may_be_old(step) or time.monotonic() > deadline:
            return replies
        time.sleep(.02)


def may_be_old(step):
    """Whether a real server may answer from its watch cache, which lags behind: it may for any resourceVersion."""
    return step.method == 'GET' and bool(step.query.get('resourceVersion'))


def run(seed, servers, namespace):
    """Yield the Differences of one scenario. A difference in the effect ends it, as later steps would differ, too."""
    for server in servers:
        server.forget()
    for number, step in enumerate(scenario(seed, namespace)):
        replies = answers(step, servers)
        found = list(compare(*replies))
        for field, first, second in found:
            if not accepted(step.path, field, first, second):
                yield Difference(seed, number, step, field, first, second)
        if found and (found[0][0] == 'code' or replies[0].code < 300):
            return  # the objects may differ from here on


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kubeconfig', required=True)
    parser.add_argument('--seeds', default='1-300')
    parser.add_argument('--examples', type=int, default=2)
    options = parser.parse_args()
    begin, end = options.seeds.split('-')
    from .conftest import ready_namespace
    with tempfile.TemporaryDirectory() as directory, LocalKube(kubelet=False, version=VERSION_OF_LOCALKUBE) as kube:
        servers = [Server(options.kubeconfig, directory), Server(kube.kubeconfig, directory)]
        namespace = unique('differential')
        for server in servers:
            created(server.http.post('/api/v1/namespaces', {'metadata': {'name': namespace}}))
            ready_namespace(server.http, namespace)
        report([list(run(seed, servers, namespace)) for seed in range(int(begin), int(end) + 1)], options.examples)


def report(scenarios, examples):
    """Print what differs: one entry for each kind of difference, the most frequent ones last."""
    groups = defaultdict(list)
    for differences in scenarios:
        if differences:
            first = differences[0]
            text = '%.60s' % (first.first,) if first.field in ('code', 'message') else ''
            groups[first.field, re.sub(r'\d+|"[^"]*"', '#', text)].append(differences)
    for (field, _), found in sorted(groups.items(), key=lambda item: len(item[1])):
        print('\n### %d x %s' % (len(found), field))
        for differences in found[:examples]:
            show(differences)
    print(sum(map(len, groups.values())), 'scenarios differ, in', len(groups), 'ways')


def show(differences):
    print(explain(differences[0]))
    for each in differences[1:3]:
        print('   %s\n     %.400s\n     %.400s' % (each.field, each.first, each.second))


def explain(difference):
    """Return what differs, as text."""
    step, body = difference.request, difference.request.body
    headers = {key: value for key, value in step.headers.items() if value != JSON}
    return ' seed %d step %d: %s %s %s %s\n   body %.200s\n   %s\n     %.900s\n     %.900s' % (
        difference.seed, difference.step, step.method, step.path, step.query, headers,
        body if isinstance(body, (bytes, Edit)) else json.dumps(body), difference.field, difference.first,
        difference.second)


if __name__ == '__main__':
    main()
