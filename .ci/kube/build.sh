# shellcheck shell=bash
# What `kubernetes build` does: compile Kubernetes into the cache. Sourced by .ci/kubernetes.

# The apt source files that Debian's own packages come from. They are asked from apt, which
# knows them by the origin in their release files, so no mirror needs a name here.
debian_source_files() {
    # shellcheck disable=SC2016  # the variable is apt's
    apt-get indextargets --format '$(SOURCESENTRY)' 'Created-By: Packages' 'Origin: Debian' |
        sed 's/:[0-9]*$//' | sort -u
}

# An apt set-up of our own in the build directory: Debian's entries of this machine, with
# their sources. With lists of its own it neither changes the machine's nor trips over an
# entry there that is out of order.
prepare_apt() {
    local files file
    files=$(debian_source_files)
    if [[ -z $files ]]; then
        # Never updated since installation: apt does not know the origins yet.
        apt-get -qq update >>"$log" 2>&1 || true
        files=$(debian_source_files)
    fi
    [[ -n $files ]] || die "apt knows no Debian mirror: see /etc/apt/sources.list.d"
    mkdir -p "$work"/apt/{sources,lists/partial}
    for file in $files; do
        case $file in
            *.sources) sed 's/^Types:.*/Types: deb deb-src/' "$file" ;;
            *) sed -n 's/^deb .*/&/p; s/^deb /deb-src /p' "$file" ;;
        esac >"$work/apt/sources/${file##*/}"
    done
    apt update
}

# apt-get with that set-up, its output in the log. The sandbox user of apt would have no
# access to the build directory.
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/apt/sources" \
        -o "Dir::State::Lists=$work/apt/lists" -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=300 \
        "$@" >>"$log" 2>&1 </dev/null || die "apt-get $1 failed: $(tail -n 1 "$log"); see $log"
}

# Packages of tools that this script uses and the machine lacks. None of them is a service
# that starts when it is installed: such ones are unpacked, below.
missing_tools() {
    local tool
    for tool in curl:curl dnsmasq:dnsmasq-base dpkg-source:dpkg-dev ip:iproute2 iptables:iptables make:make \
        openssl:openssl python3:python3 rsync:rsync socat:socat; do
        type -P "${tool%:*}" >/dev/null || echo "${tool#*:}"
    done
}

# Installs them.
install_tools() {
    local packages
    mapfile -t packages < <(missing_tools)
    (( ${#packages[@]} )) || return 0
    say "installing ${packages[*]}"
    apt install --no-install-recommends "${packages[@]}"
}

# The Debian packages $@, into root/. They are not installed: that would start an etcd and a
# containerd, and drive out another containerd or kubectl.
unpack_packages() {
    local package
    apt download "$@"
    mkdir root
    for package in *.deb; do
        dpkg-deb --extract "$package" root
    done
}

# Kubernetes' sources as Debian has them, made fit for the compiler, into source/.
unpack_source() {
    local reflect2=vendor/github.com/modern-go/reflect2
    apt source kubernetes
    compgen -G "kubernetes-$release*/" >/dev/null || die "this Debian has no Kubernetes $release; Debian 12 does"
    mv kubernetes-*/ source
    # The vendored version breaks with Go 1.18 and later: the API server crashes under load.
    rm source/$reflect2/*.{go,s}
    cp root/usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} source/$reflect2/
}

# A command that compiles Go, with nothing of the caller's environment, and at low priority:
# it takes all processors for minutes.
with_go() {
    env -i \
        PATH="$work/root/usr/lib/go-1.19/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME="$work" \
        GOROOT="$work/root/usr/lib/go-1.19" GOPATH="$work/source/.go" GOCACHE="$work/go-cache" \
        GO111MODULE=off CGO_ENABLED=0 \
        nice -n 10 "$@" >>"$log" 2>&1 </dev/null || die "compiling failed: $(tail -n 1 "$log"); see $log"
}

# The programs that are compiled.
readonly programs=(kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet)

# Those of them that the cache lacks: all, or what was not yet built when the cache was made.
missing_programs() {
    local program
    for program in "${programs[@]}"; do
        [[ -x $built/bin/$program ]] || echo "$program"
    done
}

# The programs $@, into result/bin/.
compile() {
    say "compiling $*: up to 5 minutes, log in $log"
    unpack_source
    mkdir -p source/.go/src/k8s.io
    ln -s ../../.. source/.go/src/k8s.io/kubernetes
    with_go make -C source WHAT="${*/#/cmd/}"
    cp "${@/#/source/_output/bin/}" result/bin/
}

# An image archive as `docker save` writes it, to standard output: the image $1 with the
# contents of the directory $2 and the command $3.
image() {
    local name=$1 contents=$2 command=$3 directory
    directory=$(mktemp -d -p "$work")
    tar -C "$contents" --owner=0 --group=0 --sort=name -cf "$directory/layer.tar" .
    cat >"$directory/config.json" <<JSON
{"os": "linux", "architecture": "$(dpkg --print-architecture)", "config": {"Cmd": ["$command"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum <"$directory/layer.tar" | cut -d ' ' -f 1)"]}}
JSON
    cat >"$directory/manifest.json" <<JSON
[{"Config": "config.json", "RepoTags": ["$name"], "Layers": ["layer.tar"]}]
JSON
    tar -C "$directory" -cf - manifest.json config.json layer.tar
}

# The image of the process that holds a pod's namespaces, which every pod needs.
pause_image() {
    mkdir pause
    cat >pause.go <<'GO'
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
GO
    with_go go build -ldflags '-s -w' -o pause/pause pause.go
    image local/pause:latest pause /pause
}

# An image for tests. It has no programs: pods mount the machine's /usr and so on into it,
# and so run what is installed there, for instance jupyterhub-singleuser.
empty_image() {
    mkdir -p empty/{etc,tmp,home/jovyan}
    chmod 1777 empty/tmp empty/home/jovyan
    cat >empty/etc/passwd <<'PASSWD'
root:x:0:0:root:/root:/bin/sh
jovyan:x:1000:100:jovyan:/home/jovyan:/bin/sh
PASSWD
    printf '%s\n' root:x:0: users:x:100: >empty/etc/group
    image local/empty:latest empty /bin/sh
}

# All of the above into the cache. What is new appears there at the end, by renaming, so that a
# build that was interrupted leaves nothing that looks complete.
build() {
    local missing compiler=(golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev)
    mapfile -t missing < <(missing_programs)
    if [[ ${#missing[@]} = 0 && -z $(missing_tools) ]]; then
        say "already built: $built"
        return
    fi
    need_root build
    type -P apt-get >/dev/null || die "apt-get is missing: this needs Debian 12"
    rm -rf "$cache"/build.*/
    work=$(mktemp -d "$cache/build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    log=$cache/build.log
    : >"$log"
    cd "$work"
    mkdir -p result/{bin,images}
    prepare_apt
    install_tools
    if [[ ! -d $built ]]; then
        unpack_packages containerd containernetworking-plugins etcd-server runc "${compiler[@]}"
        compile "${missing[@]}"
        pause_image >result/images/pause.tar
        empty_image >result/images/empty.tar
        cp root/usr/bin/{etcd,containerd,containerd-shim-runc-v2,ctr} root/usr/sbin/runc result/bin/
        cp -r root/usr/lib/cni result/
        mv result "$built"
    elif (( ${#missing[@]} )); then
        unpack_packages "${compiler[@]}"
        compile "${missing[@]}"
        mv result/bin/* "$built/bin/"
    fi
    cd /
    rm "$log"
    say "built: $built"
}
