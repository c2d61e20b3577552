"""`kubespawner demo`: a hub to try KubeSpawner, on localkube or on an existing cluster.

Here belong starting the parts (localkube, a proxy, a hub), showing what happens, and stopping everything. The main
thread starts and stops processes; one thread prints the events of pods, and one for each process reads its log. The
proxy and the login are loaded by processes of their own, so that nothing is imported here.
"""
