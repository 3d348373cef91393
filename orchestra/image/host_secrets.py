"""Which files of the host a container on `image: host` must not see: the decision, without I/O.

The rule is what the user `nobody` may do. A container's root has CAP_DAC_OVERRIDE over the host's
files, so all that the host's permissions keep from an ordinary user would be readable inside; it is
hidden instead, except for files deep in `/usr`, which everybody can download. Besides, a fixed list
names secrets that are sometimes left world-readable. Setuid programs are fine: they raise nobody
above the container's own root.
"""

from __future__ import annotations

import stat
from fnmatch import fnmatchcase

NAMED_IN = "etc"
_OTHERS_MAY_ENTER = stat.S_IROTH | stat.S_IXOTH

_NAMED = frozenset(
    {
        "etc/.pwd.lock", "etc/shadow", "etc/shadow-", "etc/gshadow", "etc/gshadow-",
        "etc/passwd-", "etc/group-", "etc/security/opasswd", "etc/sudoers", "etc/sudoers.d",
        "etc/doas.conf", "etc/machine-id", "etc/hostid", "etc/adjtime", "etc/fstab",
        "etc/ssl/private", "etc/pki/tls/private", "etc/pki/consumer", "etc/pki/entitlement",
        "etc/letsencrypt", "etc/krb5.keytab", "etc/sssd", "etc/samba/private", "etc/ldap.secret",
        "etc/libnss-ldap.secret", "etc/docker", "etc/containerd", "etc/containers/auth.json",
        "etc/orchestra", "etc/kubernetes", "etc/rancher", "etc/wireguard", "etc/openvpn",
        "etc/ipsec.secrets", "etc/ipsec.d/private", "etc/swanctl/private",
        "etc/NetworkManager/system-connections", "etc/netplan", "etc/wpa_supplicant", "etc/iwd",
        "etc/ppp/chap-secrets", "etc/ppp/pap-secrets", "etc/chrony/chrony.keys",
        "etc/chrony.keys", "etc/ntp/keys", "etc/rndc.key", "etc/bind/rndc.key",
        "etc/postfix/sasl_passwd", "etc/postfix/sasl_passwd.db", "etc/exim4/passwd.client",
        "etc/msmtprc", "etc/netrc", "etc/boto.cfg", "etc/mysql/debian.cnf", "etc/crypttab",
        "etc/cryptsetup-keys.d", "etc/luks", "etc/apt/auth.conf", "etc/apt/auth.conf.d",
        "etc/cloud", "etc/rhsm", "etc/salt/pki", "etc/puppetlabs", "etc/vault.d", "etc/consul.d",
        "etc/nomad.d", "etc/cups/ssl",
    }
)  # fmt: skip
PUBLIC_TREES_SECRETS = ("usr/share/polkit-1/rules.d",)
"""What is known to be closed deep in `/usr`, which is not searched in full."""

_PATTERNS = {
    "etc/ssh": ("ssh_host_*_key",),
    "etc": ("*.keytab", "*.kdbx"),
}


def is_hidden(path: str, mode: int) -> bool:
    """Must *path* (relative to the host's root), with st_mode *mode*, be hidden from containers?"""
    return is_closed(mode) or is_named(path)


def is_closed(mode: int) -> bool:
    """Do the permissions keep others from it?

    A directory that others may not list and enter is closed with everything below it. Sockets,
    FIFOs and device nodes count as closed: they lead to the host's services and hardware.
    """
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFREG:
        return not mode & stat.S_IROTH
    if kind == stat.S_IFDIR:
        return mode & _OTHERS_MAY_ENTER != _OTHERS_MAY_ENTER
    return kind != stat.S_IFLNK


def is_named(path: str) -> bool:
    """Is *path* in the fixed list? All of that is below `NAMED_IN`."""
    if path in _NAMED:
        return True
    parent, _, name = path.rpartition("/")
    patterns = _PATTERNS.get(parent)
    return patterns is not None and any(fnmatchcase(name, pattern) for pattern in patterns)
