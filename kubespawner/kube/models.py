"""Creating and changing models of the client with dicts. Other packages use this for what users configure.

The field of a model may be written in camelCase, as in the API, or in snake_case, as in the client. Pure, any thread.
"""
import copy


def get_k8s_model(model_type, model_dict):
    """Return a model of the class `model_type` with the fields in a dict, or a copy of a model of that class.

    Raises ValueError for a key that is no field, and AttributeError for a value of another type.
    """
    if isinstance(model_dict, model_type):
        return copy.deepcopy(model_dict)
    if not isinstance(model_dict, dict):
        raise AttributeError('Cannot make a %s of a %s; it must be a dict or a %s.' % (
            model_type.__name__, type(model_dict).__name__, model_type.__name__))
    return model_type(**_by_attribute(model_type, copy.deepcopy(model_dict)))


def update_k8s_model(target, changes, logger=None, target_name=None, changes_name=None):
    """Set those fields of the model `target` that are in `changes`; return `target`.

    changes: a dict, or a model of the same class, of which all fields count that are not None.
    logger, target_name, changes_name: if there is a logger, each change of a value is logged, with these two names.

    Raises ValueError for a key that is no field, and AttributeError for a value of another type.
    """
    kind = type(target)
    if not hasattr(kind, 'attribute_map'):
        raise AttributeError('target is a %s; it must be a model of the kubernetes client.' % kind.__name__)
    if isinstance(changes, kind):
        given = {name: getattr(changes, name) for name in kind.attribute_map}
        changes = {name: value for name, value in given.items() if value is not None}
    elif not isinstance(changes, dict):
        raise AttributeError('changes is a %s; it must be a dict or a %s.' % (type(changes).__name__, kind.__name__))
    for name, value in _by_attribute(kind, copy.deepcopy(changes)).items():
        before = getattr(target, name)
        if logger and before and before != value:
            logger.info('%s.%s was %r. It becomes %r, because of %s.%s.', target_name, name, before, value,
                        changes_name, name)
        setattr(target, name, value)
    return target


def _by_attribute(model_type, fields):
    """Return a dict with the attributes of a model as its keys. Raises ValueError."""
    attributes = {key: attribute for attribute, key in model_type.attribute_map.items()}
    unknown = [key for key in fields if key not in attributes and key not in model_type.attribute_map]
    if unknown:
        raise ValueError('%r is not a field of %s. Its fields are: %s.' % (
            unknown[0], model_type.__name__, ', '.join(sorted(attributes))))
    return {attributes.get(key, key): value for key, value in fields.items()}
