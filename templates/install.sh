#!/bin/sh
# Runs inside the build of an image, with the build context at /mnt; see gitops/render/dockerfile.py.
#   install packages   install the packages of /mnt/debs, starting no service and asking no network
#   install files      put the files of /mnt/files.tar there; a directory that exists keeps its owner and mode
#   install settle     make the tree a function of what went in: no logs, no caches, no time after SOURCE_DATE_EPOCH
set -eu
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8

packages() {
    # Maintainer scripts ask policy-rc.d before they start anything; 101 is "no" (Debian's invoke-rc.d(8)).
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then mv "$policy" "$policy.image"; fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"

    if [ -s /mnt/debconf ]; then debconf-set-selections </mnt/debconf; fi
    set -- /mnt/debs/*.deb
    if [ -e "$1" ]; then
        # A build that dies is thrown away whole, so dpkg need not sync each file to the disk.
        apt-get install --yes --quiet=2 --no-install-recommends --no-remove \
            -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io "$@"
    fi

    rm "$policy"
    if [ -e "$policy.image" ]; then mv "$policy.image" "$policy"; fi
}

files() {
    # tar would take an owner that the image does not know for the number in the archive.
    tar --list --verbose --file /mnt/files.tar | awk '{ print $2 }' | sort -u | tr / ' ' | while read -r user group; do
        case "$user" in *[!0-9]*) getent passwd "$user" >/dev/null || unknown "user $user" ;; esac
        case "$group" in *[!0-9]*) getent group "$group" >/dev/null || unknown "group $group" ;; esac
    done
    tar --extract --file /mnt/files.tar --directory / --same-owner --preserve-permissions \
        --no-overwrite-dir --keep-directory-symlink
}

unknown() {
    echo "install: the image has no $1, to whom copied files are to belong" >&2
    exit 1
}

settle() {
    rm -rf /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/log/fontconfig.log /var/log/bootstrap.log \
        /var/cache/apt/pkgcache.bin /var/cache/apt/srcpkgcache.bin /var/cache/apt/archives/*.deb \
        /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old \
        /var/lib/dbus/machine-id /tmp/* /var/tmp/*
    # Each container gets its own when something asks for it (machine-id(5), "First Boot Semantics").
    if [ -e /etc/machine-id ]; then : >/etc/machine-id; fi
    find / -xdev ! -path /proc ! -path /sys ! -path /dev ! -path /mnt ! -path /etc/hosts \
        ! -path /etc/resolv.conf -newermt "@$SOURCE_DATE_EPOCH" \
        -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

case "$1" in
packages)
    packages
    settle
    ;;
files) files ;;
settle) settle ;;
*) exit 2 ;;
esac
