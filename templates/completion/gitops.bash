# What bash is to know about gitops; printed by `gitops completion bash`.
_gitops() {
    local line=${COMP_LINE:0:COMP_POINT} word=${COMP_WORDS[COMP_CWORD]} typed before answer
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    typed=${words[-1]}
    # What bash takes for a word begins after any of COMP_WORDBREAKS, as =, or with an @; it replaces just that.
    case $word in
    [=@:]) before=$typed ;;
    *) before=${typed%"$word"} ;;
    esac
    before=${before%@}
    COMPREPLY=()
    while IFS= read -r answer; do
        case $answer in
        :files)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "${typed#--*=}")
            ;;
        :directories)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "${typed#--*=}")
            ;;
        *)
            answer=${answer%%$'\t'*}
            COMPREPLY+=("${answer#"$before"}")
            ;;
        esac
    done < <(_GITOPS_COMPLETE=bash "$1" "${words[@]:1}" 2>/dev/null)
}
complete -o nosort -F _gitops gitops
