"""Stands in for the package of this name, whose grammars take a second of CPU to build in each process.

JupyterHub and Jupyter Server import jsonschema, which does without it. No test of this package is about what it checks.
"""
raise ImportError('is left out in tests, see tests/support/lighter.py')
