"""KubeIngressProxy: what JupyterHub asks of a proxy, on Ingresses. It runs on the loop's thread."""
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from jupyterhub.proxy import Proxy
from tornado import gen
from tornado.concurrent import run_on_executor
from tornado.ioloop import IOLoop
from tornado.locks import Lock, Semaphore
from traitlets import Bool

from ..configuration.cluster import hub_namespace
from ..halting import halt
from ..kube import api, clients
from ..kube.objects_api import VERSIONS, ObjectsApi, served_version
from ..kube.requests import Requests
from ..lifecycle.waiting import is_listed
from ..related_objects import ROUTE_LABEL, ingress_in, make_ingress
from ..spawner import KubeSpawner
from . import routes, templates
from .errors import RouteError, of_api
from .reflectors import EndpointsReflector, IngressReflector, ServiceReflector
from .settings import ProxySettings
from .upkeep import Upkeep

KINDS = {'service': ('v1', 'services'), 'endpoints': ('v1', 'endpoints')}  # besides Ingresses, see ObjectsApi
REFLECTORS = {'ingress': IngressReflector, 'service': ServiceReflector, 'endpoints': EndpointsReflector}
BACKENDS = ('service', 'endpoints')

LIST_PAUSE = 0.2  # seconds between two looks at a cache whose list has to arrive
ROUTES_A_TURN = 50  # that are read before the loop does something else


class KubeIngressProxy(ProxySettings, Proxy):
    """A proxy whose routes are Ingresses, with the services and endpoints that they lead to.

    The routes are in Kubernetes, so they outlive the hub. A controller in the cluster serves them.
    """

    should_start = Bool(False, config=True, help="""
        The hub never starts or stops this proxy: the controller of the cluster runs on its own.
        """)

    # Shared by all proxies of a process
    executor_until_spawners = None  # the spawners' executor, which is made with the first of them, takes its place
    ingress_reflector = service_reflector = endpoints_reflector = None
    ingress_version = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if KubeSpawner.executor is None:
            clients.override(host=self.k8s_api_host, ssl_ca_cert=self.k8s_api_ssl_ca_cert,
                             verify_ssl=self.k8s_api_verify_ssl)
        self._objects_api = self._requests = self._upkeep = None
        self._preparing = Lock()
        self._checked = {}  # routespec -> versions of the objects that were as they should be
        self._locks = weakref.WeakValueDictionary()  # routespec -> Lock, while somebody changes the route
        self._turn = Semaphore(max(1, self.k8s_api_threadpool_workers // 2))  # leaves threads for the spawners

    # What JupyterHub calls

    def add_route(self, routespec, target, data):
        """Make requests for a route go to `target`, a URL. Return when the objects of the route are as they should be.

        data (dict): JupyterHub's own, kept with the route. Raises RouteError.
        """
        return self._changing(routespec, self._add, target, data)

    def delete_route(self, routespec):
        """Remove a route, if there is one. Return when its objects have been deleted. Raises RouteError."""
        return self._changing(routespec, self._delete)

    @gen.coroutine
    def get_all_routes(self):
        """Return all routes of this hub by routespec: dicts of `routespec`, `target` and `data`.

        The target of a route is empty if it lacks one of its objects, or if they are not as the settings say. Raises
        RouteError if they have never been listed.
        """
        try:
            yield self._prepare()
            yield self._check_listed()
        except api.ApiError as e:
            raise of_api('', e)
        found = {}
        for number, (name, routespec) in enumerate(self._names().items()):
            objects = self._live_objects(name)
            if any(objects):
                found[routespec] = self._as_found(routespec, objects)
            if number % ROUTES_A_TURN == ROUTES_A_TURN - 1:
                yield gen.moment
        return found

    # Routes

    @gen.coroutine
    def _changing(self, routespec, change, *arguments):
        """Call `change` for a route: one change of a route at a time, and of not too many routes."""
        routespec = self.validate_routespec(routespec)
        lock = self._locks.get(routespec) or self._locks.setdefault(routespec, Lock())
        try:
            with (yield lock.acquire()):
                with (yield self._turn.acquire()):
                    yield gen.moment  # many routes at once must not stall the loop, even if nothing has to be done
                    yield self._prepare()
                    yield change(routespec, self._deadline(), *arguments)
        except api.ApiError as e:
            raise of_api(routespec, e)
        except ValueError as e:
            raise RouteError(routespec, str(e))

    @gen.coroutine
    def _add(self, routespec, deadline, target, data):
        """Make the objects of a route, the service before the others.

        The Ingress leads to it, and Kubernetes deletes endpoints without a service.
        """
        wanted = self._objects(routespec, target, data)
        for kinds in (['service'], ['endpoints', 'ingress']):
            yield [self._upkeep.ensure(kind, wanted[kind], deadline) for kind in kinds if kind in wanted]
        yield self._remove([kind for kind in BACKENDS if kind not in wanted], routespec, deadline)
        self._checked[routespec] = _versions(self._live_objects(templates.name_of(routespec)))

    def _as_found(self, routespec, objects):
        """Return a route. Its target is empty if its objects are not as wanted, so that JupyterHub adds it again.

        Settings may have changed since another hub made them, or somebody has edited them. Versions that were compared
        before are not compared again: the API server may have changed what it was sent, and would do so again.
        """
        route, versions = routes.route(*objects), _versions(objects)
        if route['target'] and self._checked.get(routespec) != versions:
            if not self._are_as_wanted(routespec, objects):
                return dict(route, target=routes.INCOMPLETE)
            self._checked[routespec] = versions
        return route

    def _are_as_wanted(self, routespec, objects):
        try:
            wanted = self._objects(routespec, *routes.recorded_in(next(filter(None, objects))))
        except ValueError:
            return True  # to add it would fail
        return not any(existing and kind in wanted and routes.changes(kind, existing, wanted[kind])
                       for kind, existing in zip(REFLECTORS, objects))

    @gen.coroutine
    def _delete(self, routespec, deadline):
        self._checked.pop(routespec, None)
        yield self._remove(['ingress'], routespec, deadline)
        yield self._remove(BACKENDS, routespec, deadline)

    def _when_deleted(self, loop, resource):
        """Restore a route that has lost an object. Called on a watch thread."""
        loop.add_callback(self._restore, routes.routespec_of(resource))

    @gen.coroutine
    def _restore(self, routespec):
        """Make the missing objects of a route that still has its Ingress.

        Somebody may have deleted them. Or Kubernetes has: its controller deletes endpoints some time after their
        service, and these may be new ones that have the same name.
        """
        if routespec and self._live('ingress', templates.name_of(routespec)):
            try:
                yield self._changing(routespec, self._create_missing)
            except RouteError as e:
                self.log.error('%s', e)

    @gen.coroutine
    def _create_missing(self, routespec, deadline):
        """Create what a route lacks, as its Ingress says. It is read: another hub may be deleting the route just now.

        What is there stays as it is: a route that is being changed has its new service before its new Ingress.
        """
        ingress = yield self._requests.read('ingress', self.namespace, templates.name_of(routespec), deadline)
        if ingress is None or routes.is_terminating(ingress):
            return
        wanted = self._objects(routespec, *routes.recorded_in(ingress))
        for kind in BACKENDS:
            if kind in wanted and self._live(kind, templates.name_of(routespec)) is None:
                yield self._upkeep.create_if_missing(kind, wanted[kind], deadline)

    def _remove(self, kinds, routespec, deadline):
        name = templates.name_of(routespec)
        return gen.multi([self._upkeep.remove(kind, name, routespec, deadline) for kind in kinds])

    def _objects(self, routespec, target, data):
        """Return the objects of a route, dicts by kind. Raises ValueError."""
        fields = templates.fields_of(routespec, data, hub_namespace())
        endpoints, service, ingress = make_ingress(
            templates.name_of(routespec), routespec, target, data, self.namespace,
            dict(templates.labels(self.common_labels, fields), component=self.component_label),
            templates.labels(self.ingress_extra_labels, fields),
            templates.fill(self.ingress_extra_annotations, fields),
            self.ingress_class_name,
            templates.fill(self.ingress_specifications, fields),
            self.reuse_existing_services)
        found = {'endpoints': endpoints, 'service': service, 'ingress': ingress}
        found = {kind: clients.to_dict(each) for kind, each in found.items() if each is not None}
        found['ingress'] = ingress_in(self.ingress_version, found['ingress'])
        return found

    def _names(self):
        """Return the routes that any objects are of: {name of the objects: routespec}."""
        names = {}
        for kind in REFLECTORS:
            for name, resource in list(self._reflector(kind).resources.items()):
                if name not in names and routes.routespec_of(resource):
                    names[name] = routes.routespec_of(resource)
        return names

    def _live_objects(self, name):
        """Return the objects of a route, in the order of REFLECTORS; None for one that it does not have."""
        return [self._live(kind, name) for kind in REFLECTORS]

    def _live(self, kind, name):
        resource = self._reflector(kind).get(name)
        is_there = resource is not None and routes.routespec_of(resource) and not routes.is_terminating(resource)
        return resource if is_there else None

    # The API

    @property
    def executor(self):
        """The executor for blocking calls: that of the spawners, once it exists."""
        if KubeSpawner.executor is not None:
            return KubeSpawner.executor
        if KubeIngressProxy.executor_until_spawners is None:
            KubeIngressProxy.executor_until_spawners = ThreadPoolExecutor(self.k8s_api_threadpool_workers)
        return KubeIngressProxy.executor_until_spawners

    @run_on_executor
    def asynchronize(self, method, *args, **kwargs):
        """Call a blocking function on an executor thread; return a future of what it returns."""
        return method(*args, **kwargs)

    def _deadline(self):
        return IOLoop.current().time() + self.k8s_api_request_timeout + self.k8s_api_request_retry_timeout

    @property
    def _owner(self):
        """The class that has what all proxies of a process share; a subclass may have its own."""
        return next(each for each in type(self).__mro__ if 'ingress_reflector' in vars(each))

    def _reflector(self, kind):
        return getattr(self, kind + '_reflector')

    @gen.coroutine
    def _prepare(self):
        """Find out which Ingresses the cluster serves, and follow the objects. The first call does that."""
        with (yield self._preparing.acquire()):
            if self._upkeep is None:
                self._objects_api = ObjectsApi(clients.shared_client('ApiClient', configuration=None), dict(KINDS))
                self._requests = Requests(self.asynchronize, lambda: self._objects_api, lambda: (
                    self.k8s_api_request_timeout, self.k8s_api_request_retry_timeout), self.log)
                yield self._find_version()
                self._upkeep = Upkeep(self._requests, {kind: self._follow(kind) for kind in REFLECTORS},
                                      self.namespace, self.log, self._turn)

    @gen.coroutine
    def _find_version(self):
        """Ask the cluster in which version it serves Ingresses, once in a process."""
        if self.ingress_version is None:
            self._owner.ingress_version = yield served_version(self._requests, 'ingresses')
        if self.ingress_version is None:
            raise RouteError('', 'The cluster serves no Ingresses in any of the versions %s.' % (
                ', '.join(VERSIONS['ingresses'])))
        self._objects_api.kinds['ingress'] = self.ingress_version, 'ingresses'

    def _follow(self, kind):
        """Return the reflector of a kind, which follows the objects of all proxies of a process."""
        if self._reflector(kind) is None:
            labels = {ROUTE_LABEL: 'true', 'component': self.component_label}
            setattr(self._owner, kind + '_reflector', REFLECTORS[kind](
                config=self.config, log=self.log, namespace=self.namespace, labels=labels,
                objects_api=self._objects_api, on_failure=partial(halt, IOLoop.current(), self.log),
                on_deleted=partial(self._when_deleted, IOLoop.current())))
        return self._reflector(kind).start()

    @gen.coroutine
    def _check_listed(self):
        """Return when all caches have a list. Raises ApiError or RouteError if the API server does not give one."""
        deadline = self._deadline()
        for kind in REFLECTORS:
            reflector = self._reflector(kind)
            yield is_listed(reflector, self.k8s_api_request_timeout)
            while not reflector.was_listed:  # the server refuses it, or does not answer: this request shows which
                yield self._requests.send(api.find(kind, self.namespace, reflector.label_selector), deadline)
                if IOLoop.current().time() > deadline:
                    raise RouteError('', 'The list of all %s has not arrived.' % reflector.kind)
                yield gen.sleep(LIST_PAUSE)


def _versions(objects):
    return [each and each['metadata'].get('resourceVersion') for each in objects]
