"""The verbs: what create, read, update, patch and delete do to the objects in the store.

What belongs here: the path of an object from the request to the store, for all kinds. What does not: HTTP
(handlers.py), which fields a client may set (strategies.py), lists and watches (store.py and watches.py), processes.
Everything runs on the loop thread of the server. Nothing waits, so each verb is atomic. Controllers and the kubelet
call the verbs, too, mostly `patch_status` and `delete`.
"""
import copy
import json
from contextlib import contextmanager

from . import applying, defaults, errors, managers, patches, releases, services, strategies, versions, wrong_types
from .causes import Causes
from .decoding import decode
from .field_validation import FieldValidation
from .resources import RESOURCES, SCHEME
from .times import earlier, timestamp
from .validation import qualified_kind, refuse, validate, validate_update

UPDATED_BY_VERSION = ('services',)  # an update must name the version that it replaces
UNDELETABLE_NAMESPACES = ('default', 'kube-system', 'kube-public')
CLAIM_FINALIZER = 'kubernetes.io/pvc-protection'


class Registry(object):
    """All verbs on one store. They take and return objects as they are stored, except for `data` and `patch`.

    `resource` is a key of RESOURCES, which also says in which version `data` and `patch` are. `namespace` is '' for
    objects without a namespace.

    user (User or None): for whom a verb is executed; None means localkube itself.
    admission (list): functions of (row, new object, old object or None, user), which complete or reject new objects and
        updates.
    """

    def __init__(self, store, release=releases.TODAY):
        self.store = store
        self.user = None
        self.admission = []
        self.release = release
        self.service_network = services.DEFAULT_NETWORK
        self.mutators = []  # admission: callables (row, new object)
        self.validators = []  # admission: callables (row, object, old object or None), see `check`
        for name in UNDELETABLE_NAMESPACES + ('kube-node-lease',):
            self.create('namespaces', '', {'metadata': {'name': name}})

    @contextmanager
    def acting_for(self, user):
        """Execute verbs for a user. Nothing waits in them, so there is one user at a time."""
        self.user = user
        try:
            yield
        finally:
            self.user = None

    # Read

    def get(self, resource, namespace, name):
        """Return an object, which callers must not change. Raise ApiError 404."""
        row = RESOURCES[resource]
        obj = self.store.get(row.name, namespace, name)
        if obj is None:
            raise errors.not_found(row.qualified, name)
        return obj

    def has(self, resource, namespace, name):
        return self.store.get(RESOURCES[resource].name, namespace, name) is not None

    # Create

    def create(self, resource, namespace, data, dry_run=False, validation=None, manager=managers.CONTROLLERS,
               owners=None):
        """Create an object from `data` (parsed JSON), and return it. Raise ApiError 400, 403, 404, 409 or 422.

        owners (list or None): its managedFields; None means that `manager` owns it.
        """
        row = RESOURCES[resource]
        obj = versions.to_stored(row, self.decode(row, data, validation))
        strategies.identify(obj, row, namespace)
        sent_spec = list(obj.get('spec', ()))
        self.admit(row, obj)
        if owners is None:
            owners = self.owners_of_new(row, obj, sent_spec, manager)
        self.call_admission(row, obj)
        defaults.complete(obj)
        if row.name == 'services':
            services.complete_for(obj, self.release)
        for mutate in self.mutators:
            mutate(row, obj)
        if owners:
            obj['metadata']['managedFields'] = owners
        status = defaults.initial_status(obj)
        if status is not None:
            obj['status'] = status
        validate(row, obj)
        charges = self.check(row, obj)
        name = obj['metadata']['name']
        existing = self.store.get(row.name, namespace, name)
        if existing:
            raise errors.already_exists(row.qualified, name, 'deletionTimestamp' in existing['metadata'])
        if dry_run:
            return obj
        self.allocate(row, obj)
        for charge in charges:
            charge()
        return self.store.put(row.name, obj)

    def check(self, row, obj, old=None):
        """Have all validators check an object. Return functions to call if it is stored. Raise ApiError 403."""
        return [charge for charge in [validator(row, obj, old) for validator in self.validators] if charge]

    def owners_of_new(self, row, obj, sent_spec, manager):
        """Return the managedFields of a new object. What admission adds to it is nobody's."""
        completed = copy.deepcopy(obj)
        defaults.complete(completed)
        return managers.of_new(completed, sent_spec, row.stored_type, manager)

    def admit(self, row, obj):
        """Reject an object whose namespace does not exist, and set fields that only the server knows."""
        metadata = obj['metadata']
        if 'namespace' in metadata:
            namespace = self.get('namespaces', '', metadata['namespace'])
            if namespace['metadata'].get('deletionTimestamp'):
                raise errors.being_terminated(row.qualified, metadata.get('name', ''), metadata['namespace'])
        if row.name == 'namespaces':
            obj['spec'] = {'finalizers': ['kubernetes']}
        elif row.name == 'pods' and self.release >= (1, 33):
            metadata['generation'] = 1
        elif row.name == 'persistentvolumeclaims':
            finalizers = metadata.setdefault('finalizers', [])
            if CLAIM_FINALIZER not in finalizers:
                finalizers.append(CLAIM_FINALIZER)

    def call_admission(self, row, new, old=None):
        for admit in self.admission:
            admit(row, new, old, self.user)

    def allocate(self, row, obj):
        """Give a service an address and ports that no other service has. Raise ApiError 422."""
        if row.name == 'services':
            causes = Causes()
            others = [stored.object for stored in self.store.list('services')
                      if stored.object['metadata']['uid'] != obj['metadata']['uid']]
            services.allocate(causes, obj, others, self.service_network)
            refuse(row, causes, obj)

    def decode(self, row, data, validation):
        """Return the object of a create or an update. Raise ApiError 400."""
        validation = validation or FieldValidation(release=self.release)
        obj = decode(row.type, data, validation)
        validation.check(wrong_types.go_name(row.type))
        return obj

    def decode_patched(self, row, patched, content_type, patch, validation):
        """Return the object that a patch results in. Raise ApiError 422."""
        validation = validation or FieldValidation(release=self.release)
        try:
            obj = decode(row.type, patched, validation)
            complaint = validation.error or self.kind_complaint(row, patched, content_type)
        except errors.ApiError as e:
            complaint = str(e).partition(' cannot be handled as a %s: ' % row.kind)[2] or str(e)
        if complaint:
            raise errors.invalid('', '', [('FieldValueInvalid', 'patch', 'Invalid value: %s: %s' % (
                json.dumps(patches.shown(content_type, patch, patched)), complaint))])
        return obj

    def kind_complaint(self, row, patched, content_type):
        """Return what is wrong with the kind in the result of a patch."""
        kind, api_version = patched.get('kind', row.kind), patched.get('apiVersion', row.api_version)
        if (kind, api_version) == (row.kind, row.api_version) or 'strategic' in content_type:
            return ''
        return errors.unknown_kind(kind, api_version, SCHEME)

    # Update

    def replace(self, resource, namespace, name, data, subresource='', dry_run=False, validation=None,
                manager=managers.CONTROLLERS):
        """Replace an object with `data`, and return the new object. Raise ApiError 400, 404, 409 or 422."""
        row = RESOURCES[resource]
        new = versions.to_stored(row, self.decode(row, data, validation))
        sent = new.setdefault('metadata', {})
        strategies.check_identity(sent, namespace, name)
        old = self.store.get(row.name, namespace, name)
        uid = old['metadata']['uid'] if old else '' if self.release < releases.NO_UID_ON_MISSING else None
        if not old and row.name == 'services' and not subresource:
            uid = None  # which the API server looks for first
        if uid is not None and sent.get('uid', uid) != uid:
            raise errors.uid_differs(row.qualified, namespace, name, sent['uid'], uid)
        old = self.get(resource, namespace, name)
        sent['managedFields'] = managers.based_on(old, data)
        return self.update(resource, old, new, subresource, dry_run, manager)

    def patch(self, resource, namespace, name, content_type, patch, subresource='', dry_run=False, validation=None,
              manager=managers.CONTROLLERS):
        """Patch an object, and return the new object. Raise ApiError 400, 404, 409, 415 or 422."""
        old = self.get(resource, namespace, name)
        row = RESOURCES[resource]
        shown = versions.shown(row, old)
        if not managers.are_in(patch):
            shown = managers.hidden(shown)  # copying them takes longer than everything else
        patched = patches.apply(content_type, shown, patch, row.type)
        new = versions.to_stored(row, self.decode_patched(row, patched, content_type, patch, validation))
        sent = new.setdefault('metadata', {})
        strategies.check_identity(sent, namespace, name)
        if sent.get('uid', old['metadata']['uid']) != old['metadata']['uid']:
            raise immutable_uid(old, sent)
        sent['managedFields'] = managers.based_on(old, patched)
        return self.update(resource, old, new, subresource, dry_run, manager)

    def apply(self, resource, namespace, name, config, manager, subresource='', force=False, dry_run=False):
        """Apply a configuration. Return (object, whether it was created). Raise ApiError 400, 404, 409 or 422."""
        row = RESOURCES[resource]
        applying.check(config, row)
        decoded = versions.to_stored(row, self.decode_configuration(row, namespace, name, config))
        decoded.update(kind=row.kind, apiVersion=row.stored_version)
        sent = decoded.setdefault('metadata', {})
        sent.setdefault('name', name)
        strategies.check_identity(sent, namespace, name)
        stored_row = RESOURCES[row.name]
        old = self.store.get(row.name, namespace, name)
        if old is None:
            if subresource:
                raise errors.not_found(row.qualified, name)
            return self.apply_new(row, stored_row, namespace, decoded, manager, dry_run), True
        if sent.get('uid', old['metadata']['uid']) != old['metadata']['uid']:
            raise immutable_uid(old, sent)
        merged, owners = applying.apply(old, decoded, stored_row, manager, force, subresource)
        new = decode(stored_row.type, merged, FieldValidation(release=self.release))
        new['metadata'].pop('resourceVersion', None)
        if sent.get('resourceVersion') or row.name in UPDATED_BY_VERSION:
            new['metadata']['resourceVersion'] = sent.get('resourceVersion') or old['metadata']['resourceVersion']
        new['metadata']['managedFields'] = owners
        return self.update(row.name, old, new, subresource, dry_run, manager=None), False

    def decode_configuration(self, row, namespace, name, config):
        """Return a configuration as an object. Unlike other requests, it must not contain unknown fields."""
        validation = FieldValidation('Strict')  # in every release
        validation.release = self.release
        obj = decode(row.type, config, validation)
        if validation.complaints:
            raise errors.ApiError(500, '', 'failed to create typed patch object (%s; %s, Kind=%s): .%s: field not '
                                  'declared in schema' % ('/'.join(filter(None, (namespace, name))), '/' * (
                                      '/' not in row.api_version) + row.api_version, row.kind,
                                      validation.complaints[0].split('"')[1]))
        return obj

    def apply_new(self, row, stored_row, namespace, config, manager, dry_run):
        for field in ('uid', 'resourceVersion'):
            if config['metadata'].get(field):
                raise errors.conflict(row.qualified, config['metadata']['name'])
        owners = applying.apply({}, config, stored_row, manager)[1]
        return self.create(row.name, namespace, config, dry_run, owners=owners)

    def update(self, resource, old, new, subresource='', dry_run=False, manager=managers.CONTROLLERS):
        """Store `new` (decoded, ours) in place of `old` as far as the (sub)resource may change it; return it.

        manager (str or None): who owns what changes; with None, the managedFields of `new` say that already.
        """
        row, name = RESOURCES[resource], old['metadata']['name']
        version = new['metadata'].pop('resourceVersion', None)
        if version and not version.isdigit():
            raise errors.ApiError(500, None, 'strconv.ParseUint: parsing "%s": invalid syntax' % version)
        if version and version != old['metadata']['resourceVersion']:
            raise errors.conflict(row.qualified, name)
        if not version and row.name in UPDATED_BY_VERSION:
            raise errors.invalid(row.kind, name, [('FieldValueInvalid', 'metadata.resourceVersion',
                                                   'Invalid value: "": must be specified for an update')])
        strategies.keep(row, old, new, subresource)
        self.call_admission(row, new, old)
        defaults.complete(new)
        if row.name == 'services':
            services.complete_update(new, old)
            services.complete_for(new, self.release)
        validate_update(row, new, old)
        charges = [] if subresource else self.check(row, new, old)
        if manager:
            new['metadata']['managedFields'] = managers.of_update(old, new, row.stored_type, manager, subresource)
        if dry_run:
            new['metadata']['resourceVersion'] = old['metadata']['resourceVersion']
            return new
        self.allocate(row, new)
        for charge in charges:
            charge()
        return self.commit(row.name, old, new)

    def commit(self, resource, old, new):
        """Store an update, or remove an object that is being deleted if nothing delays its deletion any more."""
        metadata = new['metadata']
        if 'deletionTimestamp' in metadata and strategies.is_released(resource, new):
            metadata['resourceVersion'] = old['metadata']['resourceVersion']
            self.store.remove(resource, dict(new, metadata=dict(metadata)))
            return new
        metadata['resourceVersion'] = old['metadata']['resourceVersion']
        if not metadata.get('managedFields'):
            metadata.pop('managedFields', None)
        if new == old:
            return old
        return self.store.put(resource, new)

    def patch_status(self, resource, obj, patch, manager=managers.KUBELET):
        """Merge `patch` into the status of the object that `obj` was read as; None when that is gone."""
        metadata = obj['metadata']
        now = self.store.get(resource, metadata.get('namespace', ''), metadata['name'])
        if now is None or now['metadata']['uid'] != metadata['uid']:
            return None
        return self.patch(resource, metadata.get('namespace', ''), metadata['name'], 'application/merge-patch+json',
                          {'status': patch}, 'status', manager=manager)

    def replace_status(self, resource, obj, status):
        """Store another status of the object that `obj` was read as."""
        return self.commit(resource, obj, dict(obj, metadata=dict(obj['metadata']), status=status))

    # Bind

    def bind(self, namespace, name, data, dry_run=False):
        """Assign a pod to a node: POST of a Binding."""
        binding = decode('Binding', data, FieldValidation(release=self.release))
        target = binding.get('target', {})
        complaints = []
        if target.get('kind', 'Node') != 'Node':
            complaints.append('target.kind: Unsupported value: "%s": supported values: "Node", "<empty>"'
                              % target['kind'])
        if not target.get('name'):
            complaints.append('target.name: Required value')
        if complaints:
            raise errors.ApiError(500, None, '[%s]' % ', '.join(complaints) if complaints[1:] else complaints[0])
        pod = self.get('pods', namespace, name)
        if pod['metadata'].get('deletionTimestamp'):
            raise errors.conflict('pods/binding', name, 'pod %s is being deleted, cannot be assigned to a host' % name)
        if pod['spec'].get('nodeName'):
            raise errors.conflict('pods/binding', name, 'pod %s is already assigned to node "%s"'
                                  % (name, pod['spec']['nodeName']))
        scheduled = {'type': 'PodScheduled', 'status': 'True', 'lastProbeTime': None,
                     'lastTransitionTime': timestamp()}
        conditions = [each for each in pod['status'].get('conditions', ()) if each['type'] != 'PodScheduled']
        bound = dict(pod, metadata=dict(pod['metadata']), spec=dict(pod['spec'], nodeName=target['name']),
                     status=dict(pod['status'], conditions=conditions + [scheduled]))
        if not dry_run:
            self.store.put('pods', bound)

    # Delete

    def delete(self, resource, namespace, name, options=None, dry_run=False):
        """Delete an object, or start to. Return (object, whether it is gone). Raise ApiError 404, 409 or 403."""
        options = options or {}
        obj = self.get(resource, namespace, name)
        resource = RESOURCES[resource].name
        check_preconditions(obj, options.get('preconditions') or {})
        if resource == 'namespaces' and name in UNDELETABLE_NAMESPACES:
            raise errors.forbidden(resource, name, 'this namespace may not be deleted')
        grace = strategies.grace_period(resource, obj, options.get('gracePeriodSeconds'))
        deleted = dict(obj, metadata=dict(obj['metadata']))
        metadata = deleted['metadata']
        if resource != 'events':  # which own nothing
            strategies.set_propagation(metadata, options)
        before = metadata.get('deletionGracePeriodSeconds')
        if 'deletionTimestamp' in metadata and before is not None and grace >= before and before > 0:
            return obj, False  # the current deletion is at least as fast
        shorten = grace - (before or 0) if 'deletionTimestamp' in metadata else grace
        metadata['deletionTimestamp'] = timestamp(shorten) if 'deletionTimestamp' not in metadata else earlier(
            metadata['deletionTimestamp'], shorten)
        if resource == 'namespaces':
            deleted['status'] = dict(obj.get('status', {}), phase='Terminating')
        else:
            metadata['deletionGracePeriodSeconds'] = grace
        if dry_run:
            return deleted, strategies.is_released(resource, deleted)
        if not strategies.is_released(resource, deleted):
            if deleted == obj:
                return obj, False
            if 'generation' in metadata and 'deletionTimestamp' not in obj['metadata']:
                metadata['generation'] += 1
            return self.store.put(resource, deleted), False
        if resource == 'pods':
            self.store.put(resource, dict(deleted, metadata=dict(metadata)))  # watchers see the deletionTimestamp first
        self.store.remove(resource, dict(deleted, metadata=dict(metadata)))
        return deleted, True


def check_preconditions(obj, preconditions):
    metadata = obj['metadata']
    for field, what, hint in (('uid', 'UID', 'deleted and then recreated'),
                              ('resourceVersion', 'ResourceVersion', 'modified')):
        wanted = preconditions.get(field)
        if wanted is not None and wanted != metadata[field]:
            raise errors.conflict(qualified_kind(obj['kind']), metadata['name'],
                                  'the %s in the precondition (%s) does not match the %s in record (%s). The object '
                                  'might have been %s' % (what, wanted, what, metadata[field], hint))


def immutable_uid(old, sent):
    """Return the ApiError for a patch of `old` whose metadata `sent` has another uid."""
    return errors.invalid(old['kind'], old['metadata']['name'], [(
        'FieldValueInvalid', 'metadata.uid', 'Invalid value: "%s": field is immutable' % sent.get('uid', ''))])
