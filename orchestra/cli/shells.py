"""The completion scripts of bash, zsh and fish. All they know comes from `cli.complete`."""

from __future__ import annotations

BASH = r"""# bash completion of orchestra: eval "$(orchestra completion bash)"
_orchestra() {
    local text about word open joined glued= line=() current=${COMP_WORDS[COMP_CWORD]}
    # bash cuts words at "=" and ":" as well: put --flag = value and redis : 7 together again
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ $word == [=:] && ${#line[@]} -gt 0 ]]; then
            line[-1]+=$word open=1 joined=1
        elif [[ $open ]]; then
            line[-1]+=$word open=
        else
            line+=("$word")
            joined=
        fi
    done
    [[ $current == [=:] ]] && current=
    [[ $joined ]] && glued=${line[-1]%"$current"}
    COMPREPLY=()
    while IFS=$'\t' read -r text about; do
        case $text in
            :files)
                compopt -o filenames
                mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current")
                ;;
            :directories)
                compopt -o filenames
                mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$current")
                ;;
            *[=:])
                compopt -o nospace
                COMPREPLY+=("${text#"$glued"}")
                ;;
            *) COMPREPLY+=("${text#"$glued"}") ;;
        esac
    done < <(command orchestra __complete "${line[@]}" 2>/dev/null)
}
complete -F _orchestra orchestra
"""

ZSH = r"""#compdef orchestra
# zsh completion of orchestra: source <(orchestra completion zsh)
_orchestra() {
    local line text about files
    local -a described unspaced
    while IFS= read -r line; do
        text=${line%%$'\t'*}
        about=${${line#"$text"}#$'\t'}
        case $text in
            :files) files=_files ;;
            :directories) files='_files -/' ;;
            *[=:]) unspaced+=("${text//:/\\:}") ;;
            *) described+=("${text//:/\\:}${about:+:$about}") ;;
        esac
    done < <(command orchestra __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( $#described )) && _describe -V orchestra described
    (( $#unspaced )) && _describe -V orchestra unspaced -S ''
    [[ -n $files ]] && ${=files}
}
if [[ $funcstack[1] == _orchestra ]]; then
    _orchestra "$@"
else
    compdef _orchestra orchestra
fi
"""

FISH = r"""# fish completion of orchestra: orchestra completion fish | source
function __orchestra_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for line in (command orchestra __complete $words "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :directories
                __fish_complete_directories "$current" ''
            case '*'
                echo $line
        end
    end
end
complete -c orchestra -f -a '(__orchestra_complete)'
"""

SCRIPTS = {"bash": BASH, "fish": FISH, "zsh": ZSH}
