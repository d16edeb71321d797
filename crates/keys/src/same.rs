//! Hashing what is a hash already.

use std::hash::{BuildHasherDefault, Hasher};

/// Has maps take keys that are hashes as they are, without hashing them again.
pub type AsTheyAre = BuildHasherDefault<Same>;

/// Gives a hash back as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
