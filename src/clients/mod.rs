//! All outgoing calls: chat platforms and forges.
