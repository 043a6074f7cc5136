//! The data directory: where elbow keeps its state, its root key and what its clients need to find it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A directory that only its owner may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataDirectory(PathBuf);

/// The data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("the data directory {path} cannot be made")]
    Create {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} in the data directory cannot be written")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl DataDirectory {
    /// The directory at `path`, whether it exists or not.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The file called `name` in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the directory and its parents unless they exist. A new one is closed to other users, and one
    /// that was open to them is closed: it holds the root key.
    ///
    /// # Errors
    /// A part of the path is not a directory, or this user may not make or change it.
    pub(crate) fn create(&self) -> Result<(), DirectoryError> {
        let made = || -> io::Result<()> {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.0)?;
            let mode = std::fs::metadata(&self.0)?.permissions().mode();
            match mode & 0o077 {
                0 => Ok(()),
                _ => std::fs::set_permissions(&self.0, PermissionsExt::from_mode(0o700)),
            }
        };
        made().map_err(|source| DirectoryError::Create {
            path: self.0.clone(),
            source,
        })
    }

    /// Writes a file that only its owner may read. It appears complete or not at all, also after a crash.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn write_private(&self, name: &str, text: &str) -> Result<(), DirectoryError> {
        let path = self.file(name);
        let unfinished = self.file(&format!("{name}.new"));
        let written = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&unfinished)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)?;
            std::fs::File::open(&self.0)?.sync_all()
        };
        written().map_err(|source| DirectoryError::Write { path, source })
    }
}

/// `$XDG_DATA_HOME/elbow` or `~/.local/share/elbow`; for root `/var/lib/elbow`.
/// `None` if none of these can be named.
///
/// Source: XDG Base Directory Specification, "Environment variables".
pub(crate) fn default_path() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let data_home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    choose_path(is_root(), data_home, home)
}

fn choose_path(
    is_root: bool,
    data_home: Option<PathBuf>,
    home: Option<PathBuf>,
) -> Option<PathBuf> {
    if is_root {
        return Some(PathBuf::from("/var/lib/elbow"));
    }
    let data_home = data_home.filter(|path| path.is_absolute());
    let in_home = || {
        home.filter(|path| path.is_absolute())
            .map(|path| path.join(".local/share"))
    };
    data_home.or_else(in_home).map(|path| path.join("elbow"))
}

/// Whether this process runs as root: the kernel shows a process its own entry with its effective user.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_follows_the_user() {
        let path = |text: &str| Some(PathBuf::from(text));
        for (is_root, data_home, home, expected) in [
            (true, path("/d"), path("/h"), path("/var/lib/elbow")),
            (false, path("/d"), path("/h"), path("/d/elbow")),
            (false, None, path("/h"), path("/h/.local/share/elbow")),
            (
                false,
                path("relative"),
                path("/h"),
                path("/h/.local/share/elbow"),
            ),
            (false, None, None, None),
        ] {
            assert_eq!(choose_path(is_root, data_home, home), expected);
        }
    }

    #[test]
    fn only_the_owner_may_enter_and_read() {
        let path = std::env::temp_dir().join(format!("elbow-directory-{}", std::process::id()));
        let directory = DataDirectory::at(path.join("state"));
        directory.create().unwrap();
        directory.write_private("secret", "text").unwrap();
        directory.write_private("secret", "other").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(directory.path()), 0o700);
        assert_eq!(mode(&directory.file("secret")), 0o600);
        assert_eq!(
            std::fs::read_to_string(directory.file("secret")).unwrap(),
            "other"
        );
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        directory.create().unwrap();
        assert_eq!(mode(directory.path()), 0o700, "an open directory is closed");
        std::fs::remove_dir_all(path).unwrap();
    }
}
