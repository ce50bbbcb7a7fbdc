//! Pure translation between the wire of the chat platforms and the words of `domain`.
