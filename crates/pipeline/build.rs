//! Embeds the built-in pipelines and their schemas in the program, by name.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    for folder in ["builtin", "schemas"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        println!("cargo::rerun-if-changed={}", root.display());
        let mut found = Vec::new();
        for file in fs::read_dir(&root).into_iter().flatten() {
            let path = file?.path();
            if path.extension().is_some_and(|found| found == "yml")
                && let Some(name) = path.file_stem()
            {
                found.push((name.to_string_lossy().into_owned(), path.canonicalize()?));
            }
        }
        // The order of a directory is the file system's; that of the program is not.
        found.sort();
        let mut text = String::from("&[\n");
        for (name, path) in found {
            let path = path.display().to_string();
            let _ = writeln!(text, "    ({name:?}, include_str!({path:?})),");
        }
        text.push_str("]\n");
        fs::write(Path::new(&out).join(format!("{folder}.rs")), text)?;
    }
    Ok(())
}
