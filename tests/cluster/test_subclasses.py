"""A subclass as they were written for the asynchronous releases: every step is its own, and hands on to `super()`."""
import pytest
from jupyterhub.objects import Server
from tornado import gen

from kubespawner import KubeSpawner
from kubespawner.reflector import NamespacedResourceReflector
from tests.cluster.conftest import make_spawner


class ServiceReflector(NamespacedResourceReflector):
    kind = 'services'


class OfOtherYears(KubeSpawner):
    pod_reflector = event_reflector = None
    server = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.steps = []

    async def start(self):
        return await super().start()

    async def _start(self):
        return await super()._start()

    async def load_user_options(self):
        self.steps.append('options')
        await super().load_user_options()
        self.extra_labels = {'loaded': 'yes'}

    async def _start_watching_pods(self, replace=False):
        pods = await super()._start_watching_pods(replace)
        assert pods is self.reflectors['pods']

    async def _start_watching_events(self, replace=False):
        await super()._start_watching_events(replace)
        await self._start_reflector('services', ServiceReflector, replace)

    async def _make_create_pvc_request(self, pvc, request_timeout):
        self.steps.append('claim')
        return await super()._make_create_pvc_request(pvc, request_timeout)

    async def _make_create_pod_request(self, pod, request_timeout):
        self.steps.append('pod')
        pod.metadata.labels['extra'] = 'yes'
        return await super()._make_create_pod_request(pod, request_timeout)

    def _get_pod_url(self, pod):
        self.steps.append('url')
        return super()._get_pod_url(pod)

    async def _make_delete_pod_request(self, *args):
        self.steps.append('delete')
        return await super()._make_delete_pod_request(*args)


@pytest.mark.gen_test
def test_a_subclass_of_other_years_runs_a_server(namespace, node):
    OfOtherYears.server = Server(ip='', port=0)
    spawner = make_spawner(OfOtherYears, namespace=namespace, events_enabled=True, user_storage_pvc_ensure=True,
                           user_storage_capacity='1Gi')
    try:
        yield gen.convert_yielded(spawner.start())
        pod = spawner.pod_reflector.pods['%s/%s' % (namespace, spawner.pod_name)]
        assert (pod.metadata.labels['extra'], pod.metadata.labels['loaded']) == ('yes', 'yes')
        assert namespace in [key[1] for key in spawner.reflectors] and 'services' in spawner.reflectors
        assert (yield spawner.poll()) is None
        yield spawner.stop()
        assert (yield spawner.poll()) == 1
        assert spawner.steps == ['options', 'claim', 'pod', 'url', 'delete']
    finally:
        OfOtherYears._stop_all_reflectors()
