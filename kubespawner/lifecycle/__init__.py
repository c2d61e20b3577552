"""One start and one stop: the attempt, pods, claims, waiting, and what a pod's status means.

Its objects get plain values, requests and a reflector, never a spawner. Settings and the hub's state do not belong
here.
"""
