"""Cases: who a process is, what it may do, and what it sees of the machine."""

from __future__ import annotations

from tests.integration.attributes.case import Case

_CAPS = "grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | tr -d '\\t'"
_DEFAULT = "00000000a80425fb"
_RIGHTS = "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'"


_MOUNTS = (
    "cut -d' ' -f2- /proc/mounts | grep -vE '^(/ |/sys/fs/cgroup|/etc/|/proc/interrupts)' |"
    " sed s/,size=4k,nr_inodes=1// | sort"
)
"""Without what differs on purpose: /proc/interrupts is hidden as by newer Docker Engines."""


def _bounding_set() -> str:
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith("CapBnd:"))


_MACHINE = _bounding_set()


def caps(bounding: str, *, effective: str = "") -> str:
    effective = effective or bounding
    return f"CapPrm:{effective}\nCapEff:{effective}\nCapBnd:{bounding}\nCapAmb:{'0' * 16}"


CASES = (
    # -- user and groups --
    Case("user-id", 'user: "1234"', "id", "uid=1234 gid=0(root) groups=0(root)"),
    Case("user-ids", 'user: "1234:4321"', "id", "uid=1234 gid=4321 groups=4321"),
    Case(
        "user-name",
        "user: app",
        "id; echo $HOME",
        "uid=1000(app) gid=1001(app) groups=50(extra),1001(app)\n/home/app",
    ),
    Case("user-group", "user: app:staff", "id", "uid=1000(app) gid=60(staff) groups=60(staff)"),
    Case(
        "user-of-number",
        'user: "1000"',
        "id",
        "uid=1000(app) gid=1001(app) groups=50(extra),1001(app)",
    ),
    Case(
        "group-add",
        'user: app\ngroup_add: [staff, "777"]',
        "id",
        "uid=1000(app) gid=1001(app) groups=50(extra),60(staff),777,1001(app)",
    ),
    Case("group-add-root", 'group_add: ["777"]', "id", None),
    # -- capabilities --
    Case("cap-none", "", _CAPS, caps(_DEFAULT)),
    Case("cap-add", "cap_add: [NET_ADMIN, cap_sys_time]", _CAPS, caps("00000000aa0435fb")),
    Case("cap-drop", "cap_drop: [MKNOD]", _CAPS, caps("00000000a00425fb")),
    Case("cap-drop-all", "cap_drop: [ALL]\ncap_add: [CHOWN]", _CAPS, caps("0000000000000001")),
    Case(
        "cap-add-all",
        "cap_add: [ALL]\ncap_drop: [SYS_ADMIN]",
        _CAPS,
        caps(f"{int(_MACHINE, 16) & ~(1 << 21):016x}"),
        beside_docker=False,
    ),
    Case(
        "cap-user",
        "user: app\ncap_add: [NET_ADMIN]",
        _CAPS,
        caps("00000000a80435fb", effective="0" * 16),
    ),
    # -- privileged --
    Case(
        "privileged",
        "privileged: true",
        f"{_CAPS}; {_RIGHTS}; grep ' /sys ' /proc/mounts | cut -d' ' -f4; "
        "grep -c ' /proc/[a-z]' /proc/mounts; test -e /dev/loop-control && echo devices",
        f"{caps(_MACHINE)}\nNoNewPrivs:0\nSeccomp:0\nrw,nosuid,nodev,noexec,relatime\n0\ndevices",
        beside_docker=False,
    ),
    Case(
        "privileged-user",
        "privileged: true\nuser: app",
        _CAPS,
        caps(_MACHINE, effective="0" * 16),
        beside_docker=False,
    ),
    # -- security_opt --
    Case("security-default", "", _RIGHTS, "NoNewPrivs:0\nSeccomp:2"),
    Case(
        "no-new-privileges",
        'security_opt: ["no-new-privileges:true"]',
        _RIGHTS,
        "NoNewPrivs:1\nSeccomp:2",
    ),
    Case(
        "no-new-privileges-plain",
        "security_opt: [no-new-privileges]",
        _RIGHTS,
        "NoNewPrivs:1\nSeccomp:2",
    ),
    Case(
        "no-new-privileges-false",
        'security_opt: ["no-new-privileges:false"]',
        _RIGHTS,
        "NoNewPrivs:0\nSeccomp:2",
    ),
    Case(
        "seccomp-unconfined",
        'security_opt: ["seccomp:unconfined"]',
        _RIGHTS,
        "NoNewPrivs:0\nSeccomp:0",
    ),
    Case(
        "seccomp-file",
        "security_opt: [seccomp=./profile.json]",
        "mkdir /tmp/x || echo refused; echo on",
        "mkdir: can't create directory '/tmp/x': Operation not permitted\nrefused\non",
    ),
    Case("apparmor", "security_opt: [apparmor=unconfined]", "echo on", "on"),
    Case("label", 'security_opt: ["label:disable"]', "echo on", "on"),
    Case(
        "systempaths",
        "security_opt: [systempaths=unconfined]",
        "grep -c ' /proc/[a-z]' /proc/mounts",
        "0",
    ),
    # -- file systems --
    Case(
        "read-only",
        "read_only: true\ntmpfs: [/run]",
        "echo > /file; echo > /run/file && echo run; echo > /dev/shm/x && echo shm",
        "sh: can't create /file: Read-only file system\nrun\nshm",
    ),
    Case(
        "tmpfs",
        'tmpfs: ["/short:size=1m,mode=1770,uid=5", "/plain"]',
        "grep -E '/(short|plain)' /proc/mounts | sort; stat -c '%a %u' /short /plain",
        None,
    ),
    Case("tmpfs-text", "tmpfs: /one", "grep '/one' /proc/mounts", None),
    Case(
        "shm-size", "shm_size: 32m", "df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2", "32768"
    ),
    Case("shm-default", "", "df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2", "65536"),
    Case("mounts", "", _MOUNTS, None),
    # -- devices --
    Case(
        "devices",
        'devices: ["/dev/zero:/dev/nought:r", "/dev/full", "/dev/loop-control"]',
        "head -c2 /dev/nought | od -An -tx1; (echo 2>/dev/null > /dev/nought) || echo no; "
        "stat -c '%F %a %t %T' /dev/nought /dev/full; ls /dev; : < /dev/loop-control && echo open",
        None,
    ),
    Case(
        "device-rules",
        'device_cgroup_rules: ["c 10:229 r"]',
        "mknod /tmp/fuse c 10 229; (: < /tmp/fuse) && echo read; (: > /tmp/fuse) || echo no; "
        "mknod /tmp/loop c 10 237; (: < /tmp/loop) || echo no",
        "read\nsh: can't create /tmp/fuse: Operation not permitted\nno\n"
        "sh: can't open /tmp/loop: Operation not permitted\nno",
    ),
    Case("dev", "", "ls -l /dev | grep -v ^total | awk '{print $1,$3,$4,$5,$6,$NF}'", None),
    # -- kernel settings --
    Case(
        "sysctls",
        'sysctls: {net.ipv4.ip_unprivileged_port_start: 80, kernel.msgmax: "9000"}',
        "sysctl -n net.ipv4.ip_unprivileged_port_start kernel.msgmax",
        "80\n9000",
    ),
    Case(
        "sysctls-list", 'sysctls: ["net.core.somaxconn=511"]', "sysctl -n net.core.somaxconn", "511"
    ),
    Case(
        "sysctls-default",
        "",
        "sysctl -n net.ipv4.ip_unprivileged_port_start net.ipv4.ping_group_range",
        None,
    ),
    Case(
        "ulimits",
        "ulimits: {nofile: {soft: 111, hard: 222}, nproc: 333, core: 0}",
        "ulimit -S -n; ulimit -H -n; ulimit -c; grep processes /proc/self/limits | tr -s ' '",
        "111\n222\n0\nMax processes 333 333 processes ",
    ),
    Case("ulimits-default", "", "ulimit -a", None),
    Case("oom-score", "oom_score_adj: 500", "cat /proc/self/oom_score_adj", "500"),
    # -- namespaces --
    Case(
        "holds",
        "ipc: shareable\ninit: true\nhostname: holder\nnetworks: [default, second]",
        "readlink /proc/self/ns/pid /proc/self/ns/ipc /proc/self/ns/net; exec sleep 600",
        None,
    ),
    Case(
        "pid-service",
        "pid: service:holds",
        "test $$ = 1 || echo joined; pidof sleep | wc -w",
        "joined\n1",
    ),
    Case("pid-host", "pid: host", "test $$ = 1 || echo joined", "joined"),
    Case("pid-own", "", "echo $$", "1"),
    Case("ipc-host", "ipc: host", "grep -c /dev/shm /proc/mounts", None),
    Case(
        "ipc-none", "ipc: none", "grep -c /dev/shm /proc/mounts; echo > /dev/shm/x && echo w", None
    ),
    Case("ipc-private", "ipc: private", "grep -c /dev/shm /proc/mounts", "1"),
    Case("uts-host", "uts: host", "hostname", None),
    Case(
        "userns-host", "userns_mode: host", "cat /proc/self/uid_map | tr -s ' '", " 0 0 4294967295"
    ),
    Case("cgroup-private", "cgroup: private", "cut -d: -f3 /proc/self/cgroup | sort -u", "/"),
    # -- names --
    Case(
        "hostname",
        "hostname: here\ndomainname: example.org",
        "hostname; hostname -f; cat /proc/sys/kernel/domainname; cat /etc/hostname; "
        "grep -c 'here.example.org here' /etc/hosts",
        None,
    ),
    Case(
        "extra-hosts",
        'extra_hosts: ["one=10.1.1.1", "two:10.2.2.2", "six=::1"]',
        "grep -E 'one|two|six' /etc/hosts | tr '\\t' ' ' | sort",
        "10.1.1.1 one\n10.2.2.2 two\n::1 six",
    ),
    Case(
        "host-gateway",
        'extra_hosts: ["up=host-gateway"]',
        "grep -qE '^[0-9.]+.up$' /etc/hosts && echo yes",
        "yes",
    ),
    Case("hosts", "network_mode: none", "sed s/::0/::/ /etc/hosts", None),
    Case(
        "dns",
        'dns: [9.9.9.9]\ndns_search: [a.example, b.example]\ndns_opt: ["ndots:3", "timeout:1"]',
        "sort /etc/resolv.conf",
        None,
    ),
    Case(
        "dns-none",
        "network_mode: none\ndns: 8.8.8.8\ndns_search: x.example",
        "sort /etc/resolv.conf",
        None,
    ),
)
