//! Replays every committed input, so that what a fuzzer once found is checked without one.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_seed_passes_its_target() {
    for (name, target) in fuzz::TARGETS {
        let seeds = files(
            &Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("seeds")
                .join(name),
        );
        assert!(!seeds.is_empty(), "{name} has seeds");
        for seed in seeds {
            // The harness prints this line only for a failure.
            println!("{}", seed.display());
            target(&fs::read(seed).expect("a seed is a readable file"));
        }
    }
}

#[test]
fn every_target_has_a_program() {
    for (name, _) in fuzz::TARGETS {
        let manifest = include_str!("../Cargo.toml");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    files.sort();
    files
}
