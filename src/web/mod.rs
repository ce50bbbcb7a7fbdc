//! Routes and sockets: deliveries in, pages out.

pub mod git;
