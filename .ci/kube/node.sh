# shellcheck shell=bash
# What `kubernetes up-node` starts: containerd, kubelet, scheduler. Sourced by .ci/kubernetes.

# Directories where containerd, CNI, the kubelet and its `mount` keep their things, whatever
# they are told. In the node's view of the file system they lie in the state directory.
readonly node_directories=(
    /run/containerd /run/mount /var/lib/cni /var/lib/containerd /var/lib/kubelet
    /var/log/containers /var/log/pods
)

# Kernel settings that the kubelet and kube-proxy insist on.
readonly node_settings=(
    kernel/keys/root_maxbytes=25000000 kernel/keys/root_maxkeys=1000000
    kernel/panic=10 kernel/panic_on_oops=1 net/ipv4/conf/all/route_localnet=1
    vm/overcommit_memory=1 vm/panic_on_oom=0
)

# The cgroup of all pods, in each hierarchy. Its name keeps it from other kubelets' pods.
cgroup=kubespawner-$(cksum <<<"$state" | cut -d ' ' -f 1)
readonly cgroup

# Where the cgroup hierarchies are mounted: one for each controller, or a single one.
cgroup_hierarchies() {
    awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/self/mounts
}

# What the kernel and the network of this machine have to offer, before anything is changed.
check_node() {
    local controller available
    available=$(awk '$3 == "cgroup" {print $4}' /proc/self/mounts; cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null || true)
    for controller in cpu cpuset memory pids; do
        grep -qw "$controller" <<<"$available" || die "the cgroup controller '$controller' is not mounted in /sys/fs/cgroup"
    done
    [[ -w /sys/fs/cgroup ]] || die "/sys/fs/cgroup is read-only: in a container, run it privileged"
    [[ -e /dev/kmsg ]] || die "/dev/kmsg is missing, which the kubelet reads"
    unshare --mount --pid --fork true 2>/dev/null || die "the kernel grants no mount and process namespaces"
    [[ -e $state/bridge || -z $(ip route show root "$pod_network") ]] ||
        die "$pod_network is in use already: another node or container engine has it"
    [[ -e $state/bridge || -z $(ip route show root "$service_network") ]] || die "$service_network is in use already"
    [[ -e $state/bridge ]] || ! other_kube_proxy || die "another kube-proxy has rules on this machine: see iptables-save"
}

# The cgroup of the pods, fit to have groups in it: a group of cpusets starts out without
# processors, one of version 2 without controllers for the groups below.
make_cgroups() {
    local hierarchy file
    for hierarchy in $(cgroup_hierarchies); do
        mkdir -p "$hierarchy/$cgroup"
        for file in cpuset.cpus cpuset.mems; do
            [[ ! -e $hierarchy/$file ]] || cat "$hierarchy/$file" >"$hierarchy/$cgroup/$file"
        done
        # Only the single hierarchy of version 2 has controllers listed.
        grep -qs . "$hierarchy/cgroup.controllers" || continue
        for file in cgroup.subtree_control "$cgroup/cgroup.subtree_control"; do
            sed 's/\</+/g' "$hierarchy/cgroup.controllers" >"$hierarchy/$file" ||
                die "cgroup controllers cannot be enabled in $hierarchy"
        done
    done
}

# The files behind the node's view of the file system, and the places where they are mounted,
# which the machine has to have; those that it had not are noted for `down`.
make_node_directories() {
    local directory setting
    # What a node left here that was killed would mislead its successor.
    rm -rf "$state/node/run" "$state/node/ready"
    for directory in "${node_directories[@]}"; do
        mkdir -p "$state/node$directory"
        [[ -d $directory ]] || { mkdir "$directory" && echo "$directory" >>"$state/made-directories"; }
    done
    for setting in "${node_settings[@]}"; do
        mkdir -p "$state/node/settings/${setting%/*}"
        echo "${setting#*=}" >"$state/node/settings/${setting%=*}"
    done
}

# What the first process does in the node's namespaces: it sets up the view of the file
# system for all that follow, then waits for its orphans for ever. The kubelet and kube-proxy
# find the kernel settings as they want them and leave those of the machine alone.
node_init() {
    local node=$1 directory file
    for directory in "${node_directories[@]}"; do
        mount --no-mtab --bind "$node$directory" "$directory"
    done
    for file in $(cd "$node/settings" && find . -type f); do
        mount --no-mtab --bind "$node/settings/$file" "/proc/sys/$file"
    done
    touch "$node/ready"
    sleep infinity &
    while :; do wait; done
}

# Namespaces of mounts and processes, in which the node and its pods are. When their first
# process ends, so does every other, and no mount remains, be the node in order or not. It is
# the only child of `unshare`, and goes by the name `node`.
start_namespaces() {
    local pid
    running node && return
    stop unshare
    make_node_directories
    start unshare unshare --mount --pid --fork --kill-child --mount-proc --propagation slave \
        bash -euc "$(declare -p node_directories); $(declare -f node_init); node_init \"\$1\"" bash "$state/node"
    wait_for 10 unshare test -e "$state/node/ready"
    pid=$(<"$state/pids/unshare")
    tr -d ' ' <"/proc/$pid/task/$pid/children" >"$state/pids/node"
}

# A command in the node's namespaces.
in_node() {
    nsenter --target "$(<"$state/pids/node")" --mount --pid -- "$@"
}

# The same in the background, under the name $1.
start_in_node() {
    start "$1" nsenter --target "$(<"$state/pids/node")" --mount --pid -- "${@:2}"
}

# The container engine, the network of its containers, and the images.
start_containerd() {
    local archive
    running containerd && return
    mkdir -p "$state/node/cni"
    cat >"$state/node/cni/kubespawner.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "kubespawner", "plugins": [
  {"type": "bridge", "bridge": "$bridge", "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pod_network"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
    # Snapshots are plain copies, which work on every file system; our images are tiny. And
    # restrict_oom_score_adj is for machines where not even root may lower that score.
    cat >"$state/node/containerd.toml" <<TOML
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/local/pause:latest"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$built/cni"
    conf_dir = "$state/node/cni"
TOML
    start_in_node containerd env PATH="$built/bin:$PATH" containerd --config "$state/node/containerd.toml"
    wait_for 30 containerd in_node "$built/bin/ctr" version
    for archive in "$built"/images/*.tar; do
        in_node "$built/bin/ctr" --namespace k8s.io images import --snapshotter native "$archive" \
            >>"$state/logs/containerd.log" 2>&1 || die "containerd does not take the image $archive"
    done
}

# The node's agent. It evicts no pod and drops no image when the disk is nearly full, and is
# kept from asking the network for a cloud provider's credentials. Its first 5 seconds are
# cAdvisor's vain search for Docker. Pods ask for names at the bridge alone, for they would not
# reach the servers of this machine's resolv.conf.
start_kubelet() {
    running kubelet && return
    echo "nameserver $gateway" >"$state/node/resolv.conf"
    cat >"$state/node/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $gateway
port: $(port kubelet)
healthzPort: 0
tlsCertFile: $state/pki/kubelet.crt
tlsPrivateKeyFile: $state/pki/kubelet.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
enforceNodeAllocatable: []
evictionHard: {memory.available: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
imageGCHighThresholdPercent: 100
failSwapOn: false
makeIPTablesUtilChains: false
oomScoreAdj: 0
clusterDNS: [$gateway]
clusterDomain: cluster.local
resolvConf: $state/node/resolv.conf
volumePluginDir: /var/lib/kubelet/volume-plugins
YAML
    start_in_node kubelet env AWS_EC2_METADATA_DISABLED=true "$built/bin/kubelet" \
        --config "$state/node/kubelet.yaml" --kubeconfig "$state/admin.kubeconfig" \
        --hostname-override node --node-ip "$gateway" \
        --container-runtime remote --container-runtime-endpoint unix:///run/containerd/containerd.sock
}

# What gives pods to the node.
start_scheduler() {
    running kube-scheduler || start kube-scheduler "$built/bin/kube-scheduler" \
        --kubeconfig "$state/admin.kubeconfig" --leader-elect=false --port 0 --secure-port 0
}

# Whether pods can come: the node says so, and the taints that it started with are gone.
node_ready() {
    local ready='{.status.conditions[?(@.type=="Ready")].status}{.spec.taints}'
    [[ $(kubectl get node node --output "jsonpath=$ready") = True ]]
}

# A cluster whose pods run. A part that is running already is left as it is, as in `up`.
up_node() {
    need_root up-node
    need awk curl dnsmasq ip iptables nsenter python3 socat unshare
    up
    if running node && running containerd && running kubelet && running kube-scheduler &&
        running kube-proxy && running relay && running names; then
        say "its node is already running"
        return
    fi
    check_node
    make_bridge
    make_cgroups
    start_namespaces
    start_containerd
    start_relay
    start_names
    start_kubelet
    start_scheduler
    # Now with the controller that looks after nodes.
    stop kube-controller-manager
    start_controllers
    wait_for 90 kubelet node_ready
    start_proxy
    say "its node is ready"
}

# The pods' cgroups. The kernel may need a moment to notice that the last process is gone.
remove_cgroups() {
    local hierarchy
    for hierarchy in $(cgroup_hierarchies); do
        for _ in {1..50}; do
            [[ -d $hierarchy/$cgroup ]] || break
            find "$hierarchy/$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
        done
        [[ ! -d $hierarchy/$cgroup ]] || say "warning: the cgroup $hierarchy/$cgroup is still in use"
    done
}
