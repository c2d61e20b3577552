"""Access to the Kubernetes API: versions of the client, requests, retries, streams, the cache and the watch thread.

What a response means for a server does not belong here. This package imports only `messages`, for errors, and
`metrics`.
"""
