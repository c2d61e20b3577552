"""The client of the Kubernetes API, for import by other packages. The code is in `kube.clients`."""
from .kube.clients import Resource, load_config, model, shared_client, to_dict

__all__ = ['Resource', 'load_config', 'model', 'shared_client', 'to_dict']
