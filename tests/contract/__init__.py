"""What a Kubernetes API server must do, whichever one answers.

Every case here was written against a real API server, and holds for any: localkube without options, another cluster
with `--kubeconfig FILE`. Cases about the official client use it; all others speak plain HTTP, so that neither the
client's checks nor its retries stand between a case and the server.

No case needs a node, a scheduler or a kubelet, and none may be disturbed by one: pods ask for a scheduler that does
not exist, and are bound by hand to a node that does not exist.
"""
