"""What users see when their server cannot start: why, what they can do, and a way to try again."""
import pytest
from kubernetes import client

from tests.hub.browser import until

from .conftest import pods

SECONDS = 15000  # milliseconds for what is to be told within seconds, on a busy machine

# Those that fail have no claim: until it is bound, a pod has another reason not to start.
PROFILES = """
failing = dict({name: [each for each in c.KubeSpawner[name] if each['name'] != 'home']
                for name in ('volumes', 'volume_mounts')}, start_failure_grace=2, user_storage_pvc_ensure=False)
c.KubeSpawner.profile_list = [
    {'display_name': 'Works'},
    {'display_name': 'Missing', 'kubespawner_override': dict(failing, image=%(missing)r)},
    {'display_name': 'Crashing', 'kubespawner_override': dict(failing, cmd=['sh', '-c', 'exit 3'])},
    {'display_name': 'Large', 'kubespawner_override': dict(failing, **%(large)r)},
]
"""

# Why, and what the user can do.
TOLD = {
    'Missing': ['The image of your server cannot be pulled. Choose another profile', 'ImagePull'],
    'Crashing': ['Your server exited before it was ready. Try again.', 'exit code 3'],
    'Large': ['No node has enough free resources for your server. Choose a profile that needs less',
              'Insufficient cpu'],
    'Quota': ['The quota of this hub is used up. Stop servers that you do not need', 'exceeded quota'],
}


@pytest.fixture(scope='module')
def more(cluster):
    return PROFILES % {'missing': 'localkube/missing' if cluster.is_localkube else 'local/missing:latest',
                       'large': {'cpu_guarantee': 1000}}


@pytest.fixture
def quota(core, namespace):
    """Nothing more may be in the namespace."""
    name = {'name': 'quota', 'namespace': namespace}
    core.create_namespaced_resource_quota(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': 'quota'}, 'spec': {'hard': {'pods': '0'}}})
    until(lambda: core.read_namespaced_resource_quota(**name).status.hard, 30, 'the quota to count')
    lifted = []

    def lift():
        if not lifted:
            lifted.append(True)
            core.delete_namespaced_resource_quota(body=client.V1DeleteOptions(), _preload_content=False, **name)

    yield lift
    lift()


def start(page, profile):
    page.get_by_role('radio', name=profile).check()
    page.get_by_role('button', name='Start').click()


def works(page, username):
    """Start the profile that works; return when its server is there."""
    start(page, 'Works')
    page.wait_for_url('**/user/%s/**' % username, timeout=60000)


@pytest.mark.parametrize('profile', ['Missing', 'Crashing', 'Large'])
def test_a_start_that_fails_says_why_and_what_to_do_within_seconds_and_can_be_tried_again(
        hub, visit, core, namespace, screenshot, profile):
    username = profile.lower()
    page = visit(hub.url, username, viewport={'width': 800, 'height': 430})
    start(page, profile)
    words, raw = TOLD[profile]
    page.locator('#progress-message').get_by_text(words).wait_for(timeout=SECONDS)
    assert raw in page.locator('#progress-message').inner_text()

    page.reload()
    assert page.get_by_role('heading', name='Spawn failed').is_visible()
    assert words in page.locator('body').inner_text() and raw in page.locator('body').inner_text()
    if profile == 'Missing':
        screenshot(page, 'failure')
    page.get_by_role('button', name='Relaunch Server').click()
    assert page.get_by_role('radio', name=profile).is_checked()
    works(page, username)
    assert len(pods(core, namespace, username)) == 1


def test_the_page_of_progress_has_a_way_to_try_again_too(hub, visit):
    page = visit(hub.url, 'impatient')
    start(page, 'Missing')
    page.locator('#progress-log').get_by_role('link', name='Try again').click(timeout=SECONDS)
    works(page, 'impatient')


def test_what_a_quota_refuses_is_told_above_the_form(hub, visit, quota, core, namespace):
    page = visit(hub.url, 'many')
    start(page, 'Works')
    words, raw = TOLD['Quota']
    told = page.locator('.spawn-error-msg, #progress-message')
    told.filter(has_text=words).wait_for(timeout=SECONDS)
    assert raw in told.inner_text()
    assert pods(core, namespace, 'many') == []
    quota()
    page.goto(hub.url + '/hub/spawn')
    works(page, 'many')
