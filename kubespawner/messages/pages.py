"""Pieces of HTML for JupyterHub's pages: the steps of a start, and why one failed. All texts are escaped.

Every release of JupyterHub shows them in its own templates: on the page of a server that is starting, which has
`#progress-message` for the newest step and `#progress-log` for all, on the page after a failure, and above the form.
Pure, any thread.
"""
import functools
import os
import time
from html import escape

_DIRECTORY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'html')


def _read(name):
    with open(os.path.join(_DIRECTORY, name), encoding='utf8') as f:
        return f.read().strip()


# What shows times in the reader's time zone and counts the seconds since the newest step. It comes with the first step.
SCRIPT = _read('progress.html')

_STYLE = _read('failure.html')

# What shows the time of the last failure in the reader's time zone. It follows that time.
_LOCAL_TIME = _read('last_failure.html')

_SECONDS = '<span class="kubespawner-waited" aria-hidden="true" data-seconds="%d"></span>'  # no text has its quotes


@functools.lru_cache(maxsize=256)  # many starts reach the same step in the same second
def step(text: str, when: str) -> str:
    """Return a step of a start. when (str): such as `2018-01-01T05:53:16Z`."""
    return '%s (%s)%s' % (escape(text), _clock(when), _SECONDS % 0)


def with_seconds(html: str, seconds: int) -> str:
    """Return a `step` that began so many seconds ago."""
    return html.replace(_SECONDS % 0, _SECONDS % seconds)


# The log has the step already, and each of its reminders says nearly the same.
_IN_LOG = ('<style>#progress-log .kubespawner-step, #progress-log .kubespawner-repeated, '
           '#progress-message .kubespawner-told { display: none; } '
           '#progress-log > :has(.kubespawner-repeated) { display: none; }</style>')


def reminder(step: str, text: str, when: str, is_repeated: bool) -> str:
    """Return the message about a slow `step` (empty: before the first step). The log shows it alone, and only once.

    when (str): such as `2018-01-01T05:53:16Z`. is_repeated (bool): whether there was one about the same step before.
    """
    told = '%s <span class="kubespawner-told">(%s)</span>' % (escape(text), _clock(when))
    shown = '<div class="kubespawner-step">%s</div> %s' % (step, told) if step else told
    return _IN_LOG + ('<div class="kubespawner-repeated">%s</div>' % shown if is_repeated else shown)


def failed_step(text: str, when: str, failure: str) -> str:
    """Return the last step of a failed start, with the `failure` in the place that screen readers read aloud."""
    return '%s (%s)<div role="alert">%s</div>' % (escape(text), _clock(when), failure)


def failure(summary: str, details: str = '', url: str = '') -> str:
    """Return why a start failed.

    summary (str): what happened and what the user can do. details (str): what Kubernetes says; may be empty.
    url (str): where the user can try again. Only the page with the progress shows it: the others have a button.
    """
    more = '<details><summary>Details</summary>%s</details>' % escape(details) if details else ''
    again = ' <a class="btn btn-primary kubespawner-again" href="%s">Try again</a>' % escape(url) if url else ''
    return '%s<div class="kubespawner-failure"><p>%s</p>%s%s</div>' % (_STYLE, escape(summary), more, again)


# JupyterHub shows an error that has just happened above the form, in one piece.
_ONLY_ONCE = '<style>.container:has(.kubespawner-news) .spawn-error-msg { display: none; }</style>'


def last_failure(summary: str, details: str, seconds: float, note: str = '', is_news: bool = False) -> str:
    """Return what the form says about the last start, which failed.

    seconds (float): the time of the failure, since 1970. note (str): what else the user should know; may be empty.
    is_news (bool): whether the page shows the same error above the form.
    """
    when = time.gmtime(seconds)
    shown = _time(time.strftime('%Y-%m-%dT%H:%M:%SZ', when), time.strftime('%Y-%m-%d, %H:%M UTC', when))
    return '%s<div class="alert alert-danger%s"><p>Your server did not start (%s).</p>%s%s</div>%s' % (
        _ONLY_ONCE if is_news else '', ' kubespawner-news' if is_news else '', shown, failure(summary, details),
        '<p>%s</p>' % escape(note) if note else '', _LOCAL_TIME)


def _time(when, text):
    return '<time class="kubespawner-time" datetime="%s">%s</time>' % (escape(when), escape(text))


def _clock(when):
    """Return the time of day of a step. when (str): such as `2018-01-01T05:53:16Z`."""
    return _time(when, when[11:19] + ' UTC')
