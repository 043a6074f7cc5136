//! The objects that operations are told to read from S3: files of a directory, or answers of a service.

mod directory;
mod endpoint;

use std::sync::Arc;

use control::{NoObjects, ObjectStore};

use crate::config::s3::S3;

/// What reads objects from where the configuration says.
pub(crate) fn open(s3: S3) -> Arc<dyn ObjectStore> {
    match s3 {
        S3::Nothing => Arc::new(NoObjects),
        S3::Directory(path) => Arc::new(directory::Directory::at(path)),
        S3::Endpoint(endpoint) => Arc::new(endpoint::Endpoint::at(endpoint)),
    }
}
