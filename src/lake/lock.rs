//! One writer at a time: an advisory lock that the operating system frees when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{FileError, Result};

/// The lock's file, in the lake's folder. It stays there, empty.
pub(super) const LOCK_FILE: &str = ".lock";

/// The right to write to a lake, given back on drop.
#[derive(Debug)]
pub struct LakeLock {
    _file: File,
}

impl LakeLock {
    pub(super) fn acquire(root: &Path) -> Result<Self> {
        let path = root.join(LOCK_FILE);
        let file = open(&path)?;
        file.lock().map_err(FileError::at("lock", &path))?;
        Ok(Self { _file: file })
    }

    pub(super) fn try_acquire(root: &Path) -> Result<Option<Self>> {
        let path = root.join(LOCK_FILE);
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(FileError::at("lock", &path)(source).into()),
        }
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(FileError::at("create", path))
}
