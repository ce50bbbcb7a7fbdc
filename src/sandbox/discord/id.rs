//! Snowflakes: Discord's ids, which grow with time (docs.discord.com/developers/reference, "Snowflakes").

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The first second of 2015, in milliseconds.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// An id. On the wire it is a text of digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::sandbox) struct Id(pub(in crate::sandbox) u64);

impl Id {
    /// The first one that can be made at this moment.
    pub(in crate::sandbox) fn first_of(now: DateTime<Utc>) -> Self {
        let ms = u64::try_from(now.timestamp_millis() - EPOCH_MS).unwrap_or_default();
        Self(ms << 22)
    }

    /// When it was made.
    pub(in crate::sandbox) fn made(self) -> DateTime<Utc> {
        let ms = i64::try_from(self.0 >> 22).unwrap_or_default() + EPOCH_MS;
        DateTime::from_timestamp_millis(ms).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Self(number)),
            _ => Err("not a snowflake"),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl From<Id> for serde_json::Value {
    fn from(id: Id) -> Self {
        id.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Discord's reference.
    #[test]
    fn an_id_tells_when_it_was_made() {
        let id: Id = "175928847299117063".parse().unwrap();
        assert_eq!(id.made().to_rfc3339(), "2016-04-30T11:18:25.796+00:00");
        assert!(Id::first_of(id.made()) <= id);
        assert!("12x".parse::<Id>().is_err() && "".parse::<Id>().is_err());
    }
}
