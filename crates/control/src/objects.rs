//! The objects that operations are told to read from S3, as the control plane sees them.
//!
//! The binary implements this over a directory or a real S3; `NoObjects` stands in where there is neither.

use std::future::Future;
use std::pin::Pin;

/// A future of a read.
pub type ObjectFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, ObjectError>> + Send + 'a>>;

/// Names an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// The bucket.
    pub bucket: String,
    /// The key in the bucket.
    pub key: String,
    /// A version of the object; `None`: the latest.
    pub version: Option<String>,
}

/// An object cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("it does not exist")]
    NotFound,
    /// It is larger than what was asked for can be.
    #[error("it is larger than {bytes_max} bytes")]
    TooLarge {
        /// Most bytes it may have.
        bytes_max: usize,
    },
    /// It may exist, and cannot be read; says why and what to do.
    #[error("{0}")]
    Unavailable(String),
}

/// Reads objects.
pub trait ObjectStore: Send + Sync + 'static {
    /// The whole object, which may have at most `bytes_max` bytes.
    fn read(&self, name: ObjectName, bytes_max: usize) -> ObjectFuture<'_>;
}

/// No objects at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObjects;

impl ObjectStore for NoObjects {
    fn read(&self, _name: ObjectName, _bytes_max: usize) -> ObjectFuture<'_> {
        Box::pin(async {
            Err(ObjectError::Unavailable(
                "elbow has no S3 to read from; name a directory or an endpoint in the section [s3] of its \
                 configuration"
                    .to_owned(),
            ))
        })
    }
}
