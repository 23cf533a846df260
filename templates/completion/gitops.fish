# What fish is to know about gitops; printed by `gitops completion fish`.
function __gitops_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l typed (commandline --current-token --cut-at-cursor)
    for answer in (env _GITOPS_COMPLETE=fish gitops $words[2..] "$typed" 2>/dev/null)
        switch $answer
            case :files
                __fish_complete_path (string replace --regex -- '^--[^=]*=' '' "$typed")
            case :directories
                __fish_complete_directories (string replace --regex -- '^--[^=]*=' '' "$typed")
            case '*'
                printf '%s\n' $answer
        end
    end
end
complete --command gitops --no-files --keep-order --arguments '(__gitops_complete)'
