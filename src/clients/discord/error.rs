//! What can go wrong with a call, and what that means.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// Why a call didn't succeed. Codes are Discord's (docs.discord.com/developers/topics/opcodes-and-status-codes, "JSON Error
/// Codes"); texts that people wrote are never kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscordError {
    /// Asked too often.
    #[error("Discord asks to wait")]
    Limited {
        /// How long.
        after: Option<Duration>,
    },
    /// The call never left.
    #[error("Discord can't be reached: {cause}")]
    Unreachable {
        /// What the network said.
        cause: String,
    },
    /// The call left and nobody knows what came of it.
    #[error("Discord's answer was lost: {cause}")]
    Lost {
        /// What is known.
        cause: String,
    },
    /// The token is no good any more.
    #[error("Discord refuses the token")]
    Revoked,
    /// The channel or thread doesn't exist.
    #[error("the channel is gone ({code})")]
    ChannelGone {
        /// Discord's code.
        code: u64,
    },
    /// The bot was taken out of the guild, or never was in it.
    #[error("the bot isn't in the server any more ({code})")]
    GuildGone {
        /// Discord's code.
        code: u64,
    },
    /// The bot may not see the channel or write there.
    #[error("a permission is missing ({code})")]
    NotAllowed {
        /// Discord's code.
        code: u64,
    },
    /// No such message.
    #[error("the message is gone")]
    MessageGone,
    /// No such account, no member of the guild, or one that takes no messages from us.
    #[error("no such account, or one that takes no messages ({code})")]
    UserGone {
        /// Discord's code.
        code: u64,
    },
    /// The interaction's fifteen minutes are over, or it was answered before.
    #[error("the interaction can't be answered any more ({code})")]
    AnswerGone {
        /// Discord's code.
        code: u64,
    },
    /// The message has a thread already.
    #[error("the thread stands already")]
    ThreadStands,
    /// Discord will never take this call: a mistake of ours.
    #[error("Discord refuses the call: {code}")]
    Refused {
        /// Its code, and the paths of what is wrong.
        code: String,
    },
}

impl DiscordError {
    /// Reads an answer that says no.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &Value) -> Self {
        let code = body.get("code").and_then(Value::as_u64).unwrap_or_default();
        match (status.as_u16(), code) {
            (429, _) => Self::Limited {
                after: super::limits::retry_after(headers, body),
            },
            (500.., _) => Self::Lost {
                cause: format!("HTTP {status}"),
            },
            (_, 10_003) => Self::ChannelGone { code },
            (_, 10_004) => Self::GuildGone { code },
            (_, 10_008 | 50_021) => Self::MessageGone,
            (_, 10_007 | 10_013 | 50_007 | 50_278) => Self::UserGone { code },
            (_, 10_015 | 10_062 | 40_060 | 50_027) => Self::AnswerGone { code },
            (_, 160_004) => Self::ThreadStands,
            (401, _) => Self::Revoked,
            // Missing access, missing permissions, an archived thread, no right to read what is answered, a locked thread.
            (403, _) | (_, 50_001 | 50_013 | 50_083 | 160_002 | 160_005 | 160_009) => {
                Self::NotAllowed { code }
            }
            _ => Self::Refused {
                code: told(status, code, body),
            },
        }
    }

    /// The same, of what every member of a guild may read: whoever has no access there is in it no more.
    pub(super) fn of_guild(self) -> Self {
        match self {
            Self::NotAllowed { code: 50_001 } => Self::GuildGone { code: 50_001 },
            error => error,
        }
    }
}

/// The status, Discord's code, and where in the body something is wrong.
fn told(status: StatusCode, code: u64, body: &Value) -> String {
    let mut places = Vec::new();
    if let Some(errors) = body.get("errors") {
        collect(errors, &mut String::new(), &mut places);
    }
    let mut told = format!("HTTP {}, code {code}", status.as_u16());
    if !places.is_empty() {
        told = format!("{told} ({})", places.join("; "));
    }
    told
}

/// `errors` is a tree by the body's own keys; its leaves are lists named `_errors`.
fn collect(tree: &Value, path: &mut String, places: &mut Vec<String>) {
    let Some(tree) = tree.as_object() else {
        return;
    };
    for (key, below) in tree {
        if key == "_errors" {
            let words = super::list(below).filter_map(|error| super::text(error, "code"));
            places.push(format!("{path}: {}", words.collect::<Vec<_>>().join(", ")));
            continue;
        }
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        collect(below, path, places);
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(status: u16, body: &Value) -> DiscordError {
        let status = StatusCode::from_u16(status).unwrap();
        DiscordError::of(status, &HeaderMap::new(), body)
    }

    #[test]
    fn codes_win_over_statuses() {
        let code = |status, code: u64| of(status, &json!({ "code": code }));
        assert_eq!(code(401, 50_027), DiscordError::AnswerGone { code: 50_027 });
        assert_eq!(code(401, 0), DiscordError::Revoked);
        assert_eq!(code(403, 50_007), DiscordError::UserGone { code: 50_007 });
        assert_eq!(code(403, 50_013), DiscordError::NotAllowed { code: 50_013 });
        assert_eq!(
            code(400, 160_002),
            DiscordError::NotAllowed { code: 160_002 }
        );
        assert_eq!(
            code(404, 10_003),
            DiscordError::ChannelGone { code: 10_003 }
        );
        assert_eq!(code(404, 10_008), DiscordError::MessageGone);
        assert_eq!(code(404, 10_004), DiscordError::GuildGone { code: 10_004 });
        let closed = code(403, 50_001);
        assert_eq!(closed, DiscordError::NotAllowed { code: 50_001 });
        assert_eq!(closed.of_guild(), DiscordError::GuildGone { code: 50_001 });
        assert!(matches!(code(502, 10_003), DiscordError::Lost { .. }));
    }

    #[test]
    fn what_is_wrong_in_a_body_is_told_by_its_place_alone() {
        let body = json!({ "code": 50035, "message": "Invalid Form Body", "errors": {
            "components": { "0": { "components": { "1": { "label": { "_errors": [
                { "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 80 or fewer: what somebody wrote" }
            ] } } } } } } });
        let DiscordError::Refused { code } = of(400, &body) else {
            panic!("refused for good");
        };
        assert_eq!(
            code,
            "HTTP 400, code 50035 (components.0.components.1.label: BASE_TYPE_MAX_LENGTH)"
        );
    }
}
