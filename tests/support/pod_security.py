"""The Pod Security Standard `restricted`, as far as it concerns Linux, for API servers that do not enforce it yet.

`violations(spec)` checks the fields that the standard names in Kubernetes' documentation. Pure.
"""
VOLUMES = {'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'}
SECCOMP = ('RuntimeDefault', 'Localhost')
SELINUX = (None, '', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t')
SYSCTLS = {'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start',
           'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports',
           'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl',
           'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'}


def violations(spec):
    """Return what `restricted` forbids in a pod's spec (a dict, as the API has it): a list of str, empty if nothing."""
    found = ['pod: ' + problem for problem in _of_pod(spec)]
    for kind in ('initContainers', 'containers', 'ephemeralContainers'):
        for container in spec.get(kind) or []:
            found += ['%s: %s' % (container['name'], problem)
                      for problem in _of_container(container, spec.get('securityContext') or {})]
    return found


def _of_pod(spec):
    context = spec.get('securityContext') or {}
    for field in ('hostNetwork', 'hostPID', 'hostIPC'):
        if spec.get(field):
            yield field
    for volume in spec.get('volumes') or []:
        for source in sorted(set(volume) - {'name'} - VOLUMES):
            yield 'a volume of type ' + source
    for sysctl in context.get('sysctls') or []:
        if sysctl['name'] not in SYSCTLS:
            yield 'the sysctl ' + sysctl['name']
    for problem in _of_any_context(context):
        yield problem


def _of_container(container, pod_context):
    context = container.get('securityContext') or {}
    seccomp = context.get('seccompProfile') or pod_context.get('seccompProfile') or {}
    problems = list(_of_any_context(context))
    problems += [problem for problem, is_there in [
        ('privileged', context.get('privileged')),
        ('procMount', context.get('procMount') not in (None, 'Default')),
        ('allowPrivilegeEscalation is not false', context.get('allowPrivilegeEscalation') is not False),
        ('runAsNonRoot is not true', context.get('runAsNonRoot', pod_context.get('runAsNonRoot')) is not True),
        ('seccompProfile is neither RuntimeDefault nor Localhost', seccomp.get('type') not in SECCOMP),
        ('a hostPort', any(port.get('hostPort') for port in container.get('ports') or [])),
        ('the host of a probe or hook', any(_names_a_host(handler) for handler in _handlers(container))),
    ] if is_there]
    return problems + list(_of_capabilities(context.get('capabilities') or {}))


def _of_capabilities(capabilities):
    if 'ALL' not in (capabilities.get('drop') or []):
        yield 'capabilities: ALL is not dropped'
    for added in capabilities.get('add') or []:
        if added != 'NET_BIND_SERVICE':
            yield 'capabilities: %s is added' % added


def _of_any_context(context):
    """Yield what is wrong with fields that pods and containers have alike."""
    if context.get('runAsUser') == 0:
        yield 'runAsUser is 0'
    if (context.get('appArmorProfile') or {}).get('type') == 'Unconfined':
        yield 'appArmorProfile'
    if (context.get('windowsOptions') or {}).get('hostProcess'):
        yield 'windowsOptions.hostProcess'
    selinux = context.get('seLinuxOptions') or {}
    if selinux.get('type') not in SELINUX or selinux.get('user') or selinux.get('role'):
        yield 'seLinuxOptions'


def _handlers(container):
    """Return probes and hooks, which may name a host."""
    probes = [container.get(name) for name in ('livenessProbe', 'readinessProbe', 'startupProbe')]
    return [handler for handler in probes + list((container.get('lifecycle') or {}).values()) if handler]


def _names_a_host(handler):
    return any((handler.get(kind) or {}).get('host') for kind in ('httpGet', 'tcpSocket'))
