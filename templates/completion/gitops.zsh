#compdef gitops
# What zsh is to know about gitops; printed by `gitops completion zsh`.
_gitops() {
    local answer word
    local -a found
    for answer in "${(@f)$(_GITOPS_COMPLETE=zsh ${words[1]} "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        case $answer in
        ('') ;;
        (:files) compset -P '--*='; _files ;;
        (:directories) compset -P '--*='; _files -/ ;;
        (*)
            word=${answer%%$'\t'*}
            found+=("${word//:/\\:}${${answer#$word}/$'\t'/:}")
            ;;
        esac
    done
    (( $#found )) && _describe -V gitops found
}
if [[ $funcstack[1] == _gitops ]]; then
    _gitops "$@"
else
    compdef _gitops gitops
fi
