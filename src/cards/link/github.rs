//! What is said around linking an account on GitHub: the code, and how it ended. All of it is for one person alone.

use crate::cards::words;
use crate::domain::card::{Card, Span, Text};
use crate::domain::link::github::{LinkState, LinkView};
use crate::domain::refusal::Refusal;
use crate::domain::slash::Ask;

/// What the operator sets for it.
const CLIENT_ID: &str = "GITHUB_CLIENT_ID";

/// The answer to the one who asked: the code doesn't stand in it, since answers go away with the next reload.
pub fn on_its_way() -> Card {
    Card::lines(["A code for GitHub comes to you as a direct message in a moment."])
}

/// This deployment can't link; `github`: it has GitHub.
pub fn not_set_up(github: bool) -> Refusal {
    if !github {
        return Refusal::new(
            "There is no GitHub to link to: repositories stand on idp's own git server.",
        );
    }
    Refusal::new("Accounts on GitHub can't be linked here yet.").instead(
        Text::plain("The platform team can set ")
            .code(CLIENT_ID)
            .and(" to the client id of idp's GitHub App, and tick Enable Device Flow on the App's page."),
    )
}

/// The code, as long as it can be used; after that, that it can't.
pub fn code(view: &LinkView) -> Card {
    let (LinkState::Coded, Some((code, address))) = (view.state, &view.code) else {
        return Card::lines([over(view.state)]);
    };
    let open = if words::opens(address) {
        Text::plain("To link your GitHub account, open ").with(Span::Link {
            url: address.clone(),
            label: words::line(address),
        })
    } else {
        Text::plain("To link your GitHub account, open its page for devices")
    };
    Card::lines([
        open.and(" and type ")
            .code(words::line(code))
            .and(" until ")
            .with(words::clock(view.expires_at))
            .and("."),
        Text::plain("It works once. Never type a code there that somebody else sent you."),
    ])
}

/// What stands where the code stood.
const fn over(state: LinkState) -> &'static str {
    match state {
        LinkState::Asked | LinkState::Coded => "A code for GitHub is on its way.",
        LinkState::Linked | LinkState::Taken => "The code for GitHub was used.",
        LinkState::Replaced => "There is a newer code for GitHub.",
        LinkState::Declined | LinkState::Expired | LinkState::Disabled | LinkState::Failed => {
            "The code for GitHub can't be used any more."
        }
    }
}

/// How it ended.
pub fn ended(view: &LinkView) -> Card {
    let login = words::line(view.login.as_deref().unwrap_or("The account"));
    let again = |why: &str| {
        Text::plain(format!("{why} Nothing is linked. For another code, type "))
            .code(words::typed(&view.slash, Ask::Link(Some("github"))))
            .and(".")
    };
    Card::lines([match view.state {
        LinkState::Linked => Text::plain(format!(
            "{login} on GitHub is yours here from now on: your teams there count, and new services name you as their author."
        )),
        LinkState::Taken => Text::plain(format!(
            "{login} on GitHub belongs to somebody else here, so it wasn't linked to you. If that is wrong, ask the platform team."
        )),
        LinkState::Declined => again("You declined on GitHub."),
        LinkState::Disabled => Text::plain(
            "Nothing is linked: idp's App on GitHub doesn't take part in device flow. The platform team can tick Enable Device Flow on its page, and check ",
        )
        .code(CLIENT_ID)
        .and("."),
        LinkState::Failed => again("GitHub gave no good answer."),
        LinkState::Asked | LinkState::Coded | LinkState::Expired | LinkState::Replaced => {
            again("The code wasn't used in time.")
        }
    }])
}
