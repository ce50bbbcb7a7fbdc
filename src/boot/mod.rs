//! Configuration, wiring, managed Postgres, telemetry, shutdown and the command line.

pub mod problem;

pub mod clock;
pub mod config;
pub mod telemetry;

pub mod database;
pub mod postgres;
pub mod schema;
pub mod shutdown;

pub mod serve;

pub mod cli;
pub mod demo;
pub mod doctor;
