//! Rows that have to wait longer than the memory allows: packed into one unnamed file beside the
//! lake's own, which the system removes when it is closed, in whatever way the process ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use crate::error::Cause;

/// A day's name, as in the partition column.
type Day = Option<String>;

/// The file and what lies where in it.
pub(super) struct Spill {
    file: File,
    end: u64,
    frames: BTreeMap<Day, Vec<Frame>>,
}

/// One batch: a zstd frame that holds an Arrow stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    offset: u64,
    n_bytes: u64,
}

impl Spill {
    pub(super) fn create(folder: &Path) -> std::io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            end: 0,
            frames: BTreeMap::new(),
        })
    }

    /// Puts a day's rows away.
    pub(super) fn add(&mut self, day: &Day, rows: &RecordBatch) -> Result<(), Cause> {
        let mut packer = zstd::Encoder::new(Vec::new(), 1)?;
        let mut stream = StreamWriter::try_new(&mut packer, &rows.schema())?;
        stream.write(rows)?;
        stream.finish()?;
        drop(stream);
        let packed = packer.finish()?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&packed)?;
        let n_bytes = packed.len() as u64;
        let frame = Frame {
            offset: self.end,
            n_bytes,
        };
        self.frames.entry(day.clone()).or_default().push(frame);
        self.end += n_bytes;
        Ok(())
    }

    /// The days that have rows here.
    pub(super) fn days(&self) -> impl Iterator<Item = &Day> {
        self.frames.keys()
    }

    /// Where a day's rows lie, in the order they came.
    pub(super) fn frames(&self, day: &Day) -> Vec<Frame> {
        self.frames.get(day).cloned().unwrap_or_default()
    }

    /// The rows of a frame.
    pub(super) fn read(&mut self, frame: Frame) -> Result<Vec<RecordBatch>, Cause> {
        self.file.seek(SeekFrom::Start(frame.offset))?;
        let packed = (&mut self.file).take(frame.n_bytes);
        let stream = StreamReader::try_new(zstd::Decoder::new(packed)?, None)?;
        Ok(stream.collect::<Result<_, _>>()?)
    }
}
