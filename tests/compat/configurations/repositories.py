"""A hub of 2021 that builds an image of a repository and starts it: the image and the token come with each request."""
from urllib.parse import urlparse

from traitlets import Bool, Unicode

from kubespawner import KubeSpawner

c = get_config()  # noqa: F821


class RepositorySpawner(KubeSpawner):
    """Starts what the builder built. Nothing of a server is kept."""

    repo_url = Unicode(help='Where the content came from')
    ban_tokens = Bool(True, config=True, help='Refuse a request without a token')

    def options_from_form(self, form):
        return {name: values[0] for name, values in form.items()}

    def get_args(self):
        args = ['--ip=0.0.0.0', '--port=%i' % self.port, '--NotebookApp.base_url=%s' % self.user.url]
        if self.user_options.get('token'):
            args.append('--NotebookApp.token=%s' % self.user_options['token'])
        return args + self.args

    def start(self):
        if self.ban_tokens and 'token' not in self.user_options:
            raise ValueError('no token')
        if 'image' not in self.user_options:
            raise ValueError('no image')
        self.image = self.user_options['image']
        self.repo_url = self.user_options.get('repo_url', '')
        self.extra_annotations = dict(self.extra_annotations, **{'repository.example/url': self.repo_url})
        host = urlparse(self.repo_url).netloc.replace('.', '-')
        if host:
            self.extra_labels = dict(self.extra_labels, host=host)
        return super().start()

    def get_env(self):
        env = super().get_env()
        env['REPOSITORY_URL'] = self.repo_url
        env['REQUEST'] = self.user_options.get('request', '')
        return env


c.JupyterHub.spawner_class = RepositorySpawner
c.JupyterHub.cleanup_servers = True
c.JupyterHub.hub_connect_ip = 'hub'
c.Spawner.start_timeout = 120

c.KubeSpawner.namespace = 'repositories'
c.KubeSpawner.cmd = ['python3', '-m', 'notebook']
c.KubeSpawner.default_url = '/tree'
c.KubeSpawner.automount_service_account_token = False
c.KubeSpawner.delete_stopped_pods = True
c.KubeSpawner.delete_pvc = True
c.KubeSpawner.storage_pvc_ensure = False
c.KubeSpawner.cpu_guarantee = 0.01
c.KubeSpawner.cpu_limit = 1
c.KubeSpawner.mem_guarantee = '100M'
c.KubeSpawner.mem_limit = '2G'
c.KubeSpawner.component_label = 'singleuser-server'
c.KubeSpawner.events_enabled = False
c.KubeSpawner.extra_annotations = {'repository.example/federation': 'none'}
c.KubeSpawner.node_affinity_preferred = [{
    'weight': 100,
    'preference': {'matchExpressions': [{'key': 'pool', 'operator': 'In', 'values': ['user', 'user-spot']}]}}]
c.KubeSpawner.pod_anti_affinity_preferred = [{
    'weight': 50,
    'podAffinityTerm': {
        'labelSelector': {'matchLabels': {'component': 'build'}}, 'topologyKey': 'kubernetes.io/hostname'}}]
c.RepositorySpawner.ban_tokens = True
c.RepositorySpawner.extra_containers = [{
    'name': 'limiter', 'image': 'limiter:1', 'env': [{'name': 'TARGET', 'value': '{username}'}],
    'securityContext': {'capabilities': {'add': ['NET_ADMIN']}}}]
