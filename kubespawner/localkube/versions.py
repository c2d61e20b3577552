"""The API versions of a kind, and conversion between them.

What belongs here: which objects have to be converted, and their JSON. What does not: how (ingresses.py). Pure; any
thread. The store contains one version of each kind. An object is converted when it is read from a request, and when it
is sent.
"""
from . import ingresses
from .store import encode

CONVERSIONS = {'Ingress_v1beta1': (ingresses.from_beta, ingresses.to_beta)}  # type -> (to the stored one, from it)
NAMES = {'Ingress_v1beta1': ingresses.name_as_beta}  # type -> function that renames the fields in an error


def to_stored(row, obj):
    """Return `obj`, which has the version of `row`, in the version that the store contains."""
    return obj if row.is_stored else CONVERSIONS[row.type][0](obj)


def shown(row, obj):
    """Return `obj` from the store in the version of `row`."""
    return obj if row.is_stored else dict(CONVERSIONS[row.type][1](obj), apiVersion=row.api_version)


def item(row, stored):
    """Return the JSON of a Stored object as an item of a list, without kind and apiVersion."""
    if row.is_stored:
        return stored.item
    obj = shown(row, stored.object)
    return encode({key: value for key, value in obj.items() if key not in ('kind', 'apiVersion')})


def rename_fields(row, causes):
    """Return the causes of a 422 with the names of fields that `row` has."""
    rename = NAMES.get(row.type, lambda text: text)
    return [(reason, rename(field), rename(message) if field == 'spec' else message)
            for reason, field, message in causes]
