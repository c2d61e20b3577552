"""Profiles: the pod that a choice gives, whose choice it is, and how long it lasts."""
import copy
import uuid
from collections import OrderedDict
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyterhub import version_info
from tornado import gen
from tornado.concurrent import Future
from traitlets import Dict, TraitError, validate

from kubespawner import profiles
from kubespawner.messages.errors import SpawnError
from kubespawner.parts.user_options import WITH_TEMPLATES
from tests.conftest import grant_hub, wait_for_service_account

from .conftest import UNTOUCHED, Objects


@gen.coroutine
def image_of(spawner):
    yield gen.moment
    return 'busybox:of-%s' % spawner.user.name


PROFILES = [
    {'display_name': 'Plain'},
    {'display_name': 'With options',
     'kubespawner_override': {
         'image_spec': image_of,
         'node_selector': {'disk': 'ssd', 'zone': None},
         'extra_labels': {'profile': 'options'},
         'supplemental_gids': lambda spawner: [len(spawner.user.name)],
         'delete_grace_period': 7},
     'profile_options': {
         'size': {'choices': {
             'small': {'kubespawner_override': {'mem_limit': '1G'}},
             'large': {'kubespawner_override': {'mem_limit': '2G', 'environment': {'SIZE': 'large'}}}}},
         'tool': {'unlisted_choice': {
             'enabled': True, 'validation_regex': '[a-z$(){}]*',
             'kubespawner_override': {'singleuser_image_spec': 'busybox:{value}'}}}}},
]


@pytest.fixture
def choosing(new_spawner):
    """`choosing(username, options, **traits)` returns a spawner of a user who chose `options`."""
    def new(username='ann', options=(), **traits):
        spawner = new_spawner(username, **dict(UNTOUCHED, **dict({'profile_list': PROFILES}, **traits)))
        spawner.user_options = dict(options)
        return spawner

    return new


LARGE = {'profile': 'with-options', 'size': 'large', 'tool--unlisted-choice': 'vim'}


@pytest.mark.gen_test
def test_a_choice_gives_the_pod_that_its_overrides_say_by_names_of_any_year(choosing, objects):
    spawner = choosing('ann', LARGE, singleuser_node_selector={'zone': 'a', 'arch': 'arm'})
    pod = yield objects.created_by(spawner)
    container = pod['spec']['containers'][0]
    assert container['image'] == 'busybox:vim'  # the option counts after the profile
    assert container['resources']['limits']['memory'] == str(2 * 2 ** 30)
    assert {'name': 'SIZE', 'value': 'large'} in container['env']
    assert pod['spec']['nodeSelector'] == {'disk': 'ssd', 'arch': 'arm'}
    assert pod['spec']['securityContext']['supplementalGroups'] == [3]
    assert pod['metadata']['labels']['profile'] == 'options'


@pytest.mark.gen_test
def test_who_chooses_nothing_gets_the_default(choosing, objects):
    pod = yield objects.created_by(choosing())
    assert pod['spec']['containers'][0]['image'] == 'busybox'
    assert 'nodeSelector' not in pod['spec']


def set_in(spawner):
    names = ['singleuser_image_spec', 'singleuser_node_selector', 'mem_limit', 'environment', 'delete_grace_period',
             'singleuser_extra_labels', 'singleuser_supplemental_gids']
    return {name: getattr(spawner, name) for name in names}


@pytest.mark.gen_test
def test_what_was_overridden_reaches_neither_the_next_start_nor_another_user(choosing, objects):
    ann, bob = choosing('ann', LARGE), choosing('bob')
    before = set_in(ann)
    starts = [ann.start(), bob.start()]
    pods = {}
    for spawner in (ann, bob):
        pods[spawner.user.name] = yield objects.until(partial(objects.pod, spawner.pod_name))
    assert set_in(ann) != set_in(bob) == before
    assert 'profile' not in pods['bob']['metadata']['labels']
    for spawner in (ann, bob):
        yield spawner.stop(now=True)
    for start in starts:
        with pytest.raises(SpawnError):
            yield start
    ann.user_options = {'profile': 'plain'}
    pod = yield objects.created_by(ann)
    assert set_in(ann) == before
    assert 'profile' not in pod['metadata']['labels']
    assert not [variable for variable in pod['spec']['containers'][0]['env'] if variable['name'] == 'SIZE']


@pytest.mark.gen_test
def test_what_was_overridden_ends_with_the_state_and_what_a_hook_sets_then_stays(choosing, objects):
    spawner = choosing('ann', LARGE)
    before = set_in(spawner)
    yield objects.created_by(spawner)
    assert spawner.delete_grace_period == 7
    spawner.clear_state()
    assert set_in(spawner) == before
    spawner.user_options, spawner.mem_limit = {'profile': 'plain'}, '3G'
    pod = yield objects.created_by(spawner)
    assert pod['spec']['containers'][0]['resources']['limits']['memory'] == str(3 * 2 ** 30)


@pytest.mark.gen_test
def test_what_is_set_while_it_is_overridden_is_not_undone(choosing, objects):
    spawner = choosing('ann', LARGE)
    yield objects.created_by(spawner)
    spawner.mem_limit = '3G'
    spawner.user_options = {'profile': 'plain'}
    pod = yield objects.created_by(spawner)
    assert pod['spec']['containers'][0]['resources']['limits']['memory'] == str(3 * 2 ** 30)
    assert spawner.delete_grace_period == 1


@pytest.mark.gen_test
def test_a_hook_that_changes_what_was_overridden_does_not_change_the_profile(choosing, objects):
    def hook(spawner, pod):
        spawner.environment['LEAK'] = 'of ' + spawner.user.name
        spawner.singleuser_extra_labels['leak'] = 'x'
        return pod

    profiles = [{'slug': 'x', 'kubespawner_override': {'environment': {'A': 'b'}, 'extra_labels': {'a': 'b'}}}]
    for name in ('ann', 'bob'):
        pod = yield objects.created_by(choosing(name, profile_list=profiles, modify_pod_hook=hook))
        assert 'leak' not in pod['metadata']['labels']
    assert profiles[0]['kubespawner_override'] == {'environment': {'A': 'b'}, 'extra_labels': {'a': 'b'}}


@pytest.mark.gen_test
def test_what_ends_a_running_server_survives_a_restart_of_the_hub(choosing, objects):
    spawner = choosing('ann', LARGE)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    state = spawner.get_state()
    assert state['overrides'] == {'delete_grace_period': 7}
    after = choosing('ann')
    after.load_state(state)
    assert after.delete_grace_period == 7
    yield after.stop()
    after.clear_state()
    assert after.delete_grace_period == 1
    assert 'overrides' not in after.get_state()
    with pytest.raises(SpawnError):
        yield start


@pytest.mark.gen_test
def test_the_names_of_a_profile_count_although_they_were_asked_for_before(choosing, objects):
    spawner = choosing(profile_list=[{'slug': 'gpu', 'kubespawner_override': {
        'pod_name_template': 'gpu-{username}'}}])
    assert spawner.pod_name == 'jupyter-ann'
    pod = yield objects.created_by(spawner)
    assert pod['metadata']['name'] == 'gpu-ann'
    spawner.clear_state()
    assert spawner.pod_name == 'jupyter-ann'


@pytest.mark.parametrize('options, told', [
    ({'profile': 'gone'}, 'There is no profile "gone"'),
    (dict(LARGE, size='huge'), 'cannot be "huge"'),
    (dict(LARGE, **{'tool--unlisted-choice': 'Vim'}), 'cannot be "Vim"'),
    (dict(LARGE, **{'tool--unlisted-choice': ['vim']}), 'enter a value'),
    ({'profile': ['plain']}, 'There is no profile'),
])
@pytest.mark.gen_test
def test_a_choice_that_cannot_be_had_is_told_and_creates_nothing(choosing, objects, options, told):
    spawner = choosing('ann', options, user_storage_pvc_ensure=True, user_storage_capacity='1Gi')
    with pytest.raises(SpawnError) as e:
        yield spawner.start()
    assert told in e.value.jupyterhub_message
    assert objects.pods() == [] and objects.claim(spawner.pvc_name) is None


def failing(spawner):
    raise KeyError('no such user')


@pytest.mark.parametrize('override, told', [
    ({'user': 'x'}, "profile 'Broken': kubespawner_override contains 'user', which is not a setting"),
    ({'start': 'x'}, "'start', which is not a setting"),
    ({'_attempts': 'x'}, "'_attempts', which is not a setting"),
    ({'kube_namespace': 'Not One'}, "profile 'Broken': namespace"),
    ({'profile_list': []}, 'more than one start'),
    ({'delete_pvc': False}, 'more than one start'),
    ({'mem_limit': 'lots'}, "profile 'Broken': mem_limit"),
    ({'extra_labels': failing}, "profile 'Broken': singleuser_extra_labels raised KeyError: 'no such user'"),
])
@pytest.mark.gen_test
def test_an_override_that_cannot_be_is_told_with_its_profile_and_overrides_nothing(choosing, objects, override, told):
    both = OrderedDict([('image', 'x')] + list(override.items()))
    spawner = choosing(profile_list=[{'display_name': 'Broken', 'kubespawner_override': both}])
    with pytest.raises(ValueError) as e:
        yield spawner.start()
    assert told in str(e.value) and str(e.value).startswith('KubeSpawner.profile_list')
    assert spawner.singleuser_image_spec == 'busybox'
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_list_may_be_asked_for_each_start_and_wait(choosing, objects):
    @gen.coroutine
    def listed(spawner):
        yield gen.sleep(0.01)
        return [{'slug': 'of-' + spawner.user.name, 'kubespawner_override': {'image': 'busybox:x'}}]

    pod = yield objects.created_by(choosing('ann', {'profile': 'of-ann'}, profile_list=listed))
    assert pod['spec']['containers'][0]['image'] == 'busybox:x'
    with pytest.raises(SpawnError, match='no profile "of-ann"'):
        yield choosing('bob', {'profile': 'of-ann'}, profile_list=listed).start()


@pytest.mark.gen_test
def test_a_start_that_was_given_up_overrides_nothing_any_more(choosing, objects):
    listed = Future()
    spawner = choosing(options=LARGE, profile_list=lambda spawner: listed)
    before = set_in(spawner)
    start = spawner.start()
    yield spawner.stop(now=True)
    listed.set_result(PROFILES)
    with pytest.raises(SpawnError, match='given up'):
        yield start
    assert set_in(spawner) == before and objects.pods() == []


@pytest.mark.gen_test
def test_a_list_that_does_not_come_is_named(choosing):
    spawner = choosing(profile_list=lambda spawner: Future())
    spawner.start_timeout = 1
    with pytest.raises(SpawnError, match='KubeSpawner.profile_list did not finish in time'):
        yield spawner.start()


@pytest.mark.gen_test
def test_a_form_waits_for_its_list_on_hubs_that_can(choosing):
    listed = Future()
    spawner = choosing(profile_list=lambda spawner: listed)
    assert spawner.options_from_form({'profile': ['with-options']}) == {'profile': 'with-options'}
    if version_info < (0, 9):
        assert 'cannot be shown' in spawner.options_form
    else:
        form = spawner.options_form(spawner)
        listed.set_result(PROFILES)
        assert 'type="radio"' in (yield form)
    yield gen.moment


@pytest.mark.gen_test
def test_a_function_that_is_a_setting_itself_is_not_called_for_its_value(choosing, objects):
    def hook(spawner, pod):
        pod.metadata.annotations['by'] = 'hook'
        return pod

    pod = yield objects.created_by(choosing(profile_list=[{
        'slug': 'x', 'kubespawner_override': {'modify_pod_hook': hook}}]))
    assert pod['metadata']['annotations']['by'] == 'hook'


# Subclasses, and what users send besides

@pytest.mark.gen_test
def test_a_start_calls_load_user_options_of_a_subclass(choosing, objects):
    called = []

    class Own(type(choosing())):
        async def load_user_options(self):
            called.append(self.user.name)
            await super().load_user_options()
            self.singleuser_extra_labels = dict(self.singleuser_extra_labels, by='subclass')

    spawner = choosing('ann', LARGE)
    own = Own(user=spawner.user, hub=spawner.hub, orm_spawner=spawner.orm_spawner, profile_list=PROFILES,
              namespace=spawner.namespace, cmd=['sleep'], **UNTOUCHED)
    own.user_options = LARGE
    pod = yield objects.created_by(own)
    assert called == ['ann'] and pod['metadata']['labels']['by'] == 'subclass'
    assert pod['spec']['containers'][0]['image'] == 'busybox:vim'


@pytest.mark.gen_test
def test_a_subclass_that_does_not_return_is_named(choosing):
    class Own(type(choosing())):
        def load_user_options(self):
            return Future()

    spawner = choosing()
    own = Own(user=spawner.user, hub=spawner.hub, orm_spawner=spawner.orm_spawner, namespace=spawner.namespace)
    own.start_timeout = 1
    with pytest.raises(SpawnError, match='KubeSpawner.load_user_options did not finish in time'):
        yield own.start()


@pytest.mark.gen_test
def test_a_start_that_was_given_up_while_a_subclass_waited_overrides_nothing_any_more(choosing, objects):
    asked = Future()

    class Own(type(choosing())):
        @gen.coroutine
        def load_user_options(self):
            yield asked
            yield super().load_user_options()

    spawner = choosing()
    own = Own(user=spawner.user, hub=spawner.hub, orm_spawner=spawner.orm_spawner, profile_list=PROFILES,
              namespace=spawner.namespace, singleuser_image_spec='busybox')
    own.user_options = LARGE
    before = set_in(own)
    start = own.start()
    yield own.stop(now=True)
    own.clear_state()
    asked.set_result(None)
    with pytest.raises(SpawnError, match='given up'):
        yield start
    assert set_in(own) == before and objects.pods() == []


@pytest.mark.gen_test
def test_further_keys_that_a_user_sends_stop_no_start(choosing, objects):
    pod = yield objects.created_by(choosing('ann', {'profile': 'plain', 'size': 'large', 'course': [1]}))
    assert pod['spec']['containers'][0]['image'] == 'busybox'


# Places

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi', 'volumes': [
    {'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-{username}{servername}'}}]}
OF_CLAIMS = [
    {'slug': 'usual'},
    {'slug': 'gpu', 'kubespawner_override': {'pvc_name_template': 'gpu-{username}'}},
    {'slug': 'data', 'profile_options': {'set': {'choices': {
        'a': {'kubespawner_override': {'pvc_name': 'data-a-{username}'}}, 'b': {}}}}},
]


def claims_of(pod):
    return [volume['persistentVolumeClaim']['claimName'] for volume in pod['spec']['volumes']
            if 'persistentVolumeClaim' in volume]


@gen.coroutine
def claim_with(objects, spawner, profile, **options):
    """Return the claim that a start with a profile mounts; it exists. The state is kept as a hub does."""
    spawner.user_options = dict(options, profile=profile)
    pod = yield objects.created_by(spawner)
    spawner.clear_state()
    spawner.orm_spawner.state = spawner.get_state()
    name, = claims_of(pod)
    assert objects.claim(name)
    return name


@pytest.mark.parametrize('remember', [True, False])
@pytest.mark.parametrize('first', ['usual', 'gpu'])
@pytest.mark.gen_test
def test_a_profile_has_a_claim_of_its_own_which_is_found_again(choosing, objects, first, remember):
    username = 'claimer-%s-%s' % (first, str(remember).lower())
    expected = {'usual': 'claim-' + username.replace('-', '-2d'), 'gpu': 'gpu-' + username.replace('-', '-2d')}
    order = [first] + [profile for profile in ('usual', 'gpu', 'usual', 'gpu') if profile != first] + [first]
    spawner = choosing(username, profile_list=OF_CLAIMS, remember_pvc_name=remember, **CLAIM)
    for profile in order:
        assert (yield claim_with(objects, spawner, profile)) == expected[profile]
        again = choosing(username, profile_list=OF_CLAIMS, remember_pvc_name=remember, **CLAIM)  # the hub restarts
        again.load_state(spawner.orm_spawner.state)
        spawner = again
    assert spawner.pvc_name == expected['usual']


@pytest.mark.gen_test
def test_a_choice_has_a_claim_of_its_own_and_another_one_the_usual(choosing, objects):
    spawner = choosing('chooser', profile_list=OF_CLAIMS, **CLAIM)
    assert (yield claim_with(objects, spawner, 'data', set='a')) == 'data-a-chooser'
    assert (yield claim_with(objects, spawner, 'data', set='b')) == 'claim-chooser'
    assert (yield claim_with(objects, spawner, 'data', set='a')) == 'data-a-chooser'


@pytest.mark.parametrize('is_known', [True, False])
@pytest.mark.gen_test
def test_claims_are_found_again_under_other_templates_each_by_its_profile(choosing, objects, is_known):
    """What is in the state counts, and what claims say about themselves where there is no state."""
    user = 'mover-%d' % is_known
    spawner = choosing(user, profile_list=OF_CLAIMS, **CLAIM)
    before = {}
    for profile in ('gpu', 'usual'):
        before[profile] = yield claim_with(objects, spawner, profile)
    renamed = copy.deepcopy(OF_CLAIMS)
    renamed[1]['kubespawner_override']['pvc_name_template'] = 'other-{username}'
    traits = dict(CLAIM, pvc_name_template='new-{username}', volumes=[
        {'name': 'home', 'persistentVolumeClaim': {'claimName': '{pvc_name}'}}])
    for profile in ('usual', 'gpu'):
        after = choosing(user, profile_list=renamed, **traits)
        after.load_state(spawner.orm_spawner.state if is_known else {})
        assert (yield claim_with(objects, after, profile)) == before[profile]


@pytest.mark.gen_test
def test_the_claims_of_profiles_go_with_their_user_and_those_that_others_have_stay(choosing, objects):
    listed = OF_CLAIMS + [{'slug': 'shared', 'kubespawner_override': {'pvc_name_template': 'shared'}}]
    spawner = choosing('leaver', profile_list=listed, **CLAIM)
    for profile in ('usual', 'gpu', 'shared'):
        yield claim_with(objects, spawner, profile)
    other = choosing('stayer', profile_list=listed, **CLAIM)
    assert (yield claim_with(objects, other, 'shared')) == 'shared'
    after = choosing('leaver', profile_list=listed, **CLAIM)
    after.load_state(spawner.orm_spawner.state)
    yield after.delete_forever()

    def is_gone(name):
        claim = objects.claim(name)
        return claim is None or bool(claim['metadata'].get('deletionTimestamp'))

    assert [is_gone(name) for name in ('claim-leaver', 'gpu-leaver', 'shared')] == [True, True, False]


@pytest.mark.gen_test
def test_the_claim_of_a_start_that_failed_goes_with_its_user_too(choosing, objects):
    def failing_hook(spawner, pod):
        raise ValueError('after the claim')

    traits = dict(CLAIM, profile_list=OF_CLAIMS, after_pod_created_hook=failing_hook)
    spawner = choosing('loser', {'profile': 'gpu'}, **traits)
    with pytest.raises(ValueError, match='after the claim'):
        yield spawner.start()
    yield spawner.stop(now=True)
    spawner.clear_state()
    assert objects.claim('gpu-loser') and spawner.pvc_name == 'claim-loser'
    after = choosing('loser', profile_list=OF_CLAIMS, **CLAIM)
    after.load_state(spawner.get_state())
    yield after.delete_forever()
    claim = objects.claim('gpu-loser')
    assert claim is None or claim['metadata'].get('deletionTimestamp')


@pytest.fixture
def elsewhere(cluster, core):
    """What is in another namespace, see `Objects`."""
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body={'metadata': {'name': name}})
    if cluster.hub_kubeconfig:
        grant_hub(core, name, cluster.hub_kubeconfig)
    wait_for_service_account(core, name)
    yield Objects(core, name)
    core.delete_namespace(name=name, body={})


@pytest.mark.gen_test
def test_a_profile_has_a_namespace_in_which_its_pod_is_found_after_a_restart_of_the_hub(
        choosing, objects, elsewhere, namespace):
    listed = [{'slug': 'usual'}, {'slug': 'far', 'kubespawner_override': {'namespace': elsewhere.namespace}}]
    spawner = choosing('ann', {'profile': 'far'}, profile_list=listed, **CLAIM)
    start = spawner.start()
    yield objects.until(lambda: elsewhere.pod('jupyter-ann'))
    assert objects.pod('jupyter-ann') is None and elsewhere.claim('claim-ann') and not objects.claim('claim-ann')
    assert (yield spawner.poll()) is None
    state = spawner.get_state()
    after = choosing('ann', {'profile': 'far'}, profile_list=listed, **CLAIM)
    after.load_state(state)
    assert after.namespace == elsewhere.namespace
    assert (yield after.poll()) is None
    yield after.stop(now=True)
    assert elsewhere.pod('jupyter-ann') is None
    with pytest.raises(SpawnError):
        yield start
    for each in (spawner, after):
        each.clear_state()
        assert each.namespace == namespace
    assert 'overrides' not in after.get_state()
    after.user_options = {'profile': 'usual'}
    pod = yield objects.created_by(after)
    assert pod['metadata']['namespace'] == namespace and objects.claim('claim-ann')


@pytest.mark.gen_test
def test_the_claim_in_a_profiles_namespace_goes_with_its_user(choosing, elsewhere, objects):
    listed = [{'slug': 'far', 'kubespawner_override': {'namespace': elsewhere.namespace}}]
    spawner = choosing('goer', profile_list=listed, **CLAIM)
    yield elsewhere.created_by(spawner)
    spawner.clear_state()
    after = choosing('goer', profile_list=listed, **CLAIM)
    after.load_state(spawner.get_state())
    assert elsewhere.claim('claim-goer')
    yield after.delete_forever()
    claim = elsewhere.claim('claim-goer')
    assert claim is None or claim['metadata'].get('deletionTimestamp')


# The form, without a hub

def form_of(spawner):
    """Return the form of a spawner, as JupyterHub asks for it."""
    form = spawner.options_form
    return form(spawner).result() if version_info >= (0, 9) and form else form


@pytest.mark.gen_test
def test_the_form_shows_all_profiles_with_the_last_choice_and_nothing_is_markup(choosing):
    listed = PROFILES + [{'slug': '"><x>', 'display_name': '<script>', 'description': '<b>', 'profile_options': {
        '<i>': {'display_name': '<u>', 'choices': {'<s>': {}}, 'unlisted_choice': {'enabled': True}}}}]
    spawner = choosing('ann', {'profile': '"><x>', '<i>--unlisted-choice': '"<em>'}, profile_list=listed)
    form = form_of(spawner)
    for markup in ('<script>', '<b>', '<i>', '<u>', '<s>', '<x>', '<em>'):
        assert markup not in form
    assert 'value="&#34;&lt;em&gt;"' in form
    assert form.count(' checked') == 1
    yield gen.moment


@pytest.mark.gen_test
def test_there_is_no_form_where_there_is_nothing_to_choose(choosing):
    for listed in ([], [{'slug': 'x'}], lambda spawner: [{'slug': 'x'}]):
        assert form_of(choosing(profile_list=listed)) == ''
    assert 'type="radio"' in form_of(choosing(profile_list=lambda spawner: PROFILES))
    yield gen.moment


@pytest.mark.gen_test
def test_a_choice_that_is_gone_leads_to_the_form_even_of_one_profile(choosing, objects):
    one = [{'display_name': 'Only'}]
    spawner = choosing('ann', {'profile': 'gone'}, profile_list=one)
    form = yield gen.maybe_future(form_of(spawner))
    assert 'is no longer available' in form and 'value="only" checked' in form
    spawner.user_options = spawner.options_from_form({'profile': ['only']})
    assert not (yield gen.maybe_future(form_of(spawner)))
    yield objects.created_by(spawner)


@pytest.mark.gen_test
def test_a_form_shows_what_is_offered_now(choosing):
    offered = [PROFILES]
    spawner = choosing(options={'profile': 'with-options'}, profile_list=lambda spawner: offered[0])
    assert 'no longer' not in form_of(spawner)
    offered[0] = [{'slug': 'new'}, {'slug': 'newer'}]
    assert 'There is no profile &#34;with-options&#34;' in form_of(spawner)
    yield gen.moment


@pytest.mark.gen_test
def test_a_list_that_is_wrong_is_told_to_the_operator_and_breaks_no_page(choosing, caplog):
    form = form_of(choosing(profile_list=[{'slug': 'a'}, {'slug': 'a'}]))
    assert 'cannot be shown' in form
    assert "the slug 'a'" in caplog.text
    yield gen.moment


@pytest.mark.gen_test
def test_the_operators_own_form_counts_and_what_is_not_of_profiles_is_left_alone(choosing):
    spawner = choosing(options_form='<input name="course">')
    assert spawner.options_form == '<input name="course">'
    assert spawner.options_from_form({'course': ['x']}) == {'course': ['x']}


@pytest.mark.gen_test
def test_what_the_form_sends_is_refused_before_anything_is_kept(choosing):
    spawner = choosing()
    assert spawner.options_from_form({'profile': ['plain']}) == {'profile': 'plain'}
    with pytest.raises(SpawnError, match='no profile "gone"'):
        spawner.options_from_form({'profile': ['gone']})


@pytest.mark.gen_test
def test_what_was_refused_is_in_the_next_form_to_be_mended_once(choosing):
    spawner = choosing('ann', {'profile': 'plain'})
    with pytest.raises(SpawnError):
        spawner.options_from_form({'profile': ['with-options'], 'profile-option-with-options--size': ['large'],
                                   'profile-option-with-options--tool--unlisted-choice': ['Wr<ng']})
    form = form_of(spawner)
    assert 'value="Wr&lt;ng"' in form and 'value="large" selected' in form and 'no longer' not in form
    form = form_of(spawner)
    assert 'Wr' not in form and 'value="large" selected' not in form


@pytest.mark.gen_test
def test_a_subclass_may_have_its_own_way_with_what_is_sent(choosing):
    class Own(type(choosing())):
        def options_from_form(self, form_data):
            return dict(self._options_from_form(form_data), course='x')

    spawner = choosing()
    own = Own(user=spawner.user, hub=spawner.hub, orm_spawner=spawner.orm_spawner, profile_list=PROFILES)
    assert own.options_from_form({'profile': ['plain']}) == {'profile': 'plain', 'course': 'x'}


@pytest.mark.gen_test
def test_templates_of_the_operators_replace_the_form(choosing, tmpdir):
    assert form_of(choosing(profile_form_template='{% for p in profile_list %}{{ p.slug }} {% endfor %}')) == (
        'plain with-options ')
    tmpdir.join('form.html').write('{{ profile_list[0].display_name }}!')
    assert form_of(choosing(additional_profile_form_template_paths=[str(tmpdir)])) == 'Plain!'


OWN = [{'slug': 'own', 'profile_options': {'o': {'display_name': 'Of mine', 'unlisted_choice': {
    'enabled': True, 'kubespawner_override': {}}}}}]


def own(setting, text):
    """Return traits, and options, with which a user says what a setting is to be."""
    listed = copy.deepcopy(OWN)
    listed[0]['profile_options']['o']['unlisted_choice']['kubespawner_override'][setting] = '{value}'
    return {'o--unlisted-choice': text}, listed


@pytest.mark.parametrize('setting, text, told', [
    ('mem_limit', 'lots', '"Of mine" cannot have this value'), ('cpu_limit', 'two', '"Of mine" cannot have this value'),
    ('notebook_dir', '/{x}', 'braces'), ('args', '$(JUPYTERHUB_API_TOKEN)', 'braces'),
    ('init_containers', '$(SECRET)', 'braces'), ('environment', '{x}', 'braces'),
    ('mem_limit', '{value}', '"Of mine" cannot have this value'),
    ('mem_limit', '1e400G', '"Of mine" cannot have this value'),
    ('cpu_limit', 'inf', '"Of mine" cannot have this value'),
    ('cpu_limit', '9' * 400, '"Of mine" cannot have this value'),
    ('port', '{value}', '"Of mine" cannot have this value'), ('port', '1.5', '"Of mine" cannot have this value'),
    ('uid', 'root', '"Of mine" cannot have this value'), ('pod_connect_ip', 'a]b', '"Of mine" cannot have this value'),
    ('start_timeout', '0', 'from 1 to'), ('http_timeout', '9' * 15, 'from 1 to'), ('poll_interval', '-1', 'from 1 to'),
])
@pytest.mark.gen_test
def test_a_value_of_the_users_that_cannot_be_is_their_mistake_not_the_hubs(choosing, objects, setting, text, told):
    options, listed = own(setting, text)
    spawner = choosing('ann', options, profile_list=listed)
    with pytest.raises(SpawnError, match=told):
        yield spawner.start()
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_list_of_numbers_takes_what_a_user_wrote_if_it_is_one(choosing, objects):
    for text in ('{value}', 'x', '1.5'):
        options, listed = own('supplemental_gids', text)
        unlisted = listed[0]['profile_options']['o']['unlisted_choice']
        unlisted['kubespawner_override'] = {'supplemental_gids': ['{value}']}
        with pytest.raises(SpawnError, match='a whole number'):
            yield choosing('ann', options, profile_list=listed).start()
    options = {'o--unlisted-choice': '7'}
    pod = yield objects.created_by(choosing('ann', options, profile_list=listed))
    assert pod['spec']['securityContext']['supplementalGroups'] == [7]


@pytest.mark.parametrize('override', [
    {'mem_limit': ['{value}']}, {'tolerations': '{value}'}, {'environment': {'A': '{value}', 'B': {'nope': 'x'}}},
    {'extra_labels': {'a': '{value}', 'b': '{nope}'}}, {'debug': '{value}'}, {'modify_pod_hook': '{value}'},
    {'volumes': ['{value}']},
])
@pytest.mark.gen_test
def test_what_no_value_would_mend_is_the_operators_mistake(choosing, objects, override):
    options, listed = own('image', 'harmless')
    listed[0]['profile_options']['o']['unlisted_choice']['kubespawner_override'] = override
    with pytest.raises(ValueError, match='KubeSpawner'):
        yield choosing('ann', options, profile_list=listed).start()
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_refused_value_in_a_dict_does_not_show_what_else_is_in_it(choosing):
    class Strict(type(choosing())):
        environment = Dict(config=True)

        @validate('environment')
        def _no_a(self, proposal):
            if proposal.value.get('A'):
                raise TraitError('not %r' % proposal.value)
            return proposal.value

    options, listed = own('image', 'x')
    listed[0]['profile_options']['o']['unlisted_choice']['kubespawner_override'] = {
        'environment': {'A': '{value}', 'TOKEN': 'secret'}}
    spawner = choosing('ann', options, profile_list=listed)
    strict = Strict(user=spawner.user, hub=spawner.hub, orm_spawner=spawner.orm_spawner, profile_list=listed)
    strict.user_options = options
    with pytest.raises(SpawnError, match='"Of mine" cannot have this value') as e:
        yield strict.start()
    assert 'secret' not in e.value.jupyterhub_message


# Whatever users send

# What an unlisted choice sets, as operators write it; all of these can be had with some value.
OVERRIDES = [
    {'image': '{value}'}, {'image': 'busybox:{value}'}, {'args': ['{value}', 'a {value}']}, {'cmd': ['sh', '{value}']},
    {'environment': {'A': '{value}', 'B': 'x{value}x'}}, {'environment': {'C': '{"a": {value}}'}},
    {'environment': {'D': {'value': '{value}'}}}, {'working_dir': '/home/{username}/{value}'},
    {'port': '{value}'}, {'uid': '{value}'}, {'supplemental_gids': ['{value}']}, {'fs_gid': '1{value}'},
    {'mem_limit': '{value}'}, {'mem_limit': '{value}G'}, {'cpu_limit': '{value}'}, {'http_timeout': '{value}'},
    {'extra_resource_limits': {'nvidia.com/gpu': '{value}'}}, {'node_selector': {'zone': '{value}'}},
    {'extra_labels': {'a': '{value}'}}, {'extra_annotations': {'a': '{value} of {username}'}},
    {'volumes': [{'name': 'a', 'configMap': {'name': '{value}'}}, {'name': 'b', 'emptyDir': {}}],
     'volume_mounts': [{'name': 'b', 'mountPath': '/{value}'}]},
    {'init_containers': [{'name': 'i', 'image': 'busybox', 'command': ['echo', '{value}']}]},
    {'extra_pod_config': {'hostname': '{value}', 'priority': '{value}'}}, {'lifecycle_hooks': {
        'postStart': {'exec': {'command': ['sh', '-c', 'echo {value} ${HOME}']}}}},
    {'tolerations': [{'key': '{value}', 'operator': 'Exists'}]},
    {'container_security_context': {'runAsUser': '{value}'}}, {'pod_connect_ip': '{pod_name}.{value}'},
    {'pod_name_template': 'x-{username}-{value}'}, {'service_account': '{value}'},
    {'image_pull_policy': '{value}'}, {'image_pull_secrets': '{value}'},
    {'default_url': '/{value}'}, {'notebook_dir': '/{value}'}, {'start_timeout': '{value}'},
]
NASTY = [
    '{value}', '{username}', '{unescaped_username}', '{', '}', '}}', '{{', '{{value}}', '{0}', '{}', '{value!r}',
    '{value:>9999999}', '{value.__class__}', '{value[0]}', '$(HOME)', '$', '(HOME)', '$$', '%s', '%(x)s', '%U', ' ',
    '../..', 'a b', "'", '"', '<b>', '\\', '-1', '0', '1', '1.5', '65536', '99999999999', '1e400', 'inf', 'nan', 'infG',
    '1e400G', '-5G', '1_0', '\u0661\u0662', '9' * 30, '9' * 999, 'x' * 1000, 'x' * 1001, '\0', '\n', '\x1b[2J',
    '\ud800', '\u2028', '\U0001f40d', 'None', 'True', 'null', '[]', '', 'Always', 'a:b', '[::1', '::', 'a]b', 'a@b',
    '#']
texts = st.sampled_from(NASTY) | st.text(max_size=8) | st.text(alphabet='{}$()value!:.[]"0 ', max_size=10)
anything = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.floats() | st.just(10 ** 400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)
keys = texts | st.sampled_from(
    ['profile', 'o', 'o--unlisted-choice', 'o--unlisted-choice--unlisted-choice', 'PROFILE', ''])


@gen.coroutine
def outcome_of(spawner):
    """Start a server, and stop it as soon as it has a pod; return the error that the start ended with, or None.

    The errors that a stop brings about are none of the start.
    """
    start = spawner.start()
    while not (start.done() or spawner.pod_name in spawner.pod_reflector.pods):
        yield gen.moment
    error = start.exception() if start.done() else None
    yield spawner.stop(now=True)
    spawner.clear_state()
    try:
        yield start
    except SpawnError:
        pass
    return error


def is_of_users(error):
    return error is None or isinstance(error, SpawnError) and '\n' not in error.jupyterhub_message


@pytest.mark.parametrize('override', OVERRIDES, ids=str)
@pytest.mark.gen_test
def test_whatever_users_write_it_starts_or_is_their_mistake(choosing, override):
    wrong = {}
    listed = copy.deepcopy(OWN)
    listed[0]['profile_options']['o']['unlisted_choice']['kubespawner_override'] = override
    for text in NASTY:
        error = yield outcome_of(choosing('ann', {'o--unlisted-choice': text}, profile_list=listed))
        if not is_of_users(error):
            wrong[text] = repr(error)
    assert wrong == {}


@settings(max_examples=300, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))
@given(st.dictionaries(keys, anything, max_size=4) | anything, st.sampled_from(OVERRIDES))
def test_whatever_users_send_it_is_read_as_a_choice_or_is_their_mistake(options, override):
    listed = copy.deepcopy(OWN) + [{'slug': 'other'}]
    listed[0]['profile_options']['o']['unlisted_choice']['kubespawner_override'] = override
    offered = profiles.checked(listed)
    try:
        profiles.overrides(*profiles.chosen(offered, options), templates=WITH_TEMPLATES)
    except SpawnError as e:
        assert '\n' not in e.jupyterhub_message and len(e.jupyterhub_message) < 1000
    profiles.for_form(offered, options)
    for read in (profiles.from_form, profiles.from_query):
        try:
            read(options if isinstance(options, dict) else {})
        except SpawnError:
            pass


@pytest.mark.skipif(version_info >= (6, 0), reason='this hub counts no mistakes of users')
@pytest.mark.gen_test
def test_hubs_that_count_every_failure_do_not_count_those_of_users(choosing):
    class Handler:
        settings = {'failure_count': 3}

    options, listed = own('mem_limit', '{value}')
    for sent, counted in ((options, 3), ({'profile': 'gone'}, 3)):
        spawner = choosing('ann', sent, profile_list=listed)
        spawner.handler = Handler
        with pytest.raises(SpawnError):
            yield spawner.start()
        Handler.settings['failure_count'] += 1  # as JupyterHub does
        assert Handler.settings['failure_count'] == counted


@pytest.mark.gen_test
def test_a_number_that_a_user_wrote_is_a_number(choosing, objects):
    options, listed = own('cpu_limit', '1.5')
    pod = yield objects.created_by(choosing('ann', options, profile_list=listed))
    assert pod['spec']['containers'][0]['resources']['limits']['cpu'] == '1500m'


@pytest.mark.gen_test
def test_a_link_chooses_what_is_offered_and_nothing_else(choosing):
    listed = copy.deepcopy(PROFILES)
    del listed[1]['profile_options']['tool']
    spawner = choosing(profile_list=listed)
    sent = {'profile': ['with-options'], 'size': ['large']}
    assert spawner.options_from_query(sent) == {'profile': 'with-options', 'size': 'large'}
    for query in (dict(sent, size=['huge']), {'utm': ['x']}, {'profile': ['gone']}):
        with pytest.raises(SpawnError):
            spawner.options_from_query(query)


@pytest.mark.gen_test
def test_a_list_that_is_forgotten_to_be_returned_is_no_list(choosing, objects):
    with pytest.raises(ValueError, match='profile_list: None is not a list'):
        yield choosing(profile_list=lambda spawner: None).start()
    assert objects.pods() == []


@pytest.mark.parametrize('waits', [True, False])
@pytest.mark.gen_test
def test_a_start_timeout_counts_if_jupyterhub_can_know_it(choosing, waits):
    listed = [{'slug': 'long', 'kubespawner_override': {'start_timeout': 600}}]

    @gen.coroutine
    def late(spawner):
        yield gen.moment
        raise gen.Return(listed)

    spawner = choosing(profile_list=late if waits else listed)
    spawner.start_timeout = 1
    start = spawner.start()
    assert spawner.start_timeout == (1 if waits else 600)
    if waits:
        with pytest.raises(SpawnError, match='Waited'):
            yield start
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError):
        yield start
