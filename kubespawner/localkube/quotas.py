"""Quotas: what a namespace may use, and what it uses.

What belongs here: the admission of objects, and keeping the status of quotas up to date. What does not: what an object
uses (quota_usage.py). Everything runs on the loop thread of the server.
"""
import functools

from . import errors, quantities
from .later import OnceLater
from .pod_resources import combine
from .quota_usage import ENDED, UPDATED, missing, selects, usage
from .resources import RESOURCES, STORED

QUOTAS = 'resourcequotas'


class QuotaController(object):
    """Refuses what exceeds a quota, and writes `status` of quotas."""

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self.sync_later = OnceLater(self.sync)
        registry.validators.append(self.admit)
        for row in STORED:
            if row.namespaced and row.name != 'events':
                self.store.watch(row.name, lambda change, resource=row.name: self.on_change(resource, change))

    def on_change(self, resource, change):
        """Count again if something is gone, has ended or has changed. New objects are counted by `admit`."""
        if resource == QUOTAS:
            if change.new and not (change.old and change.old.object['spec'] == change.new.object['spec']):
                self.sync_later(change.key[0])
        elif change.old and self.of_namespace(change.key[0]):
            if resource in UPDATED or change.new is None or has_ended(change.new.object) != has_ended(
                    change.old.object):
                self.sync_later(change.key[0])

    def of_namespace(self, namespace):
        return [stored.object for stored in self.store.list(QUOTAS, namespace)] if namespace else []

    # Admission

    def admit(self, row, obj, old=None):
        """Return a function that counts a new or updated object. Raise ApiError 403 if it exceeds a quota."""
        if row.name == 'events' or old is not None and row.name not in UPDATED:
            return None
        quotas = [quota for quota in self.of_namespace(obj['metadata'].get('namespace')) if selects(
            quota, row.name, obj)]
        wanted = usage(row.name, obj) if quotas else {}
        if old is not None:
            wanted = combine(quantities.subtract, wanted, usage(row.name, old))
        wanted = {name: value for name, value in wanted.items() if quantities.parse(value)}
        counted = [(quota, self.check(row, obj, quota, wanted)) for quota in quotas]
        return functools.partial(self.charge, counted)

    def charge(self, counted):
        for quota, used in counted:
            if used != quota['status'].get('used', {}):
                self.registry.replace_status(QUOTAS, quota, dict(quota['status'], used=used))

    def check(self, row, obj, quota, wanted):
        """Return what is used with an object. Raise ApiError 403 if that is more than a quota allows."""
        name, hard = quota['metadata']['name'], quota['status'].get('hard', {})
        if row.name == 'pods':
            lacking = missing(obj, hard)
            if lacking:
                raise self.forbidden(row, obj, 'failed quota: %s: must specify %s' % (name, self.names(lacking)))
        wanted = {key: value for key, value in wanted.items() if key in hard}
        used = quota['status'].get('used', {})
        new = combine(quantities.add, {key: used.get(key, '0') for key in wanted}, wanted)
        exceeded = sorted(key for key in wanted if quantities.parse(new[key]) > quantities.parse(hard[key]))
        if exceeded:
            raise self.forbidden(row, obj, 'exceeded quota: %s, requested: %s, used: %s, limited: %s' % (
                (name,) + tuple(','.join('%s=%s' % (key, amounts.get(key, '0')) for key in exceeded)
                                for amounts in (wanted, used, hard))))
        return dict(used, **new)

    def names(self, lacking):
        """Return which resources containers do not request. Newer API servers name the containers."""
        if self.registry.release < (1, 26):
            return ','.join(sorted(lacking))
        return '; '.join('%s for: %s' % (name, ','.join(sorted(containers)))
                         for name, containers in sorted(lacking.items()))

    @staticmethod
    def forbidden(row, obj, why):
        return errors.forbidden(row.qualified, obj['metadata'].get('name', ''), why)

    # Status

    def sync(self, namespace):
        for quota in self.of_namespace(namespace):
            hard = quota['spec'].get('hard', {})
            status = {'hard': hard, 'used': self.used(namespace, quota, hard)}
            if status != quota['status']:
                try:
                    self.registry.replace_status(QUOTAS, quota, status)
                except errors.ApiError:
                    pass  # the quota is not valid

    def used(self, namespace, quota, hard):
        total = {}
        for resource in STORED:
            if resource.namespaced and resource.name != 'events':
                for stored in self.store.list(resource.name, namespace):
                    if selects(quota, resource.name, stored.object):
                        total = combine(quantities.add, total, usage(resource.name, stored.object))
        return {name: total.get(name, '0') for name in hard if name in total or is_known(name)}


def is_known(name):
    """Return whether a quota can count something of this name, though there is none of it now."""
    if name.startswith('count/'):
        return name[len('count/'):] in {row.qualified for row in RESOURCES.values() if row.is_stored}
    return True


def has_ended(obj):
    return obj.get('status', {}).get('phase') in ENDED
