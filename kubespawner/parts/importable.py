"""Names that configuration files and subclasses import from `kubespawner.spawner`, but that are defined elsewhere."""
# ruff: noqa: F401
from functools import partial
from urllib.parse import urlparse

import escapism
from jupyterhub.spawner import Spawner
from jupyterhub.traitlets import Command
from jupyterhub.utils import exponential_backoff
from kubernetes import client
from kubernetes.client.rest import ApiException
from tornado import gen
from tornado.concurrent import run_on_executor
from tornado.ioloop import IOLoop
from traitlets import Any, Bool, Dict, Enum, Integer, List, Unicode, Union, default, observe, validate

from ..kube.clients import load_config, shared_client
from ..kube.events import EventReflector
from ..objects import make_namespace, make_owner_reference, make_pod, make_pvc, make_secret, make_service
from ..reflector import MultiNamespaceResourceReflector, NamespacedResourceReflector, ResourceReflector
from ..slugs import escape_slug, is_valid_label, multi_slug, safe_slug
from ..traitlets import Callable
from ..utils import recursive_format, recursive_update
from .adapters import MockObject
