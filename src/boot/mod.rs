//! Configuration, wiring, managed Postgres, telemetry, shutdown and the command line.
