"""Generated requests get the same answers from localkube and from a real API server, see generated.py.

The differences that are accepted are in differences.py. `python -m tests.contract.differential` looks for more.
"""
import time

import pytest

from kubespawner.localkube import LocalKube

from .conftest import empty_namespace, ready_namespace
from .differential import VERSION_OF_LOCALKUBE, Server, explain, run
from .helpers import created, ok, unique

SCENARIOS = 600  # about 2,500 requests, the same ones in each run
SECONDS = 70


@pytest.fixture
def servers(cluster, http, tmp_path):
    """The real API server and a localkube that answers as its release, a `Server` each, with a common namespace."""
    if cluster.is_localkube:
        pytest.skip('needs a real API server to compare localkube with: --kubeconfig')
    release = ok(http.get('/version'))
    if '%(major)s.%(minor)s' % release != VERSION_OF_LOCALKUBE:
        pytest.skip('the accepted differences are those of Kubernetes ' + VERSION_OF_LOCALKUBE)
    with LocalKube(kubelet=False, version=VERSION_OF_LOCALKUBE) as kube:
        found = [Server(kubeconfig, str(tmp_path)) for kubeconfig in (cluster.kubeconfig, kube.kubeconfig)]
        namespace = unique('differential')
        for server in found:
            created(server.http.post('/api/v1/namespaces', {'metadata': {'name': namespace}}))
            ready_namespace(server.http, namespace)
        found[0].namespace = namespace
        yield found
        for server in found:
            empty_namespace(server.http, namespace)
            server.http.delete('/api/v1/namespaces/' + namespace)


def test_generated_requests_get_the_answers_of_a_real_server(servers):
    deadline = time.monotonic() + SECONDS
    differences = []
    for seed in range(1, SCENARIOS + 1):
        differences += list(run(seed, servers, servers[0].namespace))[:1]
        if time.monotonic() > deadline:
            break  # a slow machine compares fewer
    assert not differences, '\n'.join(explain(each) for each in differences[:20])
