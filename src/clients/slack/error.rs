//! What can go wrong with a call, and what to do about it.

use std::time::Duration;

use slack_morphism::errors::{SlackClientApiError, SlackClientError};

/// Why a call didn't succeed. Codes are Slack's words; bodies are never kept, people's text stands in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Asked too often.
    #[error("Slack asks to wait")]
    Limited {
        /// How long, as Slack said.
        after: Option<Duration>,
    },
    /// The call never left: no connection, or refused before anything was done.
    #[error("Slack can't be reached: {cause}")]
    Unreachable {
        /// What the network said, or Slack's word.
        cause: String,
    },
    /// The call left and nobody knows what came of it.
    #[error("Slack's answer was lost: {cause}")]
    Lost {
        /// What is known.
        cause: String,
    },
    /// The token is no good any more: revoked, uninstalled, deactivated.
    #[error("Slack refuses the token: {code}")]
    Revoked {
        /// Slack's word.
        code: String,
    },
    /// The app lacks a scope.
    #[error("Slack wants a scope: {needed}")]
    MissingScope {
        /// Which.
        needed: String,
    },
    /// The channel doesn't exist for us, or nobody can post there any more.
    #[error("the channel is gone: {code}")]
    ChannelGone {
        /// Slack's word.
        code: String,
    },
    /// The bot isn't in the channel, or may not post there.
    #[error("the bot may not post there: {code}")]
    NotInChannel {
        /// Slack's word.
        code: String,
    },
    /// The message (or the thread's root) doesn't exist, or can't be edited any more.
    #[error("the message is gone: {code}")]
    MessageGone {
        /// Slack's word.
        code: String,
    },
    /// The trigger is older than three seconds, or was used.
    #[error("the trigger is used up: {code}")]
    TriggerGone {
        /// Slack's word.
        code: String,
    },
    /// The view was closed, or changed meanwhile.
    #[error("the view is gone: {code}")]
    ViewGone {
        /// Slack's word.
        code: String,
    },
    /// No such account, or none that we may see.
    #[error("no such account: {code}")]
    UserGone {
        /// Slack's word.
        code: String,
    },
    /// Slack will never take this call: a mistake of ours.
    #[error("Slack refuses the call: {code}")]
    Refused {
        /// Slack's word, with what it says about the place.
        code: String,
    },
}

impl SlackError {
    /// Slack's word in an answer that says no (docs.slack.dev/reference/methods, the errors of each method).
    pub(super) fn from_code(code: &str, more: &[String], body: Option<&str>) -> Self {
        let code = code.to_owned();
        match code.as_str() {
            "ratelimited" | "rate_limited" => Self::Limited { after: None },
            "invalid_auth"
            | "not_authed"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "org_login_required"
            | "ekm_access_denied"
            | "team_access_not_granted"
            | "enterprise_is_restricted" => Self::Revoked { code },
            "missing_scope" | "no_permission" | "not_allowed_token_type" => Self::MissingScope {
                needed: needed_scope(body).unwrap_or(code),
            },
            "channel_not_found"
            | "is_archived"
            | "channel_is_archived"
            | "cannot_dm_bot"
            | "messages_tab_disabled"
            | "user_disabled" => Self::ChannelGone { code },
            "not_in_channel"
            | "user_not_in_channel"
            | "restricted_action"
            | "restricted_action_read_only_channel"
            | "restricted_action_thread_only_channel"
            | "restricted_action_non_threadable_channel"
            | "restricted_action_thread_locked"
            | "is_inactive"
            | "access_denied" => Self::NotInChannel { code },
            "message_not_found"
            | "thread_not_found"
            | "cant_update_message"
            | "cant_delete_message"
            | "edit_window_closed"
            | "cannot_reply_to_message" => Self::MessageGone { code },
            "expired_trigger_id"
            | "exchanged_trigger_id"
            | "invalid_trigger_id"
            | "trigger_expired"
            | "trigger_exchanged" => Self::TriggerGone { code },
            "not_found" | "view_not_found" | "hash_conflict" | "view_too_large"
            | "push_limit_reached" => Self::ViewGone { code },
            "user_not_found" | "users_not_found" | "user_not_visible" => Self::UserGone { code },
            // "It's possible some aspect of the operation succeeded before the error was raised."
            "fatal_error" | "internal_error" => Self::Lost { cause: code },
            "service_unavailable" | "request_timeout" | "team_added_to_org" | "accesslimited" => {
                Self::Unreachable { cause: code }
            }
            _ => Self::Refused {
                code: if more.is_empty() {
                    code
                } else {
                    format!("{code} ({})", more.join("; "))
                },
            },
        }
    }
}

impl From<SlackClientError> for SlackError {
    fn from(error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(SlackClientApiError {
                code,
                errors,
                http_response_body,
                ..
            }) => Self::from_code(
                &code,
                &errors.unwrap_or_default(),
                http_response_body.as_deref(),
            ),
            SlackClientError::RateLimitError(limit) => Self::Limited {
                after: limit.retry_after,
            },
            SlackClientError::HttpError(error) => match error.status_code.as_u16() {
                401 | 403 => Self::Revoked {
                    code: format!("HTTP {}", error.status_code),
                },
                400..=499 => Self::Refused {
                    code: format!("HTTP {}", error.status_code),
                },
                _ => Self::Lost {
                    cause: format!("HTTP {}", error.status_code),
                },
            },
            SlackClientError::HttpProtocolError(error) => {
                let connecting = error
                    .cause
                    .as_ref()
                    .and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>())
                    .is_some_and(hyper_util::client::legacy::Error::is_connect);
                let cause = error
                    .cause
                    .map_or_else(|| "no cause given".to_owned(), |cause| chain(&*cause));
                if connecting {
                    Self::Unreachable { cause }
                } else {
                    Self::Lost { cause }
                }
            }
            // Its text would carry the body.
            SlackClientError::ProtocolError(error) => Self::Lost {
                cause: format!("unreadable answer: {}", error.json_error),
            },
            SlackClientError::EndOfStream(_) => Self::Lost {
                cause: "the connection ended".to_owned(),
            },
            SlackClientError::SystemError(error) => Self::Lost {
                cause: error
                    .cause
                    .map_or_else(|| "system error".to_owned(), |cause| chain(&*cause)),
            },
            SlackClientError::SocketModeProtocolError(error) => Self::Lost {
                cause: error.message,
            },
        }
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        line = format!("{line}: {inner}");
        cause = inner.source();
    }
    line
}

fn needed_scope(body: Option<&str>) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body?).ok()?;
    body.get("needed")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_words_say_what_happened() {
        let of = |code: &str| SlackError::from_code(code, &[], None);
        assert_eq!(of("ratelimited"), SlackError::Limited { after: None });
        assert!(matches!(
            of("service_unavailable"),
            SlackError::Unreachable { .. }
        ));
        assert!(matches!(of("internal_error"), SlackError::Lost { .. }));
        assert!(matches!(
            of("channel_not_found"),
            SlackError::ChannelGone { .. }
        ));
        assert!(matches!(of("token_revoked"), SlackError::Revoked { .. }));
        for code in ["invalid_blocks", "made_up_by_slack"] {
            assert!(matches!(of(code), SlackError::Refused { .. }), "{code}");
        }
    }

    #[test]
    fn a_missing_scope_is_named() {
        let body =
            r#"{"ok":false,"error":"missing_scope","needed":"im:write","provided":"commands"}"#;
        assert_eq!(
            SlackError::from_code("missing_scope", &[], Some(body)),
            SlackError::MissingScope {
                needed: "im:write".into()
            }
        );
    }
}
