//! The address of what is looked at: who, where, which thread, behind which message.

use serde::Deserialize;

/// Which of the two a page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Server {
    #[default]
    Slack,
    Discord,
}

impl Server {
    /// Its page.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Slack => "/",
            Self::Discord => "/discord",
        }
    }

    /// Where its acts go.
    pub(super) const fn acts(self) -> &'static str {
        match self {
            Self::Slack => "/sim/",
            Self::Discord => "/sim/discord/",
        }
    }
}

/// The query of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    /// Which page it is.
    #[serde(skip)]
    pub(super) server: Server,
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
        let path = self.server.path();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }

    /// The same eyes, in another channel.
    pub(super) fn in_channel(&self, channel: &str) -> Self {
        Self {
            server: self.server,
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

    /// The other server, with the same eyes where the person is there too, else with the first one's.
    pub(super) fn on(&self, server: Server, there: bool) -> Self {
        Self {
            server,
            person: self.person.clone().filter(|_| there),
            ..Self::default()
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
