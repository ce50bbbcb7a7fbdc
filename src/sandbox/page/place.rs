//! The address of what is looked at: who, where, which thread, behind which message.

use serde::Deserialize;

/// The query of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    /// Whose eyes: a handle or id; the first person when left out.
    #[serde(rename = "as")]
    pub(super) person: Option<String>,
    /// A channel's id or name; the first of the person's when left out.
    #[serde(rename = "in")]
    pub(super) channel: Option<String>,
    /// The root of the open thread.
    pub(super) thread: Option<String>,
    /// The message whose wire is shown.
    pub(super) behind: Option<String>,
    /// Slack's own name of the thread, in permalinks.
    pub(super) thread_ts: Option<String>,
}

impl Place {
    /// The address as a path with query.
    pub(super) fn href(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let parts = [
            ("as", &self.person),
            ("in", &self.channel),
            ("thread", &self.thread),
            ("behind", &self.behind),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() {
            "/".to_owned()
        } else {
            format!("/?{query}")
        }
    }

    /// The same eyes, in another channel.
    pub(super) fn in_channel(&self, channel: &str) -> Self {
        Self {
            person: self.person.clone(),
            channel: Some(channel.to_owned()),
            ..Self::default()
        }
    }

    /// With this thread open, or none.
    pub(super) fn with_thread(&self, thread: Option<&str>) -> Self {
        Self {
            thread: thread.map(ToOwned::to_owned),
            behind: None,
            ..self.clone()
        }
    }

    /// With the wire behind this message, or none.
    pub(super) fn with_behind(&self, ts: Option<&str>) -> Self {
        Self {
            behind: ts.map(ToOwned::to_owned),
            ..self.clone()
        }
    }

    /// The same place with other eyes.
    pub(super) fn seen_by(&self, handle: &str) -> Self {
        Self {
            person: Some(handle.to_owned()),
            behind: None,
            ..self.clone()
        }
    }
}
