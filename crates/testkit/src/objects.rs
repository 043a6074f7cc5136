//! Objects for tests of operations that read from S3.

use control::{ObjectError, ObjectFuture, ObjectName, ObjectStore};

/// The files of `tests/certificates` as a bucket of the name `certificates`; versions are not told apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct CertificateObjects;

impl ObjectStore for CertificateObjects {
    fn read(&self, name: ObjectName, bytes_max: usize) -> ObjectFuture<'_> {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests");
        let path = format!("{directory}/{}/{}", name.bucket, name.key);
        let read = std::fs::read(path).map_err(|_| ObjectError::NotFound);
        let read = read.and_then(|bytes| match bytes.len() {
            length if length > bytes_max => Err(ObjectError::TooLarge { bytes_max }),
            _ => Ok(bytes),
        });
        Box::pin(async { read })
    }
}
