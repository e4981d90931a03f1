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
complete -c daznode -n "__fish_daznode_needs_command" -f -a "health-check" -d 'Check nodes, store, files, timer, last run and permissions'
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
complete -c daznode -n "__fish_daznode_using_subcommand enable" -l notify -d 'Notification preferences as a JSON object' -r
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
