//! What only Discord has: its gateway, and a line of it on its own. What both chat platforms do is told once, in
//! `conformance`.

mod gateway;
mod line;
