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
# What is installed, a path a line, with a slash behind the folders that were made for it. While it is being installed
# or removed, all that may be there.
list=$prefix/share/barewire/installed

# Removes what is listed on standard input: folders behind what is in them, and only those that are empty.
remove_listed() {
    LC_ALL=C sort -r | while read -r path; do
        case $path in
        '') ;;
        ./) rmdir "$prefix" 2>/dev/null || : ;;
        */) rmdir "$prefix/$path" 2>/dev/null || : ;;
        *) rm -f "$prefix/$path" "$prefix/$path.new" || : ;;
        esac
    done
}

if $remove; then
    [ -e "$list" ] || fail "nothing is installed in $prefix (there is no $list)"
    # The list goes behind all files, so that whoever is interrupted can go on.
    folders=$(grep '/$' "$list" || :)
    { grep -v '/$' "$list" || :; } | remove_listed
    rm -f "$list" "$list.new"
    echo "$folders" | remove_listed
    echo "removed from $prefix"
    exit
fi

# So that the check of no file says that it is fine.
check() {
    told=$(cd "$1" && sha256sum -c - 2>&1) ||
        fail "$2 is not as it was released: get it again ($(echo "$told" | grep -v ': OK$' | head -n 3))"
}

# However it ends before all is written: what was there is there, and nothing else.
unpacked=
writing=false
give_up() {
    trap '' HUP INT TERM
    [ -z "$unpacked" ] || rm -rf "$unpacked"
    $writing || return 0
    {
        echo "$files" | sed 's/$/.new/'
        echo "$all" | grep '/$' || :
        [ -n "$old" ] || echo share/barewire/installed
    } | remove_listed
    [ -z "$old" ] || echo "$old" | save_list
    echo "install.sh: nothing was installed; $prefix is as it was" >&2
}
trap give_up EXIT
trap 'exit 1' HUP INT TERM

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
    xz -dc "$archive" | tar -xf - -C "$unpacked"
    from=$unpacked/${name%.tar.xz}
fi

check "$from" "$from" <"$from/SHA256SUMS"
"$from/bin/udp-client" --version >/dev/null ||
    fail "the programs in $from do not run here (are they for this processor, $(uname -m)?)"

# What will be there: files, and folders that are not there yet.
files=$(cd "$from" && find bin share lib -type f)
[ "$(id -u)" = 0 ] || files=$(echo "$files" | grep -v '^lib/systemd/')
folders_of() {
    [ -d "$prefix" ] || echo ./
    while read -r path; do
        while path=$(dirname "$path") && [ "$path" != . ]; do
            [ -d "$prefix/$path" ] || echo "$path/"
        done
    done
}
save_list() {
    sed '/^$/d' | sort -u >"$list.new"
    mv -f "$list.new" "$list"
}
old=
[ ! -e "$list" ] || old=$(cat "$list")
all=$(
    echo "$files"
    echo "$files" | folders_of
    echo share/barewire/installed | folders_of
    echo "$old" | grep '/$' || :
)

echo "$files" | while read -r path; do
    [ ! -d "$prefix/$path" ] || fail "$prefix/$path is a folder, where a file is to be"
done
# All is written under other names first: so nobody finds half a file, and a running program's cannot be written to.
writing=true
mkdir -p "$(dirname "$list")"
printf '%s\n' "$all" "$old" | save_list
echo "$files" | while read -r path; do
    mkdir -p "$prefix/$(dirname "$path")"
    case $path in
    *.service) sed "s#=/usr/bin/#=$prefix/bin/#" "$from/$path" >"$prefix/$path.new" ;;
    *) cp "$from/$path" "$prefix/$path.new" ;;
    esac
    case $path in
    bin/*) chmod 755 "$prefix/$path.new" ;;
    *) chmod 644 "$prefix/$path.new" ;;
    esac
done
# From here on there is nothing to wait for.
trap '' HUP INT TERM
writing=false
echo "$files" | while read -r path; do
    mv -f "$prefix/$path.new" "$prefix/$path"
done
# What an older version had and this one has not.
echo "$old" | while read -r path; do
    echo "$all" | grep -qxF -e "$path" || echo "$path"
done | remove_listed
echo "$all" | save_list

echo "installed in $prefix; 'sh install.sh --prefix $prefix --remove' removes it"
case :$PATH: in
*:"$prefix/bin":*) ;;
*) echo "add its programs to your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
    echo "for the systemd units: systemctl daemon-reload"
fi
