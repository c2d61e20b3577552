"""Checks of templates: whether their fields exist, and whether they need each other in a circle.

Pure functions of the values of settings. What a subclass expands otherwise is left for the start to judge.
"""
from functools import partial

from .. import naming

# The fields of templates besides those that are made of the names of users and servers, and the settings that make
# them: templates, too, if they are set.
MADE_BY = {'pod_name': 'pod_name_template', 'pvc_name': 'pvc_name_template', 'namespace': 'user_namespace_template',
           'hubnamespace': None}


def template_problem(trait, value, templates):
    """Return what is wrong with a value that is a template, as the rest of a sentence; None if nothing is.

    templates (dict): the values of other settings that are templates, by trait.
    """
    try:
        naming.expand_all(value, lambda text: naming.expand(text, _fields(templates, (trait,))))
    except ValueError as e:
        return str(e)


def _fields(templates, needed):
    """Return the fields of the last of the templates `needed` (a tuple of traits), each of which needs the next one."""
    others = {field: partial(_made, templates, needed, field) for field in MADE_BY}
    if needed[-1] == 'dns_name_template':
        others['name'] = others['pod_name']
    return naming.template_fields('ann', 1, 'x', others=others)


def _made(templates, needed, field, _):
    """Return an example of a field. Raises ValueError if the first of the templates `needed` is needed for it."""
    trait = MADE_BY[field]
    if trait == needed[0]:
        raise ValueError(_circle(needed, field))
    if trait in templates and trait not in needed:
        try:
            return naming.expand(templates[trait], _fields(templates, needed + (trait,)))
        except naming.NoTemplate:  # which is found where that template is looked at
            pass
    return 'x'


def _circle(needed, field):
    if len(needed) == 1:
        return 'cannot have the field {%s}, which is the result of this template.' % field
    through = ' and '.join('KubeSpawner.%s' % trait for trait in needed[1:])
    return 'needs the result of %s, which needs the result of this template.' % through
