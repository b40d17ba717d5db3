#!/bin/sh
# Installs the programs of barewire, with their manual pages and completions, for the user who runs it.
#
#     sh install.sh [--prefix DIR] [ARCHIVE]     into ~/.local, unless told
#     sh install.sh [--prefix DIR] --remove      and nothing of it is left
#
# ARCHIVE is barewire-VERSION-ARCHITECTURE-linux.tar.xz with SHA256SUMS beside it; from within an unpacked one
# none is needed. Root gets the systemd units as well (with --prefix /usr/local, say).
set -eu
umask 022

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

prefix=
archive=
remove=false
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -gt 1 ] || fail "--prefix needs a folder"
        prefix=$2
        shift
        ;;
    --remove) remove=true ;;
    -h | --help)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
        exit
        ;;
    -*) fail "unexpected option '$1' (--help tells which there are)" ;;
    *) archive=$1 ;;
    esac
    shift
done
: "${prefix:=${HOME:?"is not set; say --prefix DIR"}/.local}"
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
# What was installed, a path a line.
list=$prefix/share/barewire/installed

# Folders that are left empty go as well, those of others stay.
remove_installed() {
    while read -r path; do
        rm -f "$prefix/$path"
        folder=$(dirname "$path")
        while [ "$folder" != . ] && rmdir "$prefix/$folder" 2>/dev/null; do
            folder=$(dirname "$folder")
        done
    done <"$list.old"
}

if $remove; then
    [ -e "$list" ] || fail "nothing is installed in $prefix (there is no $list)"
    mv "$list" "$list.old"
    echo share/barewire/installed.old >>"$list.old"
    remove_installed
    rmdir "$prefix" 2>/dev/null || :
    echo "removed from $prefix"
    exit
fi

# So that the check of no file says that it is fine.
check() {
    (cd "$1" && sha256sum --quiet -c -) || fail "$2 is not as it was released: get it again"
}

here=$(cd "$(dirname "$0")" && pwd)
if [ -z "$archive" ] && [ -d "$here/bin" ]; then
    from=$here
else
    machine=$(uname -m)
    case $machine in
    x86_64 | aarch64) ;;
    arm64) machine=aarch64 ;;
    *) fail "there are no programs for this processor ($machine): build them with 'cargo install'" ;;
    esac
    if [ -z "$archive" ]; then
        set -- "$here"/barewire-*-"$machine"-linux.tar.xz
        [ -e "$1" ] || fail "no barewire-VERSION-$machine-linux.tar.xz beside this script, and none was named"
        [ $# -eq 1 ] || fail "several archives beside this script: name one of $*"
        archive=$1
    fi
    [ -e "$archive" ] || fail "there is no $archive"
    folder=$(cd "$(dirname "$archive")" && pwd)
    name=$(basename "$archive")
    sum=$(grep " [ *]$name\$" "$folder/SHA256SUMS") || fail "$folder/SHA256SUMS does not list $name"
    echo "$sum" | check "$folder" "$archive"
    command -v xz >/dev/null || fail "no 'xz', which unpacks $name (it is in the package xz-utils)"
    unpacked=$(mktemp -d)
    trap 'rm -rf "$unpacked"' EXIT
    trap 'exit 1' HUP INT TERM
    xz -dc "$archive" | tar -xf - -C "$unpacked"
    from=$unpacked/${name%.tar.xz}
fi

check "$from" "$from" <"$from/SHA256SUMS"
"$from/bin/udp-client" --version >/dev/null ||
    fail "the programs in $from do not run here (are they for this processor, $(uname -m)?)"

# An older version goes, in case that it had files which this one has not.
mkdir -p "$(dirname "$list")"
[ ! -e "$list" ] || mv "$list" "$list.old"
: >"$list"
(cd "$from" && find bin share lib -type f) | sort | while read -r path; do
    case $path in
    lib/systemd/*) [ "$(id -u)" = 0 ] || continue ;;
    esac
    mkdir -p "$prefix/$(dirname "$path")"
    # Under another name first, since a running program's file cannot be written to.
    case $path in
    bin/*) install -m 755 "$from/$path" "$prefix/$path.new" ;;
    *.service) sed "s#=/usr/bin/#=$prefix/bin/#" "$from/$path" >"$prefix/$path.new" ;;
    *) install -m 644 "$from/$path" "$prefix/$path.new" ;;
    esac
    mv "$prefix/$path.new" "$prefix/$path"
    echo "$path" >>"$list"
done
if [ -e "$list.old" ]; then
    grep -vxFf "$list" "$list.old" >"$list.gone" || :
    mv "$list.gone" "$list.old"
    remove_installed
    rm -f "$list.old"
fi

echo "installed in $prefix; 'sh install.sh --prefix $prefix --remove' removes it"
case :$PATH: in
*:"$prefix/bin":*) ;;
*) echo "add its programs to your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
    echo "for the systemd units: systemctl daemon-reload"
fi
