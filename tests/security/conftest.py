"""Spawners without a hub, as in the tests of the cluster."""
from tests.cluster.conftest import kube, new_spawner, node, objects, role  # noqa: F401
