//! Lengths as platforms may count them: in UTF-16 units, which is never less than the number of characters.

/// The length that a platform may count.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text, cut with an ellipsis where it is longer than `max`.
pub fn shorten(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.len_utf16();
        if used > max {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}
