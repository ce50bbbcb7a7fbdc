//! Makes a changed migration or definition rebuild the crate: the macros that embed these folders run only then.

#![expect(
    clippy::print_stdout,
    reason = "this is how a build script speaks to Cargo"
)]

fn main() {
    for folder in ["migrations", "commands", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
