//! A file per verb: every transaction, never the network.
