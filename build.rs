//! Makes a new migration file rebuild the crate: `sqlx::migrate!` reads the folder when it compiles.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
