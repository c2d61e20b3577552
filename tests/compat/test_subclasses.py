"""Settings that subclasses and mixins declare, under every name that a setting has had."""
import copy
import functools
import logging
import warnings

import pytest
from jupyterhub.app import JupyterHub
from tornado.ioloop import IOLoop
from traitlets import All, Any, HasTraits, Integer, List, TraitError, TraitType, Unicode, default, observe, validate
from traitlets import link as linked
from traitlets.config import Config, Configurable

from kubespawner import KubeSpawner
from kubespawner.configuration.aliases import NAMES
from kubespawner.kube.clients import to_dict
from tests.test_aliases import PAIRS, VALUES, make_spawner

# What other years allowed is what is tested here, whatever traitlets says of it today.
pytestmark = pytest.mark.filterwarnings('ignore:.*deprecated in traitlets:DeprecationWarning')

every_name = pytest.mark.parametrize('name, trait', PAIRS)
some_names = pytest.mark.parametrize('name, trait', [
    ('image', 'singleuser_image_spec'), ('singleuser_image_spec', 'singleuser_image_spec'),
    ('fs_gid', 'singleuser_fs_gid'), ('kube_namespace', 'namespace')])


@pytest.fixture(autouse=True)
def own_reflector(monkeypatch):
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)


class Lazy:
    """A property that keeps its value among the attributes of the object, as functools.cached_property does."""

    def __init__(self, name, compute):
        self.name, self.compute = name, compute

    def __get__(self, obj, cls=None):
        if obj is None:
            return self
        obj.__dict__[self.name] = self.compute(obj)
        return obj.__dict__[self.name]


# How a class can declare that a setting has a value: functions of the name and the value that return attributes.
DECLARATIONS = {
    'trait': lambda name, value: {name: Any(value, config=True)},
    'attribute': lambda name, value: {name: value},
    'default': lambda name, value: {'_what_it_is': default(name)(lambda self: value)},
    'default-of-that-name': lambda name, value: {'_%s_default' % name: default(name)(lambda self: value)},
    'magic-default': lambda name, value: {'_%s_default' % name: lambda self: value},
}
COMPUTED = {
    'trait-without-config': lambda name, value: {name: Any(value)},
    'property': lambda name, value: {name: property(lambda self: value)},
    'property-with-setter': lambda name, value: {name: property(lambda self: value, lambda self, value: None)},
    'lazy': lambda name, value: {name: Lazy(name, lambda self: value)},
}
EVERY_WAY = sorted(dict(DECLARATIONS, **COMPUTED).items())

# What a class with certain attributes can be.
SHAPES = {
    'subclass': lambda attributes: type('Sub', (KubeSpawner,), attributes),
    'parent': lambda attributes: type('Sub', (type('Parent', (KubeSpawner,), attributes),), {}),
    'mixin': lambda attributes: type('Sub', (type('Mixin', (), attributes), KubeSpawner), {}),
    'mixin-with-traits': lambda attributes: type('Sub', (type(HasTraits)('Mixin', (HasTraits,), attributes),
                                                         KubeSpawner), {}),
    'mixin-of-a-parent': lambda attributes: type('Sub', (type('Parent', (
        type('Mixin', (type('Below', (), attributes),), {}), KubeSpawner), {}),), {}),
    'mixin-over-a-subclass': lambda attributes: type('Sub', (type('Mixin', (), attributes),
                                                             type('Parent', (KubeSpawner,), {})), {}),
}
every_shape = pytest.mark.parametrize('shape', sorted(SHAPES))


def configured(cls, trait, **sections):
    """Return a spawner with what it takes to make a claim, and the same in each run."""
    settings = dict({} if trait == 'user_storage_capacity' else {'user_storage_capacity': '1Gi'}, hub_connect_port=8081)
    return make_spawner(cls, config=Config(sections, KubeSpawner=dict(settings, **sections.get('KubeSpawner', {}))))


def made(spawner):
    """Return what is made of a spawner's settings: its pod, its claim, and what else concerns its objects."""
    loop = IOLoop()
    try:
        pod = to_dict(loop.run_sync(spawner.get_pod_manifest))
    finally:
        loop.close()
    claim = to_dict(spawner.get_pvc_manifest()) if spawner.user_storage_capacity else None
    others = ('namespace', 'user_storage_pvc_ensure', 'delete_grace_period', 'k8s_api_host', 'k8s_api_ssl_ca_cert',
              'slow_spawn_message_threshold')
    return pod, claim, [getattr(spawner, name) for name in others]


@functools.lru_cache(maxsize=None)
def made_by_default(trait):
    return made(configured(KubeSpawner, trait))


def made_with(trait, value):
    return made(configured(KubeSpawner, trait, KubeSpawner={trait: value}))


@pytest.mark.parametrize('way, declaration', EVERY_WAY, ids=[way for way, _ in EVERY_WAY])
@every_name
def test_what_a_subclass_declares_is_in_what_is_made(name, trait, way, declaration):
    spawner = configured(SHAPES['subclass'](declaration(name, VALUES[trait])), trait)
    assert made(spawner) == made_with(trait, VALUES[trait]) != made_by_default(trait)
    assert all(getattr(spawner, each) == VALUES[trait] for each in NAMES[trait])


@pytest.mark.parametrize('way, declaration', EVERY_WAY, ids=[way for way, _ in EVERY_WAY])
@every_shape
@some_names
def test_what_parents_and_mixins_declare_is_in_what_is_made(name, trait, shape, way, declaration):
    cls = SHAPES[shape](declaration(name, VALUES[trait]))
    assert made(configured(cls, trait)) == made_with(trait, VALUES[trait])


@pytest.mark.parametrize('declaration', [each for _, each in sorted(DECLARATIONS.items())], ids=sorted(DECLARATIONS))
@every_name
def test_what_is_configured_by_any_name_counts_more_than_what_is_declared(name, trait, declaration):
    by_default = getattr(make_spawner(KubeSpawner), trait)
    cls = SHAPES['subclass'](declaration(name, VALUES[trait]))
    for other in NAMES[trait]:
        spawner = make_spawner(cls, config=Config({'KubeSpawner': {other: by_default}}))
        assert getattr(spawner, trait) == getattr(spawner, name) == by_default


@pytest.mark.parametrize('declaration', [each for _, each in sorted(DECLARATIONS.items())], ids=sorted(DECLARATIONS))
@every_shape
@some_names
def test_what_is_configured_for_any_class_counts_more_than_what_is_declared(name, trait, shape, declaration):
    by_default = getattr(make_spawner(KubeSpawner), trait)
    cls = SHAPES[shape](declaration(name, VALUES[trait]))
    for where in ('KubeSpawner', 'Parent' if shape == 'parent' else 'Sub'):
        for other in NAMES[trait]:
            spawner = make_spawner(cls, config=Config({where: {other: by_default}}))
            assert getattr(spawner, trait) == getattr(spawner, name) == by_default
    spawner = make_spawner(cls, config=Config({'KubeSpawner': {name: VALUES[trait]}, 'Sub': {trait: by_default}}))
    assert getattr(spawner, name) == by_default


@pytest.mark.parametrize('above', [way for way, _ in EVERY_WAY])
@pytest.mark.parametrize('below', [way for way, _ in EVERY_WAY])
@pytest.mark.parametrize('names', [('image_spec', 'image'), ('image', 'singleuser_image_spec')])
def test_of_two_classes_the_most_derived_counts(below, above, names):
    ways = dict(EVERY_WAY)
    parent = type('Parent', (KubeSpawner,), ways[below](names[0], 'below'))
    cls = type('Sub', (parent,), ways[above](names[1], 'above'))
    if below in ('property', 'property-with-setter', 'lazy') and 'default' in above:
        pytest.skip('a property takes no default')
    assert configured(cls, 'singleuser_image_spec').image == 'above'
    assert configured(parent, 'singleuser_image_spec').image == 'below'


@every_name
def test_a_declaration_says_nothing_about_other_classes(name, trait):
    before = made_by_default(trait)
    mixin = type('Mixin', (HasTraits,), {name: Any(VALUES[trait])})
    for cls in (type('One', (mixin, KubeSpawner), {}), type('Two', (KubeSpawner,), {name: VALUES[trait]})):
        assert getattr(configured(cls, trait), trait) == VALUES[trait]
    assert made(configured(KubeSpawner, trait)) == made(configured(type('Sub', (KubeSpawner,), {}), trait)) == before
    assert getattr(mixin(), name) == VALUES[trait]


def test_a_mixin_counts_by_its_place_among_the_bases():
    class Mixin(HasTraits):
        image = Unicode('mixin', config=True)

        @default('fs_gid')
        def _default_fs_gid(self):
            return 1

    class Sub(KubeSpawner):
        image_spec = 'sub'
        fs_gid = Integer(2, config=True)

    first, last = type('First', (Mixin, Sub), {}), type('Last', (Sub, Mixin), {})
    assert (make_spawner(first).image, make_spawner(first).fs_gid) == ('mixin', 1)
    assert (make_spawner(last).image, make_spawner(last).fs_gid) == ('sub', 2)


def test_a_mixin_between_a_subclass_and_kubespawner_counts_less_than_that():
    class Mixin(HasTraits):
        image = Unicode('mixin', config=True)
        fs_gid = 1

    class Sub(KubeSpawner):
        singleuser_image_spec = 'sub'

    class Both(Sub, Mixin, KubeSpawner):
        pass

    assert Both.__mro__[1:3] == (Sub, Mixin)
    assert (make_spawner(Both).image, make_spawner(Both).fs_gid) == ('sub', 1)


def test_another_type_of_trait_is_the_one_that_validates():
    class Sub(KubeSpawner):
        fs_gid = Integer(4242, config=True)
        image_pull_secrets = List(Unicode(), ['registry'])

    spawner = make_spawner(Sub)
    assert (spawner.singleuser_fs_gid, spawner.singleuser_image_pull_secrets) == (4242, ['registry'])
    for name in ('fs_gid', 'singleuser_fs_gid'):
        with pytest.raises(TraitError):
            setattr(spawner, name, lambda spawner: 5)


@pytest.mark.parametrize('name', ['extra_labels', 'singleuser_extra_labels'])
def test_what_a_class_declares_is_not_shared_by_spawners(name):
    cls = type('Sub', (KubeSpawner,), {name: {'a': 'b'}})
    one, other = make_spawner(cls), make_spawner(cls)
    one.extra_labels['c'] = 'd'
    assert other.extra_labels == {'a': 'b'}


def test_what_is_configured_is_added_to_what_is_declared():
    class Sub(KubeSpawner):
        init_containers = [{'name': 'a'}]

    config = Config()
    config.KubeSpawner.singleuser_init_containers.append({'name': 'b'})
    for _ in range(2):
        assert make_spawner(Sub, config=config).init_containers == [{'name': 'a'}, {'name': 'b'}]


# super()


@pytest.mark.parametrize('other', NAMES['singleuser_image_spec'])
@pytest.mark.parametrize('way, declaration', EVERY_WAY, ids=[way for way, _ in EVERY_WAY])
def test_super_is_what_the_parents_declare(other, way, declaration):
    class Parent(KubeSpawner):
        locals().update(declaration('image_spec', 'parent'))

    class Sub(Parent):
        @property
        def image(self):
            return getattr(super(), other) + ':tag'

    assert made(configured(Sub, 'singleuser_image_spec')) == made_with('singleuser_image_spec', 'parent:tag')


@pytest.mark.parametrize('other', NAMES['singleuser_image_spec'])
@pytest.mark.parametrize('name', NAMES['singleuser_image_spec'])
def test_a_property_can_read_and_set_the_setting_under_another_name(name, other):
    class Sub(KubeSpawner):
        def _read(self):
            return 'registry/' + getattr(super() if other == name else self, other)

        def _write(self, value):
            setattr(self, other, value.upper())

        locals()[name] = property(_read, None if other == name else _write)

    spawner = make_spawner(Sub, config=Config({'KubeSpawner': {'image_spec': 'x'}}))
    expected = 'registry/' + ('x' if other == name else 'X')
    for each in NAMES['singleuser_image_spec']:
        assert getattr(spawner, each) == expected
    if other != name:
        spawner.image = 'y'
        assert spawner.singleuser_image_spec == 'registry/Y'


def test_super_of_a_magic_default_is_the_parents():
    class Parent(KubeSpawner):
        def _image_default(self):
            return 'parent'

    class Sub(Parent):
        def _image_default(self):
            return super()._image_default() + ':tag'

    assert make_spawner(Sub).singleuser_image_spec == 'parent:tag'


@pytest.mark.parametrize('way', ['default', 'default-of-that-name', 'magic-default'])
@every_name
def test_a_default_that_reads_the_setting_under_another_name_gets_that_of_the_parents(name, trait, way):
    if name == trait:
        pytest.skip('it does not in traitlets either')
    by_default = getattr(make_spawner(KubeSpawner), trait)
    seen = []

    def compute(self):
        seen.append(getattr(self, trait))
        return VALUES[trait]

    key, = DECLARATIONS[way](name, None)
    cls = type('Sub', (KubeSpawner,), {key: compute if way == 'magic-default' else default(name)(compute)})
    spawner = make_spawner(cls)
    assert (getattr(spawner, name), seen) == (VALUES[trait], [by_default])


@pytest.mark.parametrize('new, old', [('image', 'singleuser_image_spec'), ('singleuser_image_spec', 'image')])
def test_a_class_for_two_years_may_have_a_property_for_its_own_trait(new, old):
    class Sub(KubeSpawner):
        locals()[new] = Unicode('declared', config=True)
        locals()[old] = property(lambda self: getattr(self, new))

    assert made(configured(Sub, 'singleuser_image_spec')) == made_with('singleuser_image_spec', 'declared')
    spawner = make_spawner(Sub, config=Config({'Sub': {new: 'configured'}}))
    assert (spawner.image, spawner.singleuser_image_spec) == ('configured', 'configured')


# Changes


def observers(name, seen):
    """Return by how they observe: what a class declares to see changes of a setting."""
    return {
        'observe': {'_see': observe(name)(lambda self, change: seen.append((change['name'], change.new)))},
        'observe-more': {'_see': observe(name, 'cmd')(lambda self, change: seen.append((change.name, change.new)))},
        'magic': {'_%s_changed' % name: lambda self, name, old, new: seen.append((name, new))},
        'magic-of-two': {'_%s_changed' % name: lambda self, name, new: seen.append((name, new))},
    }


@pytest.mark.parametrize('way', sorted(observers('image', [])))
@every_name
def test_an_observer_gets_each_change_once_and_the_name_that_it_observes(name, trait, way, shape='subclass'):
    seen = []
    spawner = make_spawner(SHAPES[shape](observers(name, seen)[way]))
    assert seen == []
    for value, other in zip([VALUES[trait], getattr(spawner, trait)], NAMES[trait]):
        setattr(spawner, other, value)
        assert seen.pop() == (name, getattr(spawner, trait)) and not seen


@pytest.mark.parametrize('way', sorted(observers('image', [])))
@every_shape
@some_names
def test_an_observer_of_a_parent_or_mixin_does_so_too(name, trait, way, shape):
    test_an_observer_gets_each_change_once_and_the_name_that_it_observes(name, trait, way, shape)


@every_name
def test_an_observer_of_one_spawner_gets_the_name_that_it_observes_until_it_is_removed(name, trait):
    seen = []

    def see(change):
        seen.append((change.name, change.new))

    spawner = make_spawner(KubeSpawner)
    by_default = getattr(spawner, trait)
    spawner.observe(see, name)
    spawner.observe(see, names=[name])
    with spawner.hold_trait_notifications():
        spawner.set_trait(name, VALUES[trait])
        assert seen == []
    assert seen == [(name, VALUES[trait])]
    spawner.unobserve(see, name)
    setattr(spawner, name, by_default)
    assert len(seen) == 1
    spawner.observe(see, All)
    setattr(spawner, name, VALUES[trait])
    assert seen[1:] == [(trait, VALUES[trait])]


@every_name
def test_a_spawner_can_be_linked_by_any_name(name, trait):
    class Other(HasTraits):
        value = Any()

    spawner, other = make_spawner(KubeSpawner), Other()
    link = linked((spawner, name), (other, 'value'))
    other.value = VALUES[trait]
    assert getattr(spawner, trait) == VALUES[trait]
    link.unlink()


def validators(name):
    def check(self, proposal):
        assert proposal['trait'].name == name
        return VALUES[name_of_trait(name)] if proposal['value'] is not None else None

    return {
        'decorator': {'check': validate(name)(check)},
        'decorator-first-in-the-alphabet': {'_Check': validate(name)(check)},
        'magic': {'_%s_validate' % name: lambda self, value, trait: VALUES[name_of_trait(name)]},
    }


def name_of_trait(name):
    trait, = [trait for each, trait in PAIRS if each == name]
    return trait


@pytest.mark.parametrize('way', sorted(validators('image')))
@every_name
def test_a_validator_decides_what_is_set(name, trait, way, shape='subclass'):
    if way == 'magic' and name == trait:
        pytest.skip('traitlets 4 has no such method beside a validator')
    spawner = make_spawner(SHAPES[shape](validators(name)[way]))
    value = copy.deepcopy(VALUES[trait])
    for other in NAMES[trait]:
        setattr(spawner, other, {'x': 'y'} if isinstance(value, dict) else type(value)())
        assert getattr(spawner, trait) == value


@pytest.mark.parametrize('way', sorted(validators('image')))
@every_shape
@some_names
def test_a_validator_of_a_parent_or_mixin_does_so_too(name, trait, way, shape):
    test_a_validator_decides_what_is_set(name, trait, way, shape)


def test_a_validator_of_a_subclass_comes_before_the_one_that_checks_namespaces():
    class Sub(KubeSpawner):
        @validate('kube_namespace')
        def _a(self, proposal):
            return proposal['value'].lower()

    assert make_spawner(Sub, kube_namespace='TEAM').namespace == 'team'
    with pytest.raises(TraitError, match='namespace'):
        make_spawner(Sub, kube_namespace='no namespace')


# Looking traits up


@every_name
def test_traits_are_listed_once_and_found_by_any_name(name, trait):
    class Sub(KubeSpawner):
        locals()[name] = Any(VALUES[trait], config=True)

    spawner = make_spawner(Sub)
    for traits in (Sub.class_traits(), spawner.traits(), Sub.class_traits(config=True), spawner.traits(config=True)):
        assert list(traits).count(trait) == 1 and name in traits and traits[name] is traits[trait]
        assert not set(NAMES[trait]) - {trait} & set(traits)
        assert traits.get(name) is traits.get(trait) is not None
    for names in (Sub.class_trait_names(), spawner.trait_names(config=True)):
        assert name in names and names.count(trait) == 1
    assert spawner.has_trait(name) and spawner.trait_metadata(name, 'config') is True
    assert getattr(Sub, name).default_value == VALUES[trait]
    assert isinstance(getattr(Sub, trait), TraitType)
    if hasattr(spawner, 'trait_defaults'):
        assert spawner.trait_defaults(name) == spawner.trait_values(config=True)[name] == VALUES[trait]
        assert spawner.trait_defaults(name, config=True)[name] == VALUES[trait]
        assert spawner.trait_has_value(name)


@every_name
def test_a_trait_can_be_copied_and_changed_by_any_name(name, trait):
    class Sub(KubeSpawner):
        locals()[name] = copy.copy(getattr(KubeSpawner, name))

    class Further(Sub):
        locals()[name] = getattr(Sub, name)

    getattr(Sub, name).help = 'changed'
    assert Sub.class_traits()[trait].help == 'changed' != getattr(KubeSpawner, trait).help
    assert getattr(make_spawner(Further, **{name: VALUES[trait]}), trait) == VALUES[trait]


@every_name
def test_the_help_of_a_subclass_lists_its_settings_with_all_names(name, trait):
    class Sub(KubeSpawner):
        locals()[name] = Any(VALUES[trait], config=True, help='What it is.')

    for text in (Sub.class_get_help(), Sub.class_config_section()):
        assert 'What it is.' in text and 'Other names: ' in text
        assert 'Sub.%s' % trait in text
    if 'class_config_rst_doc' in dir(Sub):
        assert 'What it is.' in Sub.class_config_rst_doc()


@pytest.mark.parametrize('is_known', [True, False], ids=['class-known-to-the-hub', 'class-unknown-to-the-hub'])
@pytest.mark.parametrize('options, name, value', [
    (['--KubeSpawner.image=x'], 'image', 'x'),
    (['--KubeSpawner.singleuser_image_spec=x', '--Sub.image=y'], 'image', 'y'),
    (['--KubeSpawner.image=x', '--Sub.image_spec=y'], 'image', 'y'),
    (['--Sub.kube_termination_grace=5'], 'delete_grace_period', 5),
    (['--Sub.storage_pvc_ensure=True'], 'storage_pvc_ensure', True),
    (['--KubeSpawner.init_containers=[{"name": "a"}]'], 'init_containers', [{'name': 'a'}]),
    (['--KubeSpawner.storage_access_modes=["a"]'], 'storage_access_modes', ['a']),
    (['--KubeSpawner.extra_labels={"a": "b"}'], 'extra_labels', {'a': 'b'}),
    (['--KubeSpawner.image_pull_secrets=a'], 'image_pull_secrets', 'a'),
    (['--KubeSpawner.cpu_request=0.5'], 'cpu_guarantee', 0.5),
    (['--KubeSpawner.mem_request=1G'], 'mem_guarantee', 2 ** 30),
])
def test_every_name_works_on_the_command_line(options, name, value, is_known, caplog):
    class Sub(KubeSpawner):
        image = Unicode('declared', config=True)

    hub = JupyterHub()
    if is_known:
        hub.classes = list(hub.classes) + [KubeSpawner, Sub]
    hub.parse_command_line(options)
    assert getattr(make_spawner(Sub, config=hub.config), name) == value
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# What cannot be honoured is told


@every_name
def test_a_value_that_the_setting_cannot_have_is_refused_when_the_class_is_created(name, trait):
    with pytest.raises(TraitError, match=r'Sub\.%s = ' % name):
        type('Sub', (KubeSpawner,), {name: object()})


@every_name
def test_a_method_of_such_a_name_is_told_of(name, trait):
    with pytest.warns(UserWarning, match=r'Sub: %s is a method' % name):
        cls = type('Sub', (KubeSpawner,), {name: lambda self: 'called'})
    if name != trait:
        assert getattr(make_spawner(cls), name)() == 'called'
        with pytest.warns(UserWarning, match=r'Sub: %s is a method' % name):
            cls = SHAPES['mixin']({name: lambda self: 'called'})
        spawner = configured(cls, trait, KubeSpawner={name: VALUES[trait]})
        assert made(spawner) == made_with(trait, VALUES[trait])


@pytest.mark.parametrize('names', [names for _, names in sorted(NAMES.items())], ids=lambda names: names[0])
def test_of_two_names_in_one_class_the_newer_counts_and_is_told_of(names):
    trait = name_of_trait(names[0])
    for way in (DECLARATIONS['trait'], DECLARATIONS['magic-default']):
        attributes = dict(way(names[-1], object()), **way(names[0], VALUES[trait]))
        with pytest.warns(UserWarning, match='names of one setting: .*%s.* counts' % names[0]):
            cls = type('Sub', (KubeSpawner,), attributes)
        assert getattr(make_spawner(cls), trait) == VALUES[trait]


@every_name
def test_what_is_configured_for_a_property_is_told_of_once_and_what_super_returns(name, trait, caplog):
    class Sub(KubeSpawner):
        locals()[name] = property(lambda self: VALUES[trait])

        def of_parent(self):
            return getattr(super(), name)

    by_default = getattr(make_spawner(KubeSpawner), trait)
    for _ in range(3):
        spawner = make_spawner(Sub, config=Config({'KubeSpawner': {trait: by_default}}))
        assert (getattr(spawner, trait), spawner.of_parent()) == (VALUES[trait], by_default)
    record, = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert 'Sub: ' in record.getMessage() and name in record.getMessage()
    with pytest.raises(AttributeError):
        setattr(spawner, name, by_default)


@every_name
def test_what_is_configured_for_a_trait_that_cannot_be_is_told_of_once(name, trait, caplog):
    cls = type('Sub', (KubeSpawner,), {name: Any(VALUES[trait])})
    for _ in range(3):
        spawner = make_spawner(cls, config=Config({'KubeSpawner': {name: None}}))
        assert getattr(spawner, name) == VALUES[trait]
    record, = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert 'config=True' in record.getMessage() and name in record.getMessage()


def test_what_can_be_honoured_is_not_told_of():
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        for _, declaration in EVERY_WAY:
            for shape in SHAPES.values():
                shape(declaration('image', 'x'))


@pytest.mark.gen_test
def test_a_profile_cannot_override_what_a_property_computes():
    class Sub(KubeSpawner):
        image = property(lambda self: 'x')

    spawner = make_spawner(Sub, profile_list=[{'display_name': 'A', 'kubespawner_override': {'image': 'y'}}])
    with pytest.raises(ValueError, match='image.*computed by a property of Sub'):
        yield spawner._profiles()


@pytest.mark.gen_test
def test_a_profile_overrides_a_property_that_can_be_set_until_it_ends():
    class Sub(KubeSpawner):
        tag = '1'
        image = property(lambda self: 'x:' + self.tag, lambda self, value: setattr(self, 'tag', value.split(':')[1]))

    spawner = make_spawner(Sub, profile_list=[
        {'display_name': 'A', 'kubespawner_override': {'image': 'x:2'}}, {'display_name': 'B'}])
    for choice, expected in [('A', 'x:2'), ('B', 'x:1')]:
        spawner.user_options = {'profile': choice}
        yield spawner.load_user_options()
        assert spawner.image == expected


def test_the_section_of_a_mixin_sets_the_setting_under_any_name():
    class Mixin(Configurable):
        image = Unicode('x', config=True)

    class Sub(Mixin, KubeSpawner):
        pass

    spawner = make_spawner(Sub, config=Config({'Mixin': {'image_spec': 'y'}, 'KubeSpawner': {'image': 'z'}}))
    assert spawner.singleuser_image_spec == 'y'


def test_what_a_lazy_property_has_kept_can_be_replaced_and_dropped():
    class Sub(KubeSpawner):
        times = 0

        def _compute(self):
            self.times += 1
            return 'computed-%d' % self.times

        image = Lazy('image', _compute)

    spawner = make_spawner(Sub)
    assert [spawner.image, spawner.singleuser_image_spec, spawner.image_spec] == ['computed-1'] * 3
    del spawner.image_spec
    assert spawner.image == 'computed-2'
    spawner.singleuser_image_spec = 'set'
    assert spawner.image == 'set'
    assert make_spawner(Sub, config=Config({'KubeSpawner': {'image': 'y'}})).image == 'y'


def test_a_subclass_may_have_a_metaclass_of_its_own():
    class Meta(type(KubeSpawner)):
        pass

    class Sub(KubeSpawner, metaclass=Meta):
        image = 'x'

    assert make_spawner(Sub).singleuser_image_spec == 'x'


def test_a_trait_can_be_added_to_one_spawner():
    spawner = make_spawner(KubeSpawner)
    spawner.add_traits(image=Unicode('x', config=True))
    spawner.image = 'y'
    assert spawner.singleuser_image_spec == 'y'
