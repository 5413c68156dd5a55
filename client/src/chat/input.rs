//! What a typed line asks for.

/// A typed line, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input<'a> {
    Nothing,
    Say(&'a str),
    Join(&'a str),
    Channels,
    Switch(&'a str),
    Create(&'a str),
    CreateCommunity(&'a str),
    Invite,
    History,
    Edit(&'a str),
    Delete,
    Reply(u64, &'a str),
    Who,
    Help,
    LogOut,
    Quit,
    /// Not understood: how it is written.
    Usage(&'static str),
}

pub(super) const HELP: &str = "\
/channels            your communities and channels
/switch NAME         go to a channel, by its name or its number in /channels
/join CODE           redeem an invite
/create NAME         make a channel here; with no community yet, a community
/community NAME      make a community
/invite              make an invite to this community
/history             older messages
/reply N TEXT        reply to message N
/edit TEXT           change your last message here
/delete              delete your last message here
/who                 the members
/logout              end this session and quit
/quit                quit
//TEXT               say something that begins with /";

pub(super) fn parse(line: &str) -> Input<'_> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Input::Nothing;
    }
    let Some(command) = trimmed.strip_prefix('/') else { return Input::Say(line) };
    if command.starts_with('/') {
        return Input::Say(command);
    }
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    match (name, rest) {
        ("channels", "") => Input::Channels,
        ("invite", "") => Input::Invite,
        ("history", "") => Input::History,
        ("delete", "") => Input::Delete,
        ("who", "") => Input::Who,
        ("help", "") => Input::Help,
        ("logout", "") => Input::LogOut,
        ("quit" | "exit", "") => Input::Quit,
        ("channels" | "invite" | "history" | "delete" | "who" | "help" | "logout" | "quit" | "exit", _) => {
            Input::Usage("this command stands alone")
        }
        ("join", "") => Input::Usage("/join CODE"),
        // People paste the whole address of an invite.
        ("join", code) => Input::Join(code.rsplit('/').next().unwrap_or(code)),
        ("switch", "") => Input::Usage("/switch NAME"),
        ("switch", name) => Input::Switch(name),
        ("create", "") => Input::Usage("/create NAME"),
        ("create", name) => Input::Create(name),
        ("community", "") => Input::Usage("/community NAME"),
        ("community", name) => Input::CreateCommunity(name),
        ("edit", "") => Input::Usage("/edit TEXT"),
        ("edit", text) => Input::Edit(text),
        ("reply", rest) => reply(rest),
        _ => Input::Usage("no such command; /help lists them"),
    }
}

fn reply(rest: &str) -> Input<'_> {
    let parsed = rest
        .split_once(char::is_whitespace)
        .and_then(|(number, text)| Some((number.trim_start_matches('#').parse().ok()?, text.trim())));
    match parsed {
        Some((number, text)) => Input::Reply(number, text),
        None => Input::Usage("/reply N TEXT"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_and_commands_are_understood() {
        assert_eq!(parse("  "), Input::Nothing);
        assert_eq!(parse(" hello /quit"), Input::Say(" hello /quit"));
        assert_eq!(parse("//shrug"), Input::Say("/shrug"));
        assert_eq!(parse("/switch  big news "), Input::Switch("big news"));
        assert_eq!(parse("/reply #12 yes, indeed"), Input::Reply(12, "yes, indeed"));
        assert_eq!(parse("/join https://chat.example/invite/Ab12"), Input::Join("Ab12"));
        assert_eq!(parse("/quit"), Input::Quit);
    }

    #[test]
    fn mistakes_are_explained_and_never_said() {
        for line in ["/reply", "/reply x y", "/reply 3", "/nonsense", "/join", "/quit now", "/ hello"] {
            assert!(matches!(parse(line), Input::Usage(_)), "{line}");
        }
    }

    #[test]
    fn help_names_every_command() {
        for line in HELP.lines().filter(|line| !line.starts_with("//")) {
            let command = line.split("  ").next().unwrap().replace(" N ", " 1 ");
            assert!(!matches!(parse(&command), Input::Usage(_)), "{command}");
        }
    }
}
