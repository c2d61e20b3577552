"""Finding mistakes in a configuration, as far as possible without a hub, a user or a cluster.

    values      what a value must be like, by the name of the trait
    settings    goes through a configuration: values, misspelt names, sections of classes that do not exist

Nothing is changed here and nothing is asked of Kubernetes. What depends on a user or on the cluster is found when a
server starts. Any thread.
"""
from .settings import Problem, find_problems

__all__ = ['Problem', 'find_problems']
