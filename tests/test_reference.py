"""The settings reference has every setting, with all its names, and is valid on every version of everything."""
import re

import pytest

from kubespawner import KubeSpawner
from tests.documentation import settings_reference


@pytest.fixture(scope='module')
def text():
    return settings_reference.reference()


@pytest.fixture(scope='module')
def entries(text):
    """The names of each entry of the reference, as lists."""
    return [found.split() for found in re.findall(r'^\.\. setting:: (\w+\n(?:    +\w+\n)*)', text, re.MULTILINE)]


def test_every_setting_is_in_it_once_with_all_its_names(entries):
    headings = [name for names in entries for name in names]
    assert len(headings) == len(set(headings))
    for trait in KubeSpawner.class_own_traits(config=True):
        assert settings_reference.names_of(trait) in entries


def test_it_has_the_settings_of_the_watch(entries):
    assert {'further_fields', 'give_up_seconds'} <= {names[0] for names in entries}


def test_the_name_of_another_setting_is_a_link(text):
    assert ':setting:`pod_name_template`' in text
    assert '``{username}``' in text


def test_it_is_valid_restructuredtext(text):
    core = pytest.importorskip('docutils.core')
    without_directives = re.sub(r'\.\. setting:: .*\n(    +\w+\n)*', '.. container::\n', text)
    plain = re.sub(r':setting:`(\w+)`', r'``\1``', without_directives)
    problems = []
    core.publish_doctree(plain, settings_overrides={
        'report_level': 2, 'halt_level': 6, 'warning_stream': type('Stream', (), {
            'write': lambda self, problem: problems.append(problem)})()})
    assert problems == []
