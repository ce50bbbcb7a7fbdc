//! All outgoing calls: chat platforms and forges.

pub mod forge;
