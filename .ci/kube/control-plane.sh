# shellcheck shell=bash
# What `kubernetes up` starts: certificates, etcd, API server, controllers. Sourced by .ci/kubernetes.

# The directory of a cluster. It has secrets, so it is the user's alone. The file `cluster`
# marks it as ours, for `down` deletes it with all it has.
make_state() {
    [[ $state = /* ]] || die "KUBERNETES_STATE must be an absolute path"
    if [[ -d $state && ! -e $state/cluster && -n $(ls -A "$state") ]]; then
        die "$state has other things in it; set KUBERNETES_STATE to a new directory"
    fi
    mkdir -p "$state"/{logs,pids,ports,pki}
    chmod 700 "$state"
    touch "$state/cluster"
}

# A key and certificate $1 for the subject $2, with the X.509 extensions that follow, signed
# by our authority; the authority itself when $1 is `ca`. Extensions are complete enough for
# clients that verify strictly, as Python does since 3.13.
certificate() {
    local name=$1 subject=$2 signer=()
    shift 2
    local extensions=(subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "$@")
    [[ -e $state/pki/$name.crt ]] && return
    [[ $name = ca ]] || signer=(-CA "$state/pki/ca.crt" -CAkey "$state/pki/ca.key")
    # The machine's configuration would add extensions of its own.
    printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$state/pki/openssl.cnf"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -config "$state/pki/openssl.cnf" -subj "$subject" "${signer[@]}" \
        "${extensions[@]/#/-addext=}" \
        -keyout "$state/pki/$name.key" -out "$state/pki/$name.crt" 2>"$state/logs/openssl.log" ||
        die "openssl made no certificate; see $state/logs/openssl.log"
}

# Everything that proves who somebody is: one authority, the servers' certificates, and the
# key of the service accounts.
make_certificates() {
    certificate ca /CN=kubespawner-kubernetes \
        basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign
    certificate server /CN=kube-apiserver \
        basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
        "subjectAltName=IP:127.0.0.1,IP:$gateway,IP:${service_network%.0/*}.1,$(printf 'DNS:%s,' \
            kubernetes{,.default{,.svc{,.cluster.local}}})DNS:localhost"
    certificate kubelet /CN=kubelet \
        basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
        subjectAltName=IP:$gateway
    certificate kubelet-client /O=system:masters/CN=kube-apiserver \
        basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth
    [[ -e $state/pki/service-account.key ]] || openssl genrsa -out "$state/pki/service-account.key" 2>/dev/null
}

# The access of the user $1 with the groups $2: a token for the API server, and a kubeconfig
# that has all a client needs, the authority included.
make_user() {
    local user=$1 groups=$2 token
    [[ -e $state/$user.kubeconfig ]] && return
    token=$(openssl rand -hex 16)
    echo "$token,$user,$user,\"$groups\"" >>"$state/pki/tokens.csv"
    cat >"$state/$user.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: kubespawner
  cluster:
    server: https://127.0.0.1:$(port kube-apiserver)
    certificate-authority-data: $(base64 -w 0 "$state/pki/ca.crt")
users:
- name: $user
  user:
    token: $token
contexts:
- name: $user
  context:
    cluster: kubespawner
    user: $user
    namespace: default
current-context: $user
YAML
}

# kubectl as the administrator. Its caches stay in the state directory, not in the home.
kubectl() {
    "$built/bin/kubectl" --kubeconfig "$state/admin.kubeconfig" --cache-dir "$state/kubectl" "$@"
}

# The store behind the API server. Without fsync, tests are not held up by slow disks.
start_etcd() {
    local url
    url=http://127.0.0.1:$(port etcd)
    running etcd || start etcd "$built/bin/etcd" --data-dir "$state/etcd" --unsafe-no-fsync \
        --listen-client-urls "$url" --advertise-client-urls "$url" --listen-peer-urls http://127.0.0.1:0
    wait_for 30 etcd listens "$(port etcd)"
    age_etcd "$url"
}

# A few versions that the API server has never seen, so that version 1 is too old for a watch
# from the start, as it is on every cluster that has lived for a while.
age_etcd() {
    for _ in {1..5}; do
        curl --silent --fail --output /dev/null "$1/v3/kv/put" --data '{"key": "YQ==", "value": "YQ=="}' ||
            die "etcd does not take a key; see $state/logs/etcd.log"
    done
}

# The API server, with access control and admission as in any cluster.
start_apiserver() {
    running kube-apiserver || start kube-apiserver "$built/bin/kube-apiserver" \
        --etcd-servers "http://127.0.0.1:$(port etcd)" \
        --bind-address 127.0.0.1 --advertise-address 127.0.0.1 \
        --secure-port "$(port kube-apiserver)" --insecure-port 0 --endpoint-reconciler-type none \
        --tls-cert-file "$state/pki/server.crt" --tls-private-key-file "$state/pki/server.key" \
        --token-auth-file "$state/pki/tokens.csv" --authorization-mode RBAC --allow-privileged \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-signing-key-file "$state/pki/service-account.key" \
        --service-account-key-file "$state/pki/service-account.key" \
        --service-cluster-ip-range "$service_network" \
        --kubelet-preferred-address-types InternalIP \
        --kubelet-certificate-authority "$state/pki/ca.crt" \
        --kubelet-client-certificate "$state/pki/kubelet-client.crt" \
        --kubelet-client-key "$state/pki/kubelet-client.key"
    wait_for 60 kube-apiserver kubectl get --raw /readyz
}

# What a crash of the API server does: its connections break, and new ones are refused.
kill_api() {
    running kube-apiserver || die "no API server runs in $state"
    stop kube-apiserver
    say "killed the API server"
}

# The end of that. What the server had in its memory, the history of watches too, is gone. The
# controllers start anew as well: after an outage they might not look for it for half a minute.
start_api() {
    running etcd || die "nothing runs in $state; start it with 'kubernetes up'"
    running kube-apiserver || stop kube-controller-manager
    start_apiserver
    running kube-controller-manager || start_controllers
    say "the API server is ready"
}

# Compacts etcd to a revision that is newer than all before. A running API server may still know
# older ones itself; one that is started after this does not.
compact() {
    local url revision
    running etcd || die "nothing runs in $state; start it with 'kubernetes up'"
    url=http://127.0.0.1:$(port etcd)/v3/kv
    revision=$(curl --silent --fail "$url/put" --data '{"key": "YQ==", "value": "YQ=="}' |
        sed 's/.*"revision":"\([0-9]*\)".*/\1/')
    curl --silent --fail --output /dev/null "$url/compaction" --data "{\"revision\": \"$revision\", \"physical\": true}" ||
        die "etcd does not compact; see $state/logs/etcd.log"
    say "compacted etcd to revision $revision"
}

# The controllers. Without them a new namespace gets no service account, and so no pods; a
# deleted one stays for ever. The one that watches nodes would declare those dead that a
# test made up, so it is there only when there is a real one.
start_controllers() {
    local controllers='*'
    running kubelet || controllers+=,-nodelifecycle
    start kube-controller-manager "$built/bin/kube-controller-manager" \
        --kubeconfig "$state/admin.kubeconfig" --leader-elect=false --port 0 --secure-port 0 \
        --service-account-private-key-file "$state/pki/service-account.key" \
        --root-ca-file "$state/pki/ca.crt" --controllers "$controllers" --node-monitor-period 1s
}

# The rights of the user `hub`: every role of the file $HUB_ROLE, within $HUB_NAMESPACE.
grant_hub() {
    local namespace=${HUB_NAMESPACE:-default} object kind roles
    [[ -n ${HUB_ROLE:-} ]] || return 0
    kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace" >/dev/null
    roles=$(kubectl apply --namespace "$namespace" -f "$HUB_ROLE" --output name) || die "cannot apply $HUB_ROLE"
    for object in $roles; do
        kind=${object%%.*}
        [[ $kind = role || $kind = clusterrole ]] || continue
        kubectl create rolebinding "hub-${object#*/}" --namespace "$namespace" --user hub \
            "--$kind=${object#*/}" --dry-run=client --output yaml | kubectl apply -f - >/dev/null
    done
}

# What tests need to reach the cluster, as shell assignments, for `eval` or to be read.
print_env() {
    running kube-apiserver || die "nothing runs in $state; start it with 'kubernetes up'"
    printf 'export %s=%q\n' \
        ADMIN_KUBECONFIG "$state/admin.kubeconfig" \
        HUB_KUBECONFIG "$state/hub.kubeconfig" \
        KUBECTL "$built/bin/kubectl"
    ! running kubelet || printf 'export %s=%q\n' POD_GATEWAY "$gateway"
}

# A cluster without a node: all of the API, and pods that stay Pending. A part that is
# running already is left as it is, so this also mends a cluster that lost one.
up() {
    [[ -d $built ]] || die "not built yet: run 'kubernetes build' first"
    [[ -z ${HUB_ROLE:-} || -r $HUB_ROLE ]] || die "cannot read the file of HUB_ROLE: $HUB_ROLE"
    need curl openssl setsid
    if running etcd && running kube-apiserver && running kube-controller-manager; then
        say "already running in $state"
    else
        make_state
        make_certificates
        make_user admin system:masters
        make_user hub hubs
        start_etcd
        start_apiserver
        running kube-controller-manager || start_controllers
        wait_for 60 kube-controller-manager kubectl get serviceaccount default
        say "running in $state"
    fi
    grant_hub
}
