#!/usr/bin/env python3
"""The names of a cluster's Services, served by a dnsmasq that knows no other names.

names.py KUBECONFIG-AS-JSON DIRECTORY ADDRESS

It follows Services and Endpoints, and writes `hosts` and `dnsmasq.conf` in DIRECTORY. dnsmasq runs as a child of
this process, and answers at port 53 of ADDRESS alone.

* SERVICE.NAMESPACE.svc.cluster.local is the Service's cluster IP; of a headless one, the addresses that are ready.
* HOSTNAME.SERVICE.NAMESPACE.svc.cluster.local is the address of a pod with a hostname, and this Service as subdomain.
* The name of an ExternalName is an alias. What it stands for must be a name of the cluster, for there are no others.
"""
import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from urllib.parse import urlparse

DOMAIN = 'svc.cluster.local'
SILENCE = 300  # seconds, after which a watch is begun anew
PAUSE = 0.3  # seconds between two attempts to reach the API server
LOOK = 1  # seconds between two looks whether dnsmasq still runs

OPTIONS = """\
listen-address={address}
bind-interfaces
no-resolv
no-hosts
addn-hosts={hosts}
local=/#/
user=root
pid-file=
"""


class Cluster:
    """Requests to an API server, as the user of a kubeconfig with a token."""

    def __init__(self, kubeconfig):
        cluster = kubeconfig['clusters'][0]['cluster']
        self.server = urlparse(cluster['server'])
        self.headers = {'Authorization': 'Bearer ' + kubeconfig['users'][0]['user']['token']}
        authority = base64.b64decode(cluster['certificate-authority-data']).decode('ascii')
        self.context = ssl.create_default_context(cadata=authority)

    def get(self, path):
        """Return the answer, an open `http.client.HTTPResponse`; raise OSError unless it is 200."""
        connection = http.client.HTTPSConnection(
            self.server.hostname, self.server.port, timeout=SILENCE + 10, context=self.context)
        connection.request('GET', path, headers=self.headers)
        response = connection.getresponse()
        if response.status != 200:
            raise OSError('%s: %d' % (path, response.status))
        return response


class Objects(threading.Thread):
    """All objects of one kind, kept up to date: `found` is a dict of (namespace, name) to object."""

    def __init__(self, cluster, kind, changed):
        super().__init__(daemon=True)
        self.cluster, self.path, self.changed = cluster, '/api/v1/' + kind, changed
        self.found = None  # until they have been listed once

    def run(self):
        while True:
            try:
                self._watch(self._list())
            except (OSError, ValueError, http.client.HTTPException) as e:
                print('%s: %s' % (self.path, e), flush=True)
            time.sleep(PAUSE)

    def _list(self):
        with self.cluster.get(self.path) as response:
            answer = json.loads(response.read().decode('utf8'))
        self.found = {key(item): item for item in answer['items']}
        self.changed.set()
        return answer['metadata']['resourceVersion']

    def _watch(self, version):
        path = '%s?watch=1&resourceVersion=%s&timeoutSeconds=%d' % (self.path, version, SILENCE)
        with self.cluster.get(path) as response:
            for line in response:
                event = json.loads(line.decode('utf8'))
                if event['type'] == 'ERROR':
                    raise OSError(event['object'].get('message'))
                found = dict(self.found)  # the other thread may be reading
                found.pop(key(event['object']), None)
                if event['type'] != 'DELETED':
                    found[key(event['object'])] = event['object']
                self.found = found
                self.changed.set()


def key(item):
    return item['metadata']['namespace'], item['metadata']['name']


def records(services, endpoints):
    """Return what dnsmasq reads: the lines of a hosts file, and those of a configuration file with the aliases."""
    hosts, aliases = set(), set()
    for (namespace, name), service in services.items():
        spec, full = service['spec'], '%s.%s.%s' % (name, namespace, DOMAIN)
        if spec.get('type') == 'ExternalName':
            aliases.add('cname=%s,%s' % (full, spec['externalName']))
        elif spec.get('clusterIP') == 'None':
            hosts |= set(headless(full, endpoints.get((namespace, name), {})))
        elif spec.get('clusterIP'):
            hosts.add('%s %s' % (spec['clusterIP'], full))
    return ''.join(line + '\n' for line in sorted(hosts)), ''.join(line + '\n' for line in sorted(aliases))


def headless(name, endpoints):
    """Yield the lines of a headless Service."""
    for subset in endpoints.get('subsets') or []:
        for address in subset.get('addresses') or []:
            yield '%s %s' % (address['ip'], name)
            if address.get('hostname'):
                yield '%s %s.%s' % (address['ip'], address['hostname'], name)


def write(path, text):
    """Replace a file in one piece; return whether it has changed."""
    if os.path.exists(path):
        with open(path) as f:
            if f.read() == text:
                return False
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)
    return True


class Dnsmasq:
    """A dnsmasq that answers with certain records."""

    def __init__(self, directory, address):
        self.hosts, self.config = os.path.join(directory, 'hosts'), os.path.join(directory, 'dnsmasq.conf')
        self.options = OPTIONS.format(address=address, hosts=self.hosts)
        self.process = None

    def serve(self, hosts, aliases):
        """Answer with these records from now on."""
        new_hosts, new_aliases = write(self.hosts, hosts), write(self.config, self.options + aliases)
        if self.process is None or new_aliases:  # it reads aliases only when it starts
            self._restart()
        elif new_hosts:
            self.process.send_signal(signal.SIGHUP)

    def check(self):
        """Exit if it has ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            sys.exit('dnsmasq ended: %d' % self.process.returncode)

    def _restart(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = subprocess.Popen(['dnsmasq', '--keep-in-foreground', '--conf-file=' + self.config])


def main(kubeconfig, directory, address):
    # dnsmasq inherits this: a signal that comes before it has a handler must not end it. It reads its files later.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(kubeconfig) as f:
        cluster = Cluster(json.load(f))
    changed = threading.Event()
    services, endpoints = [Objects(cluster, kind, changed) for kind in ('services', 'endpoints')]
    services.start()
    endpoints.start()
    dnsmasq = Dnsmasq(directory, address)
    while True:
        if not changed.wait(LOOK):
            dnsmasq.check()
            continue
        changed.clear()
        if services.found is not None and endpoints.found is not None:
            dnsmasq.serve(*records(services.found, endpoints.found))


if __name__ == '__main__':
    main(*sys.argv[1:])
