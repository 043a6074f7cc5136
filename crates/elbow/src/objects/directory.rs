//! Buckets as directories: the object `a/b` of the bucket `c` is the file `c/a/b`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use control::{ObjectError, ObjectFuture, ObjectName, ObjectStore};

/// A directory of buckets.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// The one at this path.
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }
}

impl ObjectStore for Directory {
    fn read(&self, name: ObjectName, bytes_max: usize) -> ObjectFuture<'_> {
        let root = self.0.clone();
        let read = tokio::task::spawn_blocking(move || read(&root, &name, bytes_max));
        Box::pin(async move {
            match read.await {
                Ok(outcome) => outcome,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        })
    }
}

fn read(root: &Path, name: &ObjectName, bytes_max: usize) -> Result<Vec<u8>, ObjectError> {
    if name.version.is_some() {
        return Err(ObjectError::Unavailable(
            "the objects of a directory have no versions; leave the version out".to_owned(),
        ));
    }
    let path = find(root, name)?;
    let mut bytes = Vec::new();
    // One byte more tells a file that is just as long from one that is longer.
    let most = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let file = File::open(&path).map_err(explain)?;
    file.take(most).read_to_end(&mut bytes).map_err(explain)?;
    match bytes.len() > bytes_max {
        true => Err(ObjectError::TooLarge { bytes_max }),
        false => Ok(bytes),
    }
}

/// The file of an object. None outside of its bucket is found, by `..` or by a link.
fn find(root: &Path, name: &ObjectName) -> Result<PathBuf, ObjectError> {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    let is_bucket = is_part(&name.bucket) && !name.bucket.contains('/');
    if !is_bucket || !name.key.split('/').all(is_part) {
        return Err(ObjectError::NotFound);
    }
    let bucket = root.join(&name.bucket).canonicalize().map_err(explain)?;
    let path = bucket.join(&name.key).canonicalize().map_err(explain)?;
    match path.starts_with(&bucket) && path.is_file() {
        true => Ok(path),
        false => Err(ObjectError::NotFound),
    }
}

fn explain(error: io::Error) -> ObjectError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ObjectError::NotFound,
        _ => ObjectError::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bucket: &str, key: &str) -> ObjectName {
        ObjectName {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: None,
        }
    }

    #[test]
    fn an_object_is_a_file_in_its_bucket_and_nothing_else_is() {
        let root = std::env::temp_dir().join(format!("elbow-objects-{}", std::process::id()));
        std::fs::create_dir_all(root.join("bucket/a")).unwrap();
        std::fs::create_dir_all(root.join("other")).unwrap();
        std::fs::write(root.join("bucket/a/b"), "text").unwrap();
        std::fs::write(root.join("other/secret"), "secret").unwrap();
        std::os::unix::fs::symlink(root.join("other/secret"), root.join("bucket/link")).unwrap();
        assert_eq!(read(&root, &name("bucket", "a/b"), 4).unwrap(), b"text");
        assert_eq!(
            read(&root, &name("bucket", "a/b"), 3),
            Err(ObjectError::TooLarge { bytes_max: 3 })
        );
        for (bucket, key) in [
            ("bucket", "c"),
            ("bucket", "a"),
            ("bucket", "a/b/c"),
            ("bucket", ""),
            ("bucket", "/a/b"),
            ("bucket", "a//b"),
            ("bucket", "a/./b"),
            ("bucket", "../other/secret"),
            ("bucket", "link"),
            ("bucket", "a\0b"),
            ("..", "secret"),
            ("bucket/a", "b"),
            ("", "bucket/a/b"),
            ("gone", "a"),
        ] {
            assert_eq!(
                read(&root, &name(bucket, key), 100),
                Err(ObjectError::NotFound),
                "{bucket} {key}"
            );
        }
        let versioned = ObjectName {
            version: Some("1".to_owned()),
            ..name("bucket", "a/b")
        };
        assert!(matches!(
            read(&root, &versioned, 4),
            Err(ObjectError::Unavailable(_))
        ));
        std::fs::remove_dir_all(root).unwrap();
    }
}
