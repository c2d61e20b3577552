"""Many writers at once."""
from concurrent.futures import ThreadPoolExecutor

from .helpers import created, endpoints, names, ok, outcome, told, unique, version

WRITERS = 16


def at_once(call, *arguments):
    """Call with each argument, from many threads; the answers in the order of the arguments."""
    with ThreadPoolExecutor(WRITERS) as executor:
        return list(executor.map(call, *arguments))


def test_one_watcher_sees_100_creates_once_each_with_growing_versions(http, url, name):
    path, wanted = url('endpoints'), ['%s-%03d' % (name, number) for number in range(100)]
    since = version(ok(http.get(path)))
    with http.watch(path, resourceVersion=since) as watch:
        answers = at_once(lambda each: http.post(path, endpoints(each)), wanted)
        events = watch.take(100)
        created(http.post(path, endpoints(name + '-last')))
        assert told([next(watch)]) == [('ADDED', name + '-last')]
    assert sorted(told(events)) == [('ADDED', each) for each in wanted]
    versions = [int(version(e['object'])) for e in events]
    assert versions == sorted(set(versions)) and versions[0] > int(since)
    assert sorted(versions) == sorted(int(version(created(answer))) for answer in answers)


def test_of_many_creates_of_one_name_one_wins(http, url, name):
    answers = at_once(lambda _: http.post(url('endpoints'), endpoints(name)), range(WRITERS))
    assert sorted(answer.code for answer in answers) == [201] + [409] * (WRITERS - 1)
    winner = next(answer.body for answer in answers if answer.code == 201)
    assert ok(http.get(url('endpoints', name)))['metadata']['uid'] == winner['metadata']['uid']


def test_of_many_replacements_of_one_version_one_wins(http, url, name):
    obj = created(http.post(url('endpoints'), endpoints(name)))

    def replace(number):
        labels = {'writer': str(number)}
        return http.put(url('endpoints', name), dict(obj, metadata=dict(obj['metadata'], labels=labels)))

    answers = at_once(replace, range(WRITERS))
    lost = [answer for answer in answers if answer.code != 200]
    assert len(lost) == WRITERS - 1 and {outcome(answer) for answer in lost} == {(409, 'Conflict')}
    assert ok(http.get(url('endpoints', name))) == next(answer.body for answer in answers if answer.code == 200)


def test_no_patch_of_many_is_lost(http, url, name):
    created(http.post(url('endpoints'), endpoints(name)))
    at_once(lambda n: ok(http.patch(url('endpoints', name), {'metadata': {'labels': {'w%d' % n: 'x'}}})), range(5))
    assert set(ok(http.get(url('endpoints', name)))['metadata']['labels']) == {'w%d' % n for n in range(5)}


def test_of_many_deletions_one_wins(http, url, name):
    created(http.post(url('endpoints'), endpoints(name)))
    answers = at_once(lambda _: http.delete(url('endpoints', name)), range(WRITERS))
    assert sorted({answer.code for answer in answers}) == [200, 404]
    assert [answer.code for answer in answers].count(200) == 1


def test_generated_names_do_not_collide(http, url):
    body = {'metadata': {'generateName': unique() + '-'}}
    at_once(lambda _: created(http.post(url('endpoints'), body)), range(50))
    prefix = body['metadata']['generateName']
    assert len([n for n in names(ok(http.get(url('endpoints')))) if n.startswith(prefix)]) == 50
