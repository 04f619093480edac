//! Embeds every template of `templates/` in the program, by its path there.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut found = Vec::new();
    for target in fs::read_dir(&root)? {
        let target = target?;
        if !target.file_type()?.is_dir() {
            continue;
        }
        for template in fs::read_dir(target.path())? {
            let template = template?;
            let name = template.file_name().to_string_lossy().into_owned();
            if name.ends_with(".j2") {
                let path = template.path().canonicalize()?;
                found.push((format!("{}/{name}", target.file_name().to_string_lossy()), path));
            }
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
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("templates.rs"), text)
}
