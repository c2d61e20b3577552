"""The way to the Kubernetes API: client versions, requests, the one retry policy, streams, the cache, the watch thread.

What an answer means for a server does not belong here. Only `messages` is imported, for the words of errors.
"""
