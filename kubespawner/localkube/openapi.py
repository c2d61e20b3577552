"""The description of the API that `kubectl apply` and `kubectl explain` read.

What belongs here: fields.py and resources.py as OpenAPI 3. What does not: behaviour. Constant; any thread may read it.
"""
from .fields import TYPES
from .releases import version_info
from .resources import API_VERSIONS, RESOURCES, ROWS, base_path, is_served

PREFIX = 'io.k8s.api.'
OF_SUBRESOURCES = {'Binding': [{'group': '', 'kind': 'Binding', 'version': 'v1'}],
                   'TokenRequest': [{'group': 'authentication.k8s.io', 'kind': 'TokenRequest', 'version': 'v1'}]}
SCALARS = {'int': 'integer', 'number': 'integer', 'bool': 'boolean', 'flag': 'boolean', 'object': 'object'}


def schema_of(type_name):
    if type_name in TYPES:
        return {'allOf': [{'$ref': '#/components/schemas/' + PREFIX + type_name}], 'default': {}}
    if type_name == 'intstr':
        return {'oneOf': [{'type': 'integer'}, {'type': 'string'}]}
    return {'type': SCALARS.get(type_name, 'string')}


def field_schema(field):
    if field.shape == 'map':
        return {'type': 'object', 'additionalProperties': schema_of(field.type)}
    if field.shape != 'list':
        return schema_of(field.type)
    schema = {'type': 'array', 'items': schema_of(field.type)}
    if field.merge_key:
        schema['x-kubernetes-patch-strategy'] = 'merge'
        if field.merge_key != '*':
            schema['x-kubernetes-patch-merge-key'] = field.merge_key
    return schema


def type_schema(name, fields):
    schema = {'type': 'object', 'properties': {field: field_schema(each) for field, each in fields.items()}}
    if 'apiVersion' in fields and 'metadata' in fields:
        schema['x-kubernetes-group-version-kind'] = [
            identity(row) for row in ROWS.values() if row.type == name] or OF_SUBRESOURCES[name]
    return schema


def identity(resource):
    return {'group': resource.group, 'kind': resource.kind, 'version': resource.version}


def path_item(resource):
    """Return the path item that declares patches, and the validation of unknown fields."""
    parameter = {'name': 'fieldValidation', 'in': 'query', 'schema': {'type': 'string'}}
    operation = {'parameters': [parameter], 'responses': {'200': {'description': 'OK'}},
                 'x-kubernetes-group-version-kind': identity(resource)}
    content = {media_type: {'schema': {'type': 'object'}} for media_type in (
        'application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json')}
    patch = dict(operation, requestBody={'content': content}, **{'x-kubernetes-action': 'patch'})
    return {'patch': patch, 'put': dict(operation, **{'x-kubernetes-action': 'put'})}


def documents(release):
    """Return {path: document} for a release of Kubernetes."""
    rows = [row for row in RESOURCES.values() if is_served(row, release)]
    served = [api_version for api_version in API_VERSIONS if any(row.api_version == api_version for row in rows)]
    schemas = {PREFIX + name: type_schema(name, fields) for name, fields in TYPES.items()}
    result = {'/openapi/v3': {'paths': {path[1:]: {'serverRelativeURL': '/openapi/v3%s?hash=localkube' % path}
                                        for path in map(base_path, served)}}}
    for api_version in served:
        paths = {'%s/%s%s/{name}' % (base_path(api_version), 'namespaces/{namespace}/' if row.namespaced else '',
                                     row.name): path_item(row)
                 for row in rows if row.api_version == api_version}
        result['/openapi/v3' + base_path(api_version)] = {
            'openapi': '3.0.0', 'info': {'title': 'Kubernetes', 'version': version_info(release)['gitVersion']},
            'paths': paths, 'components': {'schemas': schemas}}
    return result
