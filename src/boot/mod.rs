//! Configuration, wiring, managed Postgres, telemetry, shutdown and the command line.

pub mod problem;

pub mod config;

pub mod postgres;
pub mod schema;
