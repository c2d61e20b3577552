"""The names of a route's objects, and templates filled in with what a route is for. Pure, any thread."""
import functools

from .. import naming

# The fields of templates that are made of the data of a route, by the key in it.
_OF_DATA = {'username': 'user', 'servername': 'server_name', 'servicename': 'service'}


@functools.lru_cache(maxsize=20000)  # all routes are read again and again
def name_of(routespec):
    """Return the name of the objects of a route, such as `jupyter--2fuser-2fann-2f-route` for `/user/ann/`."""
    return naming.generate_hashed_slug('jupyter-%s-route' % naming.escape(routespec)).lower()


def fields_of(routespec, data, hubnamespace):
    """Return the fields of templates, a dict of strings.

    data (dict): JupyterHub's own; it names a user and server, or a service. What it does not name is empty.
    """
    plain = {field: str(data.get(key) or '') for field, key in _OF_DATA.items()}
    plain['routespec'] = routespec
    fields = {field: naming.escape(value) for field, value in plain.items()}
    fields.update(('unescaped_' + field, value) for field, value in plain.items())
    return dict(fields, hubnamespace=hubnamespace)


def fill(value, fields):
    """Return a value with the fields replaced in all its strings, in nested lists and dicts, except for keys.

    A string with other fields, or with braces that mean something else, stays as it is.
    """
    return naming.expand_all(value, lambda text: naming.fill(
        text, lambda template: template.format_map(fields), needs_field=True) if isinstance(text, str) else text)


def labels(templates, fields):
    """Return labels with the fields replaced in their values, which are shortened if they are no valid labels then."""
    return {label: naming.label_value(fill(str(value), fields)) if '{' in str(value) else str(value)
            for label, value in templates.items()}
