//! Randomness as a value, so that tests can choose it.

use std::fmt::Debug;

/// A source of random bytes.
pub trait Random: Debug + Send + Sync {
    /// Overwrites all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The generator of aws-lc, which the kernel seeds.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // aws-lc ends the process itself rather than return bytes that are not random.
        aws_lc_rs::rand::fill(bytes).expect("the generator of aws-lc does not fail");
    }
}
