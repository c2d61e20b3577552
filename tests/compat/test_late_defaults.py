"""Defaults that a subclass computes may depend on the user's choice: nothing reads them before the start."""
import pytest
from traitlets import default
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.parts.templates import Templates
from tests.cluster.conftest import make_spawner

# What says where to look for the pods of all servers, and how to ask for them; and what there is to choose from.
FOR_ALL_SERVERS = {'component_label', 'enable_user_namespaces', 'handle_legacy_names', 'namespace', 'profile_list',
                   'remember_pvc_name', 'slug_scheme', 'user_namespace_template'}

OF_A_SERVER = sorted(name for name in KubeSpawner.class_own_traits(config=True)
                     if name not in FOR_ALL_SERVERS and not name.startswith('k8s_api_'))


@pytest.fixture(autouse=True)
def a_new_hub(monkeypatch):
    monkeypatch.setattr(Templates, '_checked_config', None)
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)


def test_no_computed_default_is_read_when_a_spawner_is_made():
    read, plain = [], make_spawner(KubeSpawner)

    def computed(name):
        def compute(self):
            read.append(name)
            return getattr(plain, name)
        return default(name)(compute)

    cls = type('Computing', (KubeSpawner,), {'_of_%s' % name: computed(name) for name in OF_A_SERVER})
    spawner = make_spawner(cls, config=Config(KubeSpawner={'mem_limit': '1G', 'user_storage_pvc_ensure': True}))
    spawner.load_state({})
    assert set(read) <= {'user_storage_pvc_ensure'}


def test_a_label_may_depend_on_the_choice():
    class Choosing(KubeSpawner):
        @default('extra_labels')
        def _labels(self):
            return {'flavor': self.user_options['flavor']}

        @default('pod_name_template')
        def _name(self):
            return 'nb-{username}-' + self.user_options['flavor']

    spawner = make_spawner(Choosing, config=Config(KubeSpawner={'mem_limit': '1G'}))
    spawner.user_options = {'flavor': 'big'}
    assert spawner.pod_name == 'nb-alice-big' and spawner.extra_labels == {'flavor': 'big'}
