"""How Sphinx builds the documentation: `sphinx-build -W --keep-going -n docs docs/_build/html`."""
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

from kubespawner import __version__  # noqa: E402

project = 'KubeSpawner'
copyright = '2026, the KubeSpawner developers'
release = version = __version__

extensions = ['measured', 'settings_reference']
exclude_patterns = ['_build']
nitpicky = True

html_theme = 'furo'
html_title = 'KubeSpawner %s' % release
html_static_path = ['_static']
html_css_files = ['custom.css']
html_show_sphinx = False
html_copy_source = False
highlight_language = 'none'
pygments_style = 'default'
