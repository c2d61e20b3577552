"""Whether another distribution has written its files over this package.

pip silently lets two distributions install files with the same names. The result is a mixture of both.
"""
import glob
import os

OURS, OTHERS = 'kubespawner', ('jupyterhub_kubespawner',)

_DIRECTORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def others_in(directory):
    """Return the names of other distributions in a directory that contain a package `kubespawner`, a list."""
    return sorted({os.path.basename(found).rsplit('.', 1)[0].split('-')[0].replace('_', '-')
                   for name in OTHERS for kind in ('dist-info', 'egg-info')
                   for found in glob.glob(os.path.join(glob.escape(directory), '%s-*.%s' % (name, kind)))})


def check(log, directory=None):
    """Log what to do if another distribution may have overwritten files of this package."""
    directory = directory or _DIRECTORY
    others = others_in(directory)
    if others:
        log.error('The distribution %s in %s also has a package kubespawner. The files of both are mixed. '
                  'Run: pip uninstall --yes %s && pip install --force-reinstall --no-deps %s',
                  ' and '.join(others), directory, ' '.join(others), OURS)
