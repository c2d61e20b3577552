"""Defaults that all spawners of a class have in common: made once for the class, and yet each spawner's own."""
import copy
import pickle

import pytest
import traitlets
from traitlets import Integer, List, Unicode, default

from kubespawner import KubeSpawner
from kubespawner.configuration.defaults import SharedDefaults, settings
from kubespawner.traitlets import KubeObjectList
from tests.cluster.conftest import make_spawner

needs_traitlets_5 = pytest.mark.skipif(
    traitlets.version_info < (5,), reason='older ones make all defaults with the object')


@pytest.fixture(autouse=True)
def a_new_hub(monkeypatch):
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)


@needs_traitlets_5
def test_defaults_are_made_and_validated_once_for_a_class(monkeypatch):
    made, make = [], traitlets.TraitType.default

    def counting(trait, obj=None):
        made.append(trait.name)
        return make(trait, obj)

    monkeypatch.setattr(traitlets.TraitType, 'default', counting)
    validated, validate = [], KubeObjectList.validate
    monkeypatch.setattr(KubeObjectList, 'validate',
                        lambda trait, obj, value: validated.append(trait.name) or validate(trait, obj, value))

    class Own(KubeSpawner):
        pass

    first, second = make_spawner(Own), make_spawner(Own)
    made.clear()
    validated.clear()
    for spawner in (first, second):
        assert spawner.volumes == [] and spawner.tolerations == []
        assert spawner.singleuser_node_selector == {} and spawner.start_failure_grace is None
        assert spawner.environment == {}
    assert made == [] and validated == []


def test_each_object_has_a_list_and_a_dict_of_its_own():
    first, second = make_spawner(KubeSpawner), make_spawner(KubeSpawner)
    first.volumes.append({'name': 'mine'})
    first.environment['MINE'] = '1'
    assert second.volumes == [] and second.environment == {}
    assert first.volumes == [{'name': 'mine'}] and first.environment == {'MINE': '1'}
    assert make_spawner(KubeSpawner).volumes == []


def test_settings_read_together_are_what_the_attributes_are():
    class Own(KubeSpawner):
        scheduler_name = property(lambda self: 'of a property')
        node_selector = property(lambda self: {'by': 'another name'})
        priority_class_name = Unicode('of a subclass')

        @default('mem_limit')
        def _half(self):
            return '1G'

    spawner = make_spawner(Own, singleuser_image_pull_policy='Always')
    names = ['scheduler_name', 'singleuser_node_selector', 'priority_class_name', 'mem_limit', 'image_pull_policy',
             'cpu_limit', 'tolerations', 'singleuser_image_pull_policy']
    read = settings(spawner, names)
    assert read == {name: getattr(spawner, name) for name in names}
    assert [read[name] for name in names[:5]] == [
        'of a property', {'by': 'another name'}, 'of a subclass', 2 ** 30, 'Always']


@pytest.mark.gen_test
def test_a_function_that_is_a_setting_may_change_one_that_is_read_later():
    def uid(spawner):
        spawner.singleuser_fs_gid = 7
        return 5

    spawner = make_spawner(KubeSpawner, singleuser_uid=uid)
    pod = yield spawner.get_pod_manifest()
    assert (pod.spec.security_context.run_as_user, pod.spec.security_context.fs_group) == (5, 7)


def test_a_setting_that_nobody_has_read_has_no_value_yet():
    spawner = make_spawner(KubeSpawner)
    if hasattr(spawner, 'trait_has_value'):  # since traitlets 5
        assert not spawner.trait_has_value('volumes')
        assert spawner.volumes == [] and spawner.trait_has_value('volumes')


class Parent(SharedDefaults):
    numbers = List(Integer(), [1, 2])
    name = Unicode('parent')


class Computing(Parent):
    calls = 0

    @default('numbers')
    def _numbers(self):
        Computing.calls += 1
        return [Computing.calls]


class Doubling(List):
    def validate(self, obj, value):
        return super().validate(obj, value * obj.factor)


class LooksAtTheObject(SharedDefaults):
    factor = Integer(1)
    numbers = Doubling(Integer(), [1])


def test_a_default_that_a_class_computes_is_computed_for_each_object():
    assert Computing().numbers != Computing().numbers


def test_a_default_of_a_subclass_counts_for_the_subclass():
    assert Parent().numbers == [1, 2]
    child = type('Child', (Parent,), {'numbers': List(Integer(), [3])})
    assert child().numbers == [3]
    assert Parent().numbers == [1, 2]


def test_a_trait_type_of_somebody_else_is_asked_for_each_object():
    assert LooksAtTheObject(factor=2).numbers == [1, 1]
    assert LooksAtTheObject(factor=3).numbers == [1, 1, 1]


def test_a_trait_that_is_added_to_an_object_has_its_default():
    parent = Parent()
    parent.add_traits(more=List(Integer(), [7]))
    assert parent.more == [7] and parent.numbers == [1, 2]


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda obj: pickle.loads(pickle.dumps(obj))])
def test_a_copy_has_the_same_values_and_defaults(copied):
    original = Parent(name='given')
    again = copied(original)
    assert again.name == 'given' and again.numbers == [1, 2]


@needs_traitlets_5
def test_a_wrong_default_is_refused_when_it_is_read():
    wrong = type('Wrong', (SharedDefaults,), {'numbers': List(Integer(), ['a'])})()
    with pytest.raises(traitlets.TraitError):
        assert wrong.numbers
