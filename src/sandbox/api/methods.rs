//! The table of methods: tier, scopes, kind of token, and who answers.
//!
//! Tiers and scopes as the reference pages of the methods state them (<https://docs.slack.dev/reference/methods>);
//! several scopes mean that one of them is enough, the conversation's kind is looked at by the method itself.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{args::Args, auth, chat, conversations, people, reply::ApiError, views};
use crate::sandbox::world::{Inner, Tier, World};

/// Which token a method takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `xoxb-…`
    Bot,
    /// `xapp-…`
    App,
}

type Answer = Result<Map<String, Value>, ApiError>;

/// One method.
pub(super) struct Method {
    name: &'static str,
    pub(super) tier: Tier,
    pub(super) token: Token,
    pub(super) scopes: &'static [&'static str],
    pub(super) run: fn(&Arc<World>, &mut Inner, &Args) -> Answer,
}

const fn bot(
    name: &'static str,
    tier: Tier,
    scopes: &'static [&'static str],
    run: fn(&Arc<World>, &mut Inner, &Args) -> Answer,
) -> Method {
    Method {
        name,
        tier,
        token: Token::Bot,
        scopes,
        run,
    }
}

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &[
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
];
const OPEN: &[&str] = &["channels:manage", "groups:write", "im:write", "mpim:write"];
const POST: &[&str] = &["chat:write"];
const USERS: &[&str] = &["users:read"];
const GROUPS: &[&str] = &["usergroups:read"];

const METHODS: &[Method] = &[
    Method {
        name: "apps.connections.open",
        tier: Tier::Three,
        token: Token::App,
        scopes: &[],
        run: auth::connections_open,
    },
    bot("auth.test", Tier::Special, &[], auth::test),
    bot("auth.teams.list", Tier::Two, &[], auth::teams_list),
    bot("api.test", Tier::Four, &[], auth::api_test),
    bot("team.info", Tier::Three, &[], auth::team_info),
    bot("bots.info", Tier::Three, USERS, auth::bots_info),
    bot("chat.postMessage", Tier::Posting, POST, chat::post_message),
    bot("chat.postEphemeral", Tier::Four, POST, chat::post_ephemeral),
    bot("chat.update", Tier::Three, POST, chat::update),
    bot("chat.delete", Tier::Three, POST, chat::delete),
    bot("chat.getPermalink", Tier::Special, &[], chat::get_permalink),
    bot("views.open", Tier::Four, &[], views::open),
    bot("views.push", Tier::Four, &[], views::push),
    bot("views.update", Tier::Four, &[], views::update),
    bot("conversations.open", Tier::Three, OPEN, conversations::open),
    bot("conversations.info", Tier::Three, READ, conversations::info),
    bot("conversations.list", Tier::Two, READ, conversations::list),
    bot(
        "conversations.members",
        Tier::Four,
        READ,
        conversations::members_of,
    ),
    bot(
        "conversations.history",
        Tier::Three,
        HISTORY,
        conversations::history,
    ),
    bot(
        "conversations.replies",
        Tier::Three,
        HISTORY,
        conversations::replies,
    ),
    bot(
        "conversations.join",
        Tier::Three,
        &["channels:join"],
        conversations::join,
    ),
    bot(
        "users.conversations",
        Tier::Three,
        READ,
        conversations::of_user,
    ),
    bot("users.info", Tier::Four, USERS, people::info),
    bot("users.list", Tier::Two, USERS, people::list),
    bot("usergroups.list", Tier::Two, GROUPS, people::groups),
    bot(
        "usergroups.users.list",
        Tier::Two,
        GROUPS,
        people::group_users,
    ),
];

/// A method by its name.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}
