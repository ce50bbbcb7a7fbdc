//! Configuration, wiring, managed Postgres, telemetry, shutdown and the command line.

pub mod problem;

pub mod postgres;
pub mod schema;
