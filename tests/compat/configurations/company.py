"""A company's hub of 2023: what all spawners share is a mixin; interactive and long-lived servers are two classes."""
import asyncio

from traitlets import Unicode, default
from traitlets.config import Configurable

from kubespawner import KubeSpawner

c = get_config()  # noqa: F821


class CompanySpawner(Configurable):
    """What the security department wants of every pod."""

    cost_centre = Unicode('0000', config=True, help='Who pays')
    automount_service_account_token = False
    singleuser_extra_labels = {'company.example/hub': 'main'}

    @default('service_account')
    def _account(self):
        return 'notebook-' + self.cost_centre

    @default('container_security_context')
    def _restricted(self):
        return {'capabilities': {'drop': ['ALL']}, 'seccompProfile': {'type': 'RuntimeDefault'}}

    def get_env(self):
        env = super().get_env()
        env['COST_CENTRE'] = self.cost_centre
        return env

    async def poll(self):
        status = await super().poll()
        if status is not None:
            self.log.info('Server of %s has ended: %s', self.user.name, status)
        return status

    async def progress(self):
        yield {'progress': 1, 'message': 'Cost centre %s pays' % self.cost_centre}
        async for event in super().progress():
            yield dict(event, message='[%s] %s' % (self.cost_centre, event['message']))


class InteractiveSpawner(CompanySpawner, KubeSpawner):
    """Servers of which people close the browser in the evening."""

    image_spec = Unicode('registry.company.example/lab:3', config=True)
    mem_request = '1G'
    fs_gid = 100

    @default('cpu_guarantee')
    def _some_cpu(self):
        return 0.25


class LongLivedSpawner(InteractiveSpawner):
    """Servers that train for days."""

    singleuser_image_spec = 'registry.company.example/train:3'
    cpu_request = 4
    node_selector = {'pool': 'long'}
    extra_pod_config = {'activeDeadlineSeconds': 7 * 86400}
    kube_termination_grace = 30

    async def start(self):
        self.extra_annotations = {'company.example/started-by': self.user.name}
        await asyncio.sleep(0)
        return await super().start()

    def _build_pod_labels(self, extra_labels):
        labels = super()._build_pod_labels(extra_labels)
        labels['company.example/cost-centre'] = self.cost_centre
        return labels


c.JupyterHub.spawner_class = LongLivedSpawner

c.Spawner.http_timeout = 60
c.CompanySpawner.cost_centre = '1111'
c.InteractiveSpawner.cost_centre = '2222'
c.LongLivedSpawner.cost_centre = '4711'
c.InteractiveSpawner.image = 'registry.company.example/lab:4'
c.LongLivedSpawner.mem_guarantee = '8G'
c.KubeSpawner.mem_limit = '16G'
c.KubeSpawner.namespace = 'notebooks'
c.KubeSpawner.pod_name_template = 'nb-{username}-{servername}'


async def quota_of(spawner):
    """Ask the ledger."""
    await asyncio.sleep(0)
    return '%d EUR' % (1000 * spawner.user.id)


c.KubeSpawner.environment = {
    'QUOTA': quota_of,
    'ACCOUNT': lambda spawner: spawner.service_account,
    'BUCKET': 's3://company/$(COST_CENTRE)/{username}',
    'CACHE': '$(SCRATCH)/cache',
    'SCRATCH': '/scratch/$(BUCKET_NAME)',
    'BUCKET_NAME': 'b-{userid}',
    'PRICE': '$$(COST_CENTRE)',
    'KEY': {'name': 'KEY', 'valueFrom': {'secretKeyRef': {'name': 'keys-{username}', 'key': 'key'}}},
}
c.LongLivedSpawner.environment.update({'CHECKPOINTS': '$(CACHE)/checkpoints'})


async def in_the_ledger(spawner, pod):
    """Have the pod carry what the ledger needs."""
    await asyncio.sleep(0)
    pod.metadata.annotations['company.example/ledger'] = pod.spec.containers[0].image.rsplit(':', 1)[1]
    return pod


c.KubeSpawner.modify_pod_hook = in_the_ledger
