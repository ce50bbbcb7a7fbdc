//! The marker of a repository that we made: the request's id, at the end of its description while it is being made, and
//! in the message of its first commit for ever.

use crate::clients::forge::CommitSpec;
use crate::domain::id::RequestId;

/// GitHub's limit of a description, in characters (422 beyond it).
const MAX_DESCRIPTION: usize = 350;

/// Begins the line of the commit message.
const TRAILER: &str = "Idp-Request: ";

/// A description as GitHub takes it: one line, bounded.
pub(super) fn line(text: &str, most: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(most)
        .collect();
    line.trim().to_owned()
}

/// The description without a marker.
pub(super) fn plain(description: &str) -> String {
    line(description, MAX_DESCRIPTION)
}

/// The description with the marker behind it.
pub(super) fn marked(description: &str, request: RequestId) -> String {
    let mark = format!("[idp {request}]");
    let room = MAX_DESCRIPTION - mark.len() - 1;
    format!("{} {mark}", line(description, room))
        .trim_start()
        .to_owned()
}

/// The request that a description is marked with.
pub(super) fn in_description(description: &str) -> Option<RequestId> {
    let (_, mark) = description.strip_suffix(']')?.rsplit_once("[idp ")?;
    mark.parse().ok()
}

/// The commit with the marker in its message.
pub(super) fn sign(commit: &CommitSpec, request: RequestId) -> CommitSpec {
    let message = format!("{}\n{TRAILER}{request}", commit.message.trim_end());
    CommitSpec {
        message,
        ..commit.clone()
    }
}

/// The request that a commit is marked with.
pub(super) fn in_commit(message: &str) -> Option<RequestId> {
    let mark = message
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(TRAILER))?;
    mark.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn a_marked_description_is_found_again_and_fits(text in any::<String>(), id in any::<u128>()) {
            let request = RequestId::from_uuid(Uuid::from_u128(id));
            let marked = marked(&text, request);
            prop_assert!(marked.chars().count() <= MAX_DESCRIPTION);
            prop_assert!(!marked.chars().any(char::is_control));
            prop_assert_eq!(in_description(&marked), Some(request));
        }
    }

    #[test]
    fn what_people_write_is_no_marker() {
        for text in ["", "Takes payments", "[idp ]", "[idp x]", "]", "see [idp"] {
            assert_eq!(
                (in_description(text), in_commit(text)),
                (None, None),
                "{text}"
            );
        }
    }
}
