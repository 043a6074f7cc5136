//! The file of the audit log: whole lines at its end, reopened when it has been moved away.
//!
//! Whoever rotates it moves or removes the file, and the next line begins a new one; no signal is needed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The audit log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "the audit log {path} cannot be opened; name another file as [audit] file, or turn it off with enabled = false"
)]
pub(crate) struct AuditError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Appends to a file that only its owner may read.
#[derive(Debug)]
pub(crate) struct AuditFile {
    path: PathBuf,
    /// `None` after a failure.
    file: Mutex<Option<File>>,
    lines: AtomicU64,
    lines_lost: AtomicU64,
}

impl AuditFile {
    /// The file at `path`, made now if there is none.
    ///
    /// # Errors
    /// It is no file, or this user may not append to it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, AuditError> {
        match open(&path) {
            Ok(file) => Ok(Self {
                path,
                file: Mutex::new(Some(file)),
                lines: AtomicU64::new(0),
                lines_lost: AtomicU64::new(0),
            }),
            Err(source) => Err(AuditError { path, source }),
        }
    }

    /// Lines that have been written, and lines that could not be.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let [lines, lost] = [&self.lines, &self.lines_lost].map(|it| it.load(Ordering::Relaxed));
        (lines, lost)
    }
}

impl api::AuditLog for AuditFile {
    fn append(&self, line: String) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let was_failing = file.is_none();
        let current = file.take().filter(|file| is_at(file, &self.path));
        let written = current
            .map_or_else(|| open(&self.path), Ok)
            .and_then(|file| append(&file, line + "\n").map(|()| file));
        match written {
            Ok(written) => {
                *file = Some(written);
                self.lines.fetch_add(1, Ordering::Relaxed);
                if was_failing {
                    let lost = self.lines_lost.load(Ordering::Relaxed);
                    tracing::info!(path = %self.path.display(), lost, "the audit log is written again");
                }
            }
            Err(error) => {
                self.lines_lost.fetch_add(1, Ordering::Relaxed);
                // Said once, not for each line.
                if !was_failing {
                    tracing::error!(path = %self.path.display(), %error, "the audit log cannot be written");
                }
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    // To open a pipe would wait for a reader.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let same = || -> io::Result<bool> {
        let (open, found) = (file.metadata()?, std::fs::metadata(path)?);
        Ok((open.dev(), open.ino()) == (found.dev(), found.ino()))
    };
    same().unwrap_or(false)
}

/// All of `line` or nothing: what a full disk has taken of it is removed.
fn append(mut file: &File, line: String) -> io::Result<()> {
    let length = file.metadata()?.len();
    let written = file.write_all(line.as_bytes());
    if written.is_err() {
        let _ = file.set_len(length);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use api::AuditLog;

    use super::*;

    fn in_directory(name: &str, check: impl FnOnce(PathBuf)) {
        let path = std::env::temp_dir().join(format!("elbow-audit-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        check(path.join("audit.log"));
        std::fs::remove_dir_all(path).unwrap();
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn lines_are_appended_for_the_owner_alone() {
        in_directory("append", |path| {
            for line in ["a", "b"] {
                AuditFile::open(path.clone())
                    .unwrap()
                    .append(line.to_owned());
            }
            assert_eq!(read(&path), "a\nb\n");
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        });
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        in_directory("move", |path| {
            let log = AuditFile::open(path.clone()).unwrap();
            log.append("a".to_owned());
            let moved = path.with_extension("1");
            std::fs::rename(&path, &moved).unwrap();
            log.append("b".to_owned());
            log.append("c".to_owned());
            assert_eq!(
                (read(&moved), read(&path)),
                ("a\n".to_owned(), "b\nc\n".to_owned())
            );
            // As logrotate does it with `copytruncate`.
            File::create(&path).unwrap();
            log.append("d".to_owned());
            assert_eq!(read(&path), "d\n");
            assert_eq!(log.counts(), (4, 0));
        });
    }

    #[test]
    fn what_cannot_be_written_is_counted_until_it_can() {
        in_directory("fail", |path| {
            let log = AuditFile::open(path.clone()).unwrap();
            std::fs::remove_file(&path).unwrap();
            std::fs::create_dir(&path).unwrap();
            log.append("a".to_owned());
            log.append("b".to_owned());
            assert_eq!(log.counts(), (0, 2));
            std::fs::remove_dir(&path).unwrap();
            log.append("c".to_owned());
            assert_eq!((read(&path).as_str(), log.counts()), ("c\n", (1, 2)));
        });
    }

    #[test]
    fn a_line_that_fails_leaves_nothing_of_itself() {
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let error = append(&full, "b\n".to_owned()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        in_directory("full", |path| {
            // Opened for reading only, it takes nothing either.
            std::fs::write(&path, "a\n").unwrap();
            let file = File::open(&path).unwrap();
            assert!(append(&file, "b\n".to_owned()).is_err());
            assert_eq!(read(&path), "a\n");
        });
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let refused = AuditFile::open("/dev/null".into()).unwrap_err();
        let text = crate::chain(&refused);
        assert!(
            text.contains("[audit]") && text.contains("not a regular file"),
            "{text}"
        );
    }
}
