"""The parts of KubeSpawner that read its settings and the hub's state, and that subclasses override.

What can be said with plain values belongs into the layers below.
"""
