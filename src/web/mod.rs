//! Routes and sockets: deliveries in, pages out.
