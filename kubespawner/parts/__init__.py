"""The parts of KubeSpawner that read its settings and the hub's state, and that subclasses override.

What needs only plain values belongs in the layers below.
"""
