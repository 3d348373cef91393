"""Cases: what is executed, where, with which environment and terminal."""

from __future__ import annotations

from tests.integration.attributes.case import TALKING, Case

CASES = (
    Case("image-alone", "", "", "entry command", TALKING),
    Case("command", "command: [other, words]", "", "entry other words", TALKING),
    Case("command-text", "command: \"other  'two words'\"", "", "entry other two words", TALKING),
    Case("command-empty", "command: []", "", None, TALKING),
    Case("entrypoint", "entrypoint: [echo, mine]", "", "mine", TALKING),
    Case("entrypoint-both", "entrypoint: [echo, mine]\ncommand: [x]", "", "mine x", TALKING),
    Case("entrypoint-text", "entrypoint: echo 'a  b'", "", "a  b", TALKING),
    Case("entrypoint-empty", "entrypoint: []\ncommand: [echo, bare]", "", "bare", TALKING),
    Case("entrypoint-blank", 'entrypoint: ""\ncommand: [echo, bare]', "", None, TALKING),
    Case("entrypoint-null", "entrypoint: null\ncommand: null", "", "entry command", TALKING),
    Case("of-image", "entrypoint: []", "id -un; pwd; env | sort | grep -v HOSTNAME", None, TALKING),
    Case(
        "working-dir",
        "entrypoint: []\nworking_dir: /made/here\nuser: root",
        "pwd; ls -ld .|cut -c1-10",
        "/made/here\ndrwxr-xr-x",
        TALKING,
    ),
    Case(
        "environment",
        'entrypoint: []\nenvironment: {BOTH: mine, EMPTY: "", NUMBER: 1, OF_IMAGE: }',
        "env | sort | grep -vE 'HOSTNAME|PWD|SHLVL'",
        None,
        TALKING,
    ),
    Case(
        "env-file",
        "env_file: [one.env, {path: absent.env, required: false}, {path: two.env}]\n"
        "environment: [THREE=here]",
        "echo $ONE $TWO $THREE",
        "1 two here",
    ),
    Case(
        "env-raw",
        "env_file: [{path: raw.env, format: raw}]",
        'echo "$QUOTED"',
        '"as it is" $HOME',
        beside_docker=False,
    ),
    Case("tty", "tty: true", "test -t 0 && test -t 1 && tty; stty size; echo $TERM; stty -a", None),
    Case("no-tty", "", "test -t 0 || echo no; echo ${TERM:-unset}; readlink /proc/self/fd/0", None),
    Case("stdin-open", "stdin_open: true", "timeout 1 cat; echo $?", "Terminated\n143"),
    Case("stdin-closed", "", "timeout 5 cat; echo $?", "0"),
    Case("tty-stdin", "tty: true\nstdin_open: true", "timeout 1 cat; echo $?", None),
    Case(
        "init",
        "init: true",
        "test $$ != 1 && echo $PPID; tr '\\0' '\\n' </proc/1/cmdline | grep -o -m1 init",
        "1\ninit",
    ),
    Case("init-not", "init: false", "echo $$ $PPID", "1 0"),
    Case("umask", "", "umask; pwd; ulimit -c; ls /proc/self/fd | wc -l", None),
    Case("signals", "", "grep -E '^Sig(Blk|Ign|Cgt)|ShdPnd' /proc/self/status", None),
    Case("annotations", "annotations: {a.b: c}\nlabels: {d: e}", "echo on", "on"),
    Case("expose", 'expose: ["80", 81-82]', "echo on", "on"),
)
