# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_daznode_global_optspecs
    string join \n state= config= system color= offline v/verbose q/quiet h/help V/version
end

function __fish_daznode_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_daznode_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_daznode_using_subcommand
    set -l cmd (__fish_daznode_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c daznode -n "__fish_daznode_needs_command" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_needs_command" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_needs_command" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_needs_command" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_needs_command" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_needs_command" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_needs_command" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_needs_command" -s V -l version -d 'Print version'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "init" -d 'Write a file of settings, each explained and set to its default'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "enable" -d 'Make reports for a node from now on'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "disable" -d 'Make no more reports for a node'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "status" -d 'List the profiles: whose they are, when their reports are due, when the last was made'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "generate" -d 'Make today\'s report of one node, of several, or of all'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "show" -d 'Print a report: the last one, the one of a date, or the one of an id'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "history" -d 'List the reports of the last days, with the course of the score'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "advice" -d 'List the advice: open, followed with what it promised and what came, ignored'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "alerts" -d 'List the alerts that stand, acknowledge, comment or mute them, and see how long they took'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "watch" -d 'Follow nodes all the time: failed forwards, peers that come and go, balances, policies'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "notify" -d 'Try the channels of the settings, see what they get, and send what waits'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "health-check" -d 'Check nodes, sources, store, files, backups, timer, watcher, messages, last run and permissions'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "backup" -d 'Copy the whole store into one file, also while daznode runs'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "verify" -d 'Check every page, report and file of the store, or a backup'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "restore" -d 'Put a backup in the place of the store'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "record" -d 'Keep the answers of a live node in a folder'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "demo" -d 'Show a whole run on a made-up node: no network, nothing kept'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "completions" -d 'Print what a shell needs to complete daznode\'s commands'
complete -c daznode -n "__fish_daznode_needs_command" -f -a "man" -d 'Print the manual page, or write one for each command'
complete -c daznode -n "__fish_daznode_using_subcommand init" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand init" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand init" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand init" -l print -d 'Print it instead'
complete -c daznode -n "__fish_daznode_using_subcommand init" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand init" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand init" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand init" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l address -d 'Where LND\'s gRPC listens: `host:port` or `unix:///path`' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l cert -d 'LND\'s tls.cert, credential:NAME, or the word authority for a certificate that this system trusts' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l macaroon -d 'A read-only macaroon, or credential:NAME' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l channel-backup -d 'Your backup of channels, or credential:NAME: reports say which channels are not in it' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l lnddir -d 'LND\'s folder: address, certificate and macaroon are looked for there' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l recording -d 'A folder that `daznode record` wrote, instead of a node' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l proxy -d 'A SOCKS proxy for this node: `socks5h://host:port`' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l user -d 'Whose reports these are' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l tenant -d 'The tenant of that user' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l schedule -d 'When reports are due, in UTC: minute, hour, day, month, weekday, such as \'30 7 * * 1\'; every day at 6:00 unless told' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l notify -d 'Which channels of the settings tell of this node, as a JSON object with a list `channels`; all of them unless told' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l pubkey -d 'The node\'s public key; where the node is asked, it must answer with this one' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l network -d 'The node\'s chain, with --no-check' -r
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l all -d 'Enable again every profile that was disabled'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l allow-write-macaroon -d 'Take a macaroon that can spend or change something'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l no-check -d 'Don\'t ask the node who it is: then --pubkey says so'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l all -d 'All profiles'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l erase -d 'Remove everything of the user: reports, files, history, secrets that were copied'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l yes -d 'Really remove it'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand disable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand status" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand status" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand status" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand status" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand status" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand status" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand status" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand status" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand status" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand status" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l timeout -d 'Seconds for each node with all its tries (default: 300)' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l retries -d 'Further tries after the first, where trying again can help (default: 2)' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l budget -d 'Seconds for the whole run; what was not begun by then is reported as not tried (default: no limit)' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l jobs -d 'Nodes read at once (default: 10)' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l date -d 'The day to report, such as 2026-11-20 (default: today, UTC); with --period any day of it' -r
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l period -d 'Make the report of a calendar week or month from what is stored (default: the last one that is over)' -r -f -a "day\t'24 hours'
week\t'Monday to Sunday'
month\t'A calendar month'"
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l all -d 'All enabled profiles'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l due -d 'Every enabled profile whose schedule owes a report'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l dry-run -d 'Say what would be made; contact nothing, write nothing'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l force -d 'Make it again though it is there'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand show" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand show" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand show" -l date -d 'The report of this day, such as 2026-11-20' -r
complete -c daznode -n "__fish_daznode_using_subcommand show" -l period -d 'The last report of a calendar week or month; with --date the one that has that day' -r -f -a "day\t'24 hours'
week\t'Monday to Sunday'
month\t'A calendar month'"
complete -c daznode -n "__fish_daznode_using_subcommand show" -l id -d 'The report of this id, also one that was replaced' -r
complete -c daznode -n "__fish_daznode_using_subcommand show" -l format -d 'How to print it' -r -f -a "table\t'For people'
json\t'For programs'
markdown\t'For wikis and mail'"
complete -c daznode -n "__fish_daznode_using_subcommand show" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand show" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand show" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand show" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand show" -l markdown -d 'Print Markdown'
complete -c daznode -n "__fish_daznode_using_subcommand show" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand show" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand show" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand show" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand history" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand history" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand history" -l days -d 'How many days back' -r
complete -c daznode -n "__fish_daznode_using_subcommand history" -l limit -d 'At most so many reports' -r
complete -c daznode -n "__fish_daznode_using_subcommand history" -l page -d 'Which page of so many, the newest first' -r
complete -c daznode -n "__fish_daznode_using_subcommand history" -l format -d 'How to print it' -r -f -a "table\t'For people'
json\t'For programs'
markdown\t'For wikis and mail'"
complete -c daznode -n "__fish_daznode_using_subcommand history" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand history" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand history" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand history" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand history" -l markdown -d 'Print Markdown'
complete -c daznode -n "__fish_daznode_using_subcommand history" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand history" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand history" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand history" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l format -d 'How to print it' -r -f -a "table\t'For people'
json\t'For programs'
markdown\t'For wikis and mail'"
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l all -d 'All that was ever advised, also what another took the place of or what went away'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l markdown -d 'Print Markdown'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand advice" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "list" -d 'List alerts: those that stand, and with --all or --resolved those that are over'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "show" -d 'Show one alert with all that happened to it and what was sent'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "ack" -d 'Say that you know: it is not repeated, unless it gets worse'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "comment" -d 'Keep a comment with an alert'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "mute" -d 'Send nothing of an alert, or of a rule, for a while: reports still list it'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "unmute" -d 'End a mute'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "resolve" -d 'Call an alert over: the next look opens it again if it still stands'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and not __fish_seen_subcommand_from list show ack comment mute unmute resolve stats" -f -a "stats" -d 'Count alerts by severity and rule, with the time until they were acknowledged and over'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l severity -d 'Only those that are at least so bad' -r -f -a "critical\t'Can lose money today'
warning\t'Costs something if it stays'
info\t'All of them'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l days -d 'Of those that are over, the ones of the last so many days' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l all -d 'Those that stand and those that are over'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l open -d 'Only those that stand and are neither acknowledged nor muted'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l muted -d 'Only those that are muted'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l resolved -d 'Only those that are over'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l node -d 'The node: its pubkey, the first digits of it, or its alias' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l comment -d 'A word on it' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l node -d 'The node: its pubkey, the first digits of it, or its alias' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l node -d 'The node: its pubkey, the first digits of it, or its alias' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from comment" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l until -d 'Until when: a day (2026-12-01, from its start, UTC), a moment (2026-12-01T06:00Z) or a time from now (3d, 12h, 30m)' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l reason -d 'Why, for whoever reads it later' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l node -d 'The node: its pubkey, the first digits of it, or its alias' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from mute" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l node -d 'The node: its pubkey, the first digits of it, or its alias' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from unmute" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l comment -d 'A word on it' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l node -d 'The node: its pubkey, the first digits of it, or its alias' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l days -d 'Of alerts that were opened in the last so many days' -r
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand alerts; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l once -d 'Look at every node once and check the sources, then end'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l status -d 'Say since when the watcher runs and what it saw of the last 24 hours; contact nothing'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -f -a "test" -d 'Send a test message to a channel, or to all'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -f -a "list" -d 'List the channels, what each one gets, and how many messages wait, arrived or were given up'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -f -a "dead" -d 'List the messages that were given up'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -f -a "resend" -d 'Let a message that was given up, or all of them, be sent again'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -f -a "send" -d 'Send what is due now'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and not __fish_seen_subcommand_from test list dead resend send failure" -f -a "failure" -d 'Tell that a systemd unit failed, as the services do'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l report -d 'Take the newest report of this node in place of a few words' -r
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l dry-run -d 'Show the exact message and send nothing'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from dead" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -l all -d 'All of them'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from resend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand notify; and __fish_seen_subcommand_from failure" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand health-check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l keep -d 'Remove older backups in that folder, but the newest N; only those that daznode named' -r
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand backup" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand backup" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand backup" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand verify" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand verify" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand verify" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand verify" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand verify" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand verify" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand verify" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand verify" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l dry-run -d 'Only check it, and say what would be done'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l yes -d 'Really do it where there is a store already'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand record" -l user -d 'Only profiles of this user' -r
complete -c daznode -n "__fish_daznode_using_subcommand record" -l tenant -d 'Only profiles of this tenant' -r
complete -c daznode -n "__fish_daznode_using_subcommand record" -l out -d 'The folder, which must be empty or not there' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand record" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand record" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand record" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand record" -l redact -d 'Replace what should not be shared'
complete -c daznode -n "__fish_daznode_using_subcommand record" -l json -d 'Print JSON'
complete -c daznode -n "__fish_daznode_using_subcommand record" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand record" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand record" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand record" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand demo" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand demo" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand demo" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand demo" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand demo" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand demo" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand demo" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand completions" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand completions" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand completions" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand completions" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand completions" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand completions" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand completions" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c daznode -n "__fish_daznode_using_subcommand man" -l out -d 'Write a page for each command into this folder' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand man" -l state -d 'Folder of the store [environment: DAZNODE_STATE]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand man" -l config -d 'File of settings, over those of your account [environment: DAZNODE_CONFIG]' -r -F
complete -c daznode -n "__fish_daznode_using_subcommand man" -l color -d 'When to use colours (NO_COLOR is obeyed)' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c daznode -n "__fish_daznode_using_subcommand man" -l system -d 'Use the service\'s store and settings: /var/lib/daznode and /etc/daznode'
complete -c daznode -n "__fish_daznode_using_subcommand man" -l offline -d 'Open no connection but to LND on this machine or its private network'
complete -c daznode -n "__fish_daznode_using_subcommand man" -s v -l verbose -d 'Say more about what is done'
complete -c daznode -n "__fish_daznode_using_subcommand man" -s q -l quiet -d 'Print only what was asked for, and errors'
complete -c daznode -n "__fish_daznode_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
