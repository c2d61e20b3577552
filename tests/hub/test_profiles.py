"""Profiles in a real hub: the page where users choose, what they may send, and a second try after a mistake."""
import json

import jupyterhub
import pytest

from .browser import Browser, Form, until

LIMIT = 5  # failures in a row that end the hub

PROFILES = '''
c.KubeSpawner.profile_list = [
    {'display_name': 'Plain', 'description': 'For <most>', 'slug': 'plain'},
    {'display_name': 'Options', 'slug': 'options', 'kubespawner_override': {
        'extra_labels': {'profile': 'options'}},
     'profile_options': {
         'size': {'display_name': 'Size', 'choices': {
             'small': {'display_name': 'Small'},
             'large': {'display_name': 'Large', 'kubespawner_override': {'environment': {'SIZE': 'large'}}}}},
         'note': {'display_name': 'Note', 'unlisted_choice': {
             'enabled': True, 'validation_regex': '(?:[a-z]*)*', 'validation_message': 'Only letters.',
             'kubespawner_override': {'extra_annotations': {'note': '{value}'}}}}}},
    {'display_name': 'Simple', 'slug': 'simple', 'profile_options': {
        'size': {'choices': {
            'small': {}, 'large': {'kubespawner_override': {'environment': {'SIZE': 'large'}}}}},
        'memory': {'display_name': 'Memory', 'choices': {'as it is': {}}, 'unlisted_choice': {
            'enabled': True, 'kubespawner_override': {'mem_limit': '{value}'}}}}},
    {'display_name': 'Broken', 'slug': 'broken', 'kubespawner_override': {'modify_pod_hook': None}},
]
'''

# What the form has for the profile Simple.
OF_SIMPLE = {'profile-option-simple--size': 'small', 'profile-option-simple--memory': 'as it is',
             'profile-option-simple--memory--unlisted-choice': ''}

# A pod that cannot be, of one profile.
BROKEN = '''
def breaking(spawner, pod):
    pod.spec.containers[0].image = 'not an image!'
    return pod


c.KubeSpawner.profile_list[-1]['kubespawner_override']['modify_pod_hook'] = breaking
'''


@pytest.fixture(scope='module')
def more():
    return PROFILES + BROKEN + 'c.Spawner.consecutive_failure_limit = %d\n' % LIMIT


@pytest.fixture
def pods(core, namespace):
    """`pods(username)` returns the pods of a user."""
    def pods(username):
        response = core.list_namespaced_pod(namespace=namespace, _preload_content=False)
        return [pod for pod in json.loads(response.data.decode('utf8'))['items']
                if pod['metadata']['annotations']['hub.jupyter.org/username'] == username]

    return pods


def test_the_page_offers_the_profiles_in_fields_that_say_what_they_are(hub):
    form = hub.user('reader').options()
    assert form.offered['profile'] == ['plain', 'options', 'simple', 'broken']
    assert form.values == {'profile': 'plain', 'profile-option-options--size': 'small',
                           'profile-option-options--note--unlisted-choice': '', **OF_SIMPLE}
    assert {'Plain', 'Options', 'Simple', 'Broken', 'Size', 'Note'} <= set(form.labels.values())
    assert set(form.labels) <= form.ids and form.described <= form.ids
    assert 'For &lt;most&gt;' in form.text


@pytest.mark.skipif(jupyterhub.version_info < (1, 2), reason='this hub has no links that choose')
@pytest.mark.parametrize('size', ['large', 'huge'])
def test_a_link_starts_what_is_offered_and_nothing_else(hub, pods, size):
    user = hub.user('link-' + size)
    answer = user.session.get(hub.url + '/hub/spawn?profile=simple&size=' + size, timeout=60)
    if size == 'large':
        until(lambda: pods('link-large'), 60, 'the pod')
        assert {'name': 'SIZE', 'value': 'large'} in pods('link-large')[0]['spec']['containers'][0]['env']
    else:
        assert 'cannot be &#34;huge&#34;' in answer.text and pods('link-huge') == []


@pytest.mark.skipif(jupyterhub.version_info < (1, 2), reason='this hub has no links that choose')
@pytest.mark.parametrize('server', ['', '/{}/another'])
def test_a_link_that_brings_a_value_of_its_own_starts_nothing_and_shows_the_form(hub, pods, server):
    user = hub.user('victim')
    of_the_form = 'profile-option-options--note'
    before = user.options().values
    for query in ('profile=options&note--unlisted-choice=evil', 'profile=Options&note=unlisted-choice',
                  'profile=options&%s--unlisted-choice=evil' % of_the_form, 'note--unlisted-choice=evil',
                  'profile=options&{0}=unlisted-choice&{0}--unlisted-choice=evil&next=/hub/home'.format(of_the_form),
                  'profile=options&note--unlisted-choice=evil&note--unlisted-choice=evil',
                  'opt-profile=options&opt-note--unlisted-choice=evil',
                  'profile=plain&failed=1&Note--Unlisted-Choice=evil'):
        address = '%s/hub/spawn%s?%s' % (hub.url, server.format('victim'), query)
        answer = user.session.get(address, timeout=60)
        assert 'A link cannot choose a value that is not listed' in answer.text, query
        assert Form(answer.url, answer.text).values == before, query
    assert user.servers() == {} and pods('victim') == []


@pytest.mark.skipif(jupyterhub.version_info < (1, 2), reason='this hub keeps no choices, nor has it links that choose')
def test_a_value_from_the_form_counts_again_after_a_link_was_refused(hub, pods):
    user = hub.user('returner')
    user.send(user.options(), **{'profile': 'options', 'profile-option-options--note--unlisted-choice': 'mine'})
    user.wait_for()
    user.stop()
    user.session.get(hub.url + '/hub/spawn?profile=options&note--unlisted-choice=evil', timeout=60)
    user.start()
    assert [pod['metadata']['annotations']['note'] for pod in pods('returner')] == ['mine']
    user.stop()


@pytest.mark.parametrize('way', ['form', 'api'])
def test_a_hub_outlives_a_user_who_writes_what_a_field_looks_like(hub, pods, way):
    user = hub.user('writer')
    name = 'profile-option-simple--memory'
    for _ in range(LIMIT + 2):
        if way == 'form':
            seen = [user.send(user.options(), **{'profile': 'simple', name: 'unlisted-choice',
                                                name + '--unlisted-choice': '{value}'}).text]
        else:
            seen = [user._send('POST', hub.url + '/hub/api/users/writer/server', data=json.dumps(
                {'profile': 'simple', 'memory--unlisted-choice': '{value}'})).text]
        assert 'cannot have this value' in seen[0] and '{value}' in seen[0]
        until(lambda: user.servers() == {}, 60, 'the end of it')
    assert 'consecutive spawns failed' not in hub.logged() and 'Aborting due to' not in hub.logged()
    assert user.options().offered['profile'] and pods('writer') == []


def test_a_choice_starts_its_server_and_is_selected_the_next_time(hub, pods):
    user = hub.user('chooser')
    response = user.send(user.options(), **{
        'profile': 'options', 'profile-option-options--size': 'large',
        'profile-option-options--note--unlisted-choice': 'hello'})
    assert response.status_code == 302
    user.wait_for()
    pod, = pods('chooser')
    assert pod['metadata']['labels']['profile'] == 'options'
    assert pod['metadata']['annotations']['note'] == 'hello'
    assert {'name': 'SIZE', 'value': 'large'} in pod['spec']['containers'][0]['env']
    user.stop()
    form = user.options()
    assert form.values == {'profile': 'options', 'profile-option-options--size': 'large',
                           'profile-option-options--note--unlisted-choice': 'hello', **OF_SIMPLE}
    user.send(form, profile='plain')
    user.wait_for()
    pod, = pods('chooser')
    assert 'profile' not in pod['metadata']['labels'] and 'note' not in pod['metadata']['annotations']
    user.stop()


@pytest.mark.parametrize('fields, told', [
    ({'profile': '<b>gone'}, 'There is no profile &#34;&lt;b&gt;gone&#34;.'),
    ({'profile': 'options', 'profile-option-options--size': 'huge'}, 'cannot be &#34;huge&#34;'),
    ({'profile': 'options', 'profile-option-options--note--unlisted-choice': 'x1'}, 'Only letters.'),
    ({'profile': 'options', 'profile-option-options--note--unlisted-choice': 'a' * 60 + '!'}, 'takes too long to'),
    ({'profile': 'options', 'profile-option-options--more': 'x'}, 'has no option &#34;more&#34;'),
])
def test_what_cannot_be_had_leads_back_to_the_form_which_says_why(hub, pods, fields, told):
    user = hub.user('guesser')
    response = user.send(user.options(), **fields)
    assert told in response.text and 'name="profile"' in response.text
    assert pods('guesser') == [] and user.servers() == {}


def test_what_the_rest_api_brings_is_not_trusted_either(hub, pods):
    user = hub.user('script')
    for options in ({'profile': 'gone'}, {'profile': ['plain']}, {'profile': 'options', 'size': {}}):
        response = user._send('POST', hub.url + '/hub/api/users/script/server', data=json.dumps(options))
        assert response.status_code == 400, response.text
        assert 'There is no profile' in response.text or 'cannot be' in response.text
    assert pods('script') == []
    options = {'profile': 'options', 'size': 'large', 'note--unlisted-choice': 'a'}
    user._send('POST', hub.url + '/hub/api/users/script/server', data=json.dumps(options)).raise_for_status()
    until(lambda: pods('script'), 60, 'the pod')
    assert pods('script')[0]['metadata']['annotations']['note'] == 'a'
    user.wait_for()
    user.stop()


def test_after_a_server_that_cannot_start_another_profile_can_be_chosen(hub, pods):
    user = hub.user('retrier')
    seen = [user.send(user.options(), profile='broken').text]

    def told():
        seen.append(user.session.get(hub.url + '/hub/spawn-pending/retrier', timeout=60).text)
        return [page for page in seen if 'InvalidImageName' in page]

    until(told, 60, 'the reason')
    until(lambda: user.servers() == {}, 60, 'the end of it')
    form = user.options()
    if jupyterhub.version_info >= (1, 0):  # which keep what was chosen, so that another profile can be selected
        assert form.values['profile'] == 'plain'
    assert user.send(form, profile='plain').status_code == 302
    user.wait_for()
    assert len(pods('retrier')) == 1
    user.stop()


def test_a_choice_survives_a_restart_of_the_hub_and_a_profile_that_goes_is_told(hub):
    user = hub.user('keeper')
    user.send(user.options(), **{'profile': 'options', 'profile-option-options--note--unlisted-choice': 'x'})
    user.wait_for()
    with open(hub.config, 'a') as f:
        f.write("c.KubeSpawner.profile_list = c.KubeSpawner.profile_list[:1] + [{'display_name': 'New'}]\n")
    hub.kill()
    hub.start()
    user = Browser(hub.url, 'keeper').log_in()
    user.stop()
    form = user.options()
    assert 'There is no profile &#34;options&#34;' in form.text
    assert form.offered['profile'] == ['plain', 'new']
    assert form.values['profile'] == 'plain'
    assert user.send(form).status_code == 302
    user.wait_for()
    user.stop()
    assert 'no longer' not in user.options().text
