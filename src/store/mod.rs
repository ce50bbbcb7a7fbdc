//! All SQL, a file per noun, on the caller's connection.
