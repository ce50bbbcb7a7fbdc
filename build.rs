//! Makes a changed migration or definition rebuild the crate: the macros that embed these folders run only then.

fn main() {
    for folder in ["migrations", "commands", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
