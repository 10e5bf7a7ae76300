//! Tells the program which rules it is made of: a hash over the text of `src/domain`, as `DOMAIN_HASH`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = "src/domain";
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    collect(Path::new(ROOT), &mut files)?;
    // Sorted by text, with one separator: the same on every machine.
    let mut texts = Vec::new();
    for file in files {
        let name = file.to_string_lossy().replace('\\', "/");
        texts.push((name, fs::read(&file)?));
    }
    texts.sort();
    let hash = texts.iter().fold(FNV_OFFSET, |hash, (name, text)| {
        let hash = fnv(fnv(hash, name.as_bytes()), &[0]);
        // Line ends may differ between checkouts.
        let bytes = text.iter().filter(|byte| **byte != b'\r');
        fnv(bytes.fold(hash, |hash, byte| fnv(hash, &[*byte])), &[0])
    });
    println!("cargo:rustc-env=DOMAIN_HASH={}", hash.cast_signed());
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_test =
            name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs") || name == "testing.rs";
        if is_test {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}
