# shellcheck shell=bash
# What makes the node's network a cluster's: Services, names, the API server. Sourced by .ci/kubernetes.

# The network of the pods, as far as the machine takes part in it. What is addressed to a Service
# takes the bridge too, wherever it comes from. Forwarding is on for the bridge alone, and what
# pods send elsewhere is refused, so that there is no way out.
make_bridge() {
    touch "$state/bridge"
    ip link show "$bridge" >/dev/null 2>&1 && return
    ip link add "$bridge" type bridge || die "the kernel makes no network bridge"
    ip address add "$gateway/${pod_network#*/}" dev "$bridge"
    ip link set "$bridge" up
    ip route add "$service_network" dev "$bridge" src "$gateway"
    echo 1 >"/proc/sys/net/ipv4/conf/$bridge/forwarding" || die "the kernel lets nobody forward packets"
    iptables --wait --insert FORWARD --in-interface "$bridge" ! --out-interface "$bridge" --jump REJECT ||
        die "the kernel takes no packet filter rules"
}

# Whether somebody else's kube-proxy has rules here, which ours would take for its own.
other_kube_proxy() {
    iptables-save | grep -q '^:KUBE-'
}

# Takes back all rules of ours and of kube-proxy. First go those that lead into kube-proxy's
# chains, then what is in these chains, and then the chains. The kernel keeps its own chains, empty.
remove_rules() {
    iptables-save | awk -v bridge="$bridge" '
        /^\*/ { print; chains = "" }
        /^:KUBE-/ { chain = substr($1, 2); print "-F " chain; chains = chains "-X " chain "\n" }
        /^-A/ && $2 !~ /^KUBE-/ && ($0 ~ "-i " bridge || /-j KUBE-/) { sub(/^-A/, "-D"); print }
        /^COMMIT/ { printf "%s", chains; print }
    ' | iptables-restore --wait --noflush || say "warning: rules are left; see iptables-save"
}

# The pods' network. Their ends of it go with their namespaces, soon but not at once.
remove_network() {
    [[ -e $state/bridge ]] || return 0
    remove_rules
    ip link show "$bridge" >/dev/null 2>&1 || return 0
    for _ in {1..50}; do
        [[ -n $(ip -oneline link show master "$bridge") ]] || break
        sleep 0.1
    done
    ip link delete "$bridge"
}

# What makes Services reachable, from pods and from the machine. Answers have to come back the
# way that the question took, so pods see this machine as the sender. The connection table's
# settings stay as they are.
start_proxy() {
    running kube-proxy && return
    start_in_node kube-proxy "$built/bin/kube-proxy" \
        --kubeconfig "$state/admin.kubeconfig" --hostname-override node \
        --proxy-mode iptables --cluster-cidr "$pod_network" --masquerade-all \
        --iptables-min-sync-period 100ms --nodeport-addresses "$gateway/32" \
        --conntrack-max-per-core 0 --conntrack-min 0 \
        --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s \
        --healthz-bind-address "$gateway:$(port kube-proxy)" --metrics-bind-address "$gateway:$(port kube-proxy-metrics)"
    wait_for 30 kube-proxy curl --silent --fail "http://$gateway:$(port kube-proxy)/healthz"
}

# The API server for pods. It listens on 127.0.0.1, where no Service can lead, so a relay at
# the bridge is what the Service `kubernetes` stands for.
start_relay() {
    local port
    port=$(port kube-apiserver)
    running relay || start_in_node relay socat -lf "$state/logs/relay.log" \
        "TCP-LISTEN:$port,bind=$gateway,fork,reuseaddr,backlog=128" "TCP:127.0.0.1:$port"
    kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Endpoints
metadata: {name: kubernetes, namespace: default}
subsets: [{addresses: [{ip: $gateway}], ports: [{name: https, port: $port}]}]
YAML
}

# The names of Services, at port 53 of the bridge.
start_names() {
    running names && return
    mkdir -p "$state/node/names"
    kubectl config view --raw --output json >"$state/node/names/kubeconfig.json"
    start_in_node names python3 "$parts/names.py" "$state/node/names/kubeconfig.json" "$state/node/names" "$gateway"
    wait_for 30 names listens 53 "$gateway"
}
