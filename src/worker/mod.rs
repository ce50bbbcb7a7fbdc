//! Queue jobs, the sender of messages and the tick: `app`, then the world, then `app`.
