"""An ingress controller for tests: Debian's haproxy, with a configuration made of what is in the API.

It reads Ingresses, services and endpoints of one namespace again and again, and starts haproxy anew when what it has to
serve has changed. The haproxy before that keeps the connections that it has.
"""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest
from kubernetes.client.rest import ApiException
from urllib3.exceptions import HTTPError

from kubespawner.kube import clients

HEAD = """
global
    maxconn 2000
defaults
    mode http
    timeout connect 5s
    timeout client 10m
    timeout server 10m
    timeout tunnel 1h
frontend ingresses
    bind 127.0.0.1:%d
"""
PATHS = {'ingresses': '/apis/networking.k8s.io/v1/namespaces/%s/ingresses',
         'services': '/api/v1/namespaces/%s/services', 'endpoints': '/api/v1/namespaces/%s/endpoints'}
PAUSE = 0.2  # seconds between two looks


def render(port, ingresses, services, endpoints):
    """Return the configuration of a haproxy that serves Ingresses on a port of 127.0.0.1.

    ingresses (list), services, endpoints (dicts by name): as the API has them. The longest path wins.
    """
    routes, backends = [], {}
    for ingress in ingresses:
        for rule in ingress['spec']['rules']:
            for path in rule['http']['paths']:
                service = path['backend']['service']
                name = '%s-%d' % (service['name'], service['port']['number'])
                routes.append((path['path'].rstrip('/'), rule.get('host'), name))
                backends[name] = servers_of(service, services, endpoints)
    lines = [HEAD % port]
    for path, host, name in sorted(routes, key=lambda route: (-len(route[0]), route)):
        matches_host = ' { hdr(host),field(1,:) -i %s }' % host if host else ''
        matches = ["path '%s'" % path] * bool(path) + ["path_beg '%s/'" % path]
        lines += ['    use_backend %s if { %s }%s\n' % (name, each, matches_host) for each in matches]
    for name, servers in sorted(backends.items()):
        lines.append('backend %s\n' % name)
        lines += ['    server s%d %s:%d\n' % (number, host, port) for number, (host, port) in enumerate(servers)]
    return ''.join(lines)


def servers_of(backend, services, endpoints):
    """Return the (address, port) of each server behind a service; none if it does not exist."""
    spec = services.get(backend['name'], {}).get('spec', {})
    if spec.get('type') == 'ExternalName':
        return [(socket.gethostbyname(spec['externalName']), backend['port']['number'])]
    return [(address['ip'], port['port']) for subset in endpoints.get(backend['name'], {}).get('subsets') or ()
            for address in subset.get('addresses') or () for port in subset['ports']]


class IngressController:
    """A context manager that serves the Ingresses of a namespace on a port of 127.0.0.1."""

    def __init__(self, api_client, namespace, port, directory):
        if not shutil.which('haproxy'):
            pytest.skip('needs haproxy: apt-get install haproxy')
        self.api_client, self.namespace, self.port = api_client, namespace, port
        self.file = os.path.join(directory, 'haproxy')
        self._processes, self._count, self._text, self._ended = [], 0, None, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._ended.set()
        self._thread.join()
        for process in self._processes:
            process.kill()
            process.wait()

    def _run(self):
        while not self._ended.wait(PAUSE):
            with contextlib.suppress(ApiException, HTTPError, OSError):  # of one look; there will be more
                self.look()

    def look(self):
        """Serve what is in the API now."""
        text = render(self.port, self._list('ingresses'), self._by_name('services'), self._by_name('endpoints'))
        if text == self._text:
            return
        self._text = text
        self._count += 1
        file = '%s-%d.cfg' % (self.file, self._count)  # the last haproxy may not have read its own yet
        with open(file, 'w') as f:
            f.write(text)
        # All that still run: one that is told to end while it starts has not told those before it yet.
        self._processes = [process for process in self._processes if process.poll() is None]
        command = ['haproxy', '-db', '-f', file] + ['-sf'] * bool(self._processes)
        command += [str(process.pid) for process in self._processes]
        with open(self.file + '.log', 'a') as log:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _list(self, kind):
        response = clients.send(self.api_client, 'GET', PATHS[kind] % self.namespace)
        return json.loads(response.data.decode('utf8'))['items']

    def _by_name(self, kind):
        return {each['metadata']['name']: each for each in self._list(kind)}
