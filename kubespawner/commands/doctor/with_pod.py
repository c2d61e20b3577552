"""Whether a pod reaches the hub: the only check that creates something, a pod, which it deletes again."""
import time
import uuid

from ..cluster import NoAnswer, said
from .findings import broken, fine, unknown

SECONDS = 120  # for the image to be pulled, and the pod to run

# Anything that answers is enough: the hub answers 403 to whoever has no token, and 200 to /hub/api.
PROGRAM = '''
import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=10).status)
except urllib.error.HTTPError as e:
    print(e.code)
except Exception as e:
    print("%s: %s" % (type(e).__name__, e))
    sys.exit(1)
'''


def check(cluster, pod, api_url, clock=time.monotonic, sleep=time.sleep):
    """Check that a pod as servers have it, a dict, reaches the hub's API. The hub has to run."""
    path = '/api/v1/namespaces/%s/pods' % pod['metadata']['namespace']
    probe = probe_of(pod, api_url)
    answer = cluster.post(path, probe)
    if answer.status != 201:
        return [unknown('Whether a pod reaches the hub is not known: it cannot be created: %d%s' % (
            answer.status, said(answer)))]
    there = '%s/%s' % (path, probe['metadata']['name'])
    try:
        return [_outcome(cluster, there, api_url, clock() + SECONDS, clock, sleep)]
    finally:
        try:
            cluster.delete(there)
        except NoAnswer:  # it ends by itself
            pass


def probe_of(pod, api_url):
    """Return a pod that asks the hub once, where and with the image with which a server runs."""
    spec = pod['spec']
    container = {key: value for key, value in spec['containers'][0].items()
                 if key in ('image', 'imagePullPolicy', 'securityContext', 'resources')}
    container.update(name='probe', command=['python3', '-c', PROGRAM, api_url])
    kept = ('nodeSelector', 'tolerations', 'affinity', 'imagePullSecrets', 'securityContext', 'priorityClassName',
            'runtimeClassName', 'schedulerName')
    labels = {key: value for key, value in (pod['metadata'].get('labels') or {}).items()
              if key not in ('heritage', 'component')}  # which hubs look for
    return {'apiVersion': 'v1', 'kind': 'Pod',
            'metadata': {'name': 'kubespawner-doctor-' + uuid.uuid4().hex[:8], 'labels': labels},
            'spec': dict({key: spec[key] for key in kept if key in spec}, containers=[container],
                         restartPolicy='Never', automountServiceAccountToken=False)}


def _outcome(cluster, path, api_url, deadline, clock, sleep):
    phase, status = None, {}
    while clock() < deadline:
        answer = cluster.get(path)
        status = answer.body.get('status') or {}
        phase = status.get('phase')
        if phase == 'Succeeded':
            return fine('A pod reaches the hub at %s.' % api_url)
        if phase == 'Failed':
            return broken('A pod does not reach the hub at %s.%s' % (api_url, _why(status)),
                          'Does the hub run, and does a network policy let pods through to it?')
        sleep(0.5)
    return unknown('Whether a pod reaches the hub is not known: the pod is %s after %d s.%s' % (
        phase, SECONDS, _why(status)))


def _why(status):
    for each in status.get('containerStatuses') or []:
        state = each.get('state') or {}
        part = state.get('terminated') or state.get('waiting') or {}
        text = ' '.join(filter(None, [part.get('reason'), part.get('message')]))
        if text:
            return ' ' + text
    return ''
