//! The packed formats, each as a machine that turns bytes into bytes one step at a time.
//!
//! A step says what it took and gave also where it fails, so that what was unpacked before a fault
//! reaches the reader.

use std::io::{self, BufRead};

use bzip2::Decompress as Bunzip;
use flate2::{Crc, Decompress as Inflate, FlushDecompress, Status};
use liblzma::stream::{Action, Status as XzStatus, Stream as Unxz};
use zstd::stream::raw::{Decoder as Unzstd, InBuffer, Operation as _, OutBuffer};
use zstd::zstd_safe::DParameter;

/// zstd packs with windows of up to 128 MiB unless told otherwise, and unpacks no larger ones.
const ZSTD_WINDOW_LOG: u32 = 27;

/// `xz -9` asks for 65 MiB.
const XZ_MEMORY_BYTES: u64 = 160 * 1024 * 1024;

/// Why a member of a packed file does not go on.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Its bytes end early.
    Ended,
    Invalid(String),
    /// It asks for more memory than it gets.
    Memory(String),
    /// What it lies in ends badly.
    Input(io::Error),
}

/// What one step took, gave, and whether the member is at its end.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) ended: Result<bool, Trouble>,
}

/// The step of a machine that was not started.
const NOTHING: Step = Step {
    consumed: 0,
    produced: 0,
    ended: Ok(false),
};

/// A packed format. One file may have several members, one after another.
pub(super) trait Codec: Send {
    /// Whether a member may begin with this byte.
    fn may_begin(byte: u8) -> bool;

    /// Makes ready for a member, and reads its header where that is not the machine's.
    fn start(&mut self, input: &mut impl BufRead) -> Result<(), Trouble>;

    /// Goes on with what there is; no input means that none will come.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step;

    /// Reads and checks what follows a member.
    fn finish(&mut self, _input: &mut impl BufRead) -> Result<(), Trouble> {
        Ok(())
    }
}

/// Fills `bytes` from a reader; for headers, which may lie across two pieces.
pub(super) fn read_exact(input: &mut impl BufRead, bytes: &mut [u8]) -> Result<(), Trouble> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Trouble::Ended,
        _ => Trouble::Input(error),
    })
}

/// Deflate as it stands in a zip, without a header.
pub(super) struct Deflate(Inflate);

impl Default for Deflate {
    fn default() -> Self {
        Self(Inflate::new(false))
    }
}

impl Codec for Deflate {
    fn may_begin(_: u8) -> bool {
        false
    }

    fn start(&mut self, _: &mut impl BufRead) -> Result<(), Trouble> {
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let before = (self.0.total_in(), self.0.total_out());
        let result = self.0.decompress(input, out, FlushDecompress::None);
        Step {
            consumed: distance(before.0, self.0.total_in()),
            produced: distance(before.1, self.0.total_out()),
            ended: match result {
                Ok(Status::StreamEnd) => Ok(true),
                Ok(Status::Ok | Status::BufError) => Ok(false),
                Err(error) => Err(Trouble::Invalid(
                    error.message().unwrap_or("not valid deflate").to_owned(),
                )),
            },
        }
    }
}

/// How far a machine's counter went in one step, which the lengths of the buffers bound.
fn distance(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

/// Deflate with a header before and a checksum behind.
#[derive(Default)]
pub(super) struct Gzip {
    deflate: Deflate,
    crc: Crc,
}

const GZIP_HEADER_CRC: u8 = 1 << 1;
const GZIP_EXTRA: u8 = 1 << 2;
const GZIP_NAME: u8 = 1 << 3;
const GZIP_COMMENT: u8 = 1 << 4;
const GZIP_RESERVED: u8 = 0b1110_0000;

impl Gzip {
    fn read_header(input: &mut impl BufRead) -> Result<(), Trouble> {
        let mut header = [0; 10];
        // A wrong beginning is told apart from an early end even where both are the case.
        read_exact(input, &mut header[..1])?;
        if header[0] != 0x1f {
            return Err(Trouble::Invalid("no gzip header".to_owned()));
        }
        read_exact(input, &mut header[1..2])?;
        if header[1] != 0x8b {
            return Err(Trouble::Invalid("no gzip header".to_owned()));
        }
        read_exact(input, &mut header[2..])?;
        let [.., method, flags, _, _, _, _, _, _] = header;
        if method != 8 || flags & GZIP_RESERVED != 0 {
            return Err(Trouble::Invalid("an unknown kind of gzip".to_owned()));
        }
        if flags & GZIP_EXTRA != 0 {
            let mut length = [0; 2];
            read_exact(input, &mut length)?;
            for _ in 0..u16::from_le_bytes(length) {
                read_exact(input, &mut [0])?;
            }
        }
        for flag in [GZIP_NAME, GZIP_COMMENT] {
            let mut byte = [u8::from(flags & flag != 0)];
            while byte != [0] {
                read_exact(input, &mut byte)?;
            }
        }
        if flags & GZIP_HEADER_CRC != 0 {
            read_exact(input, &mut [0; 2])?;
        }
        Ok(())
    }
}

impl Codec for Gzip {
    fn may_begin(byte: u8) -> bool {
        byte == 0x1f
    }

    fn start(&mut self, input: &mut impl BufRead) -> Result<(), Trouble> {
        Self::read_header(input)?;
        if self.deflate.0.total_in() > 0 {
            self.deflate.0.reset(false);
            self.crc.reset();
        }
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let step = self.deflate.step(input, out);
        self.crc.update(&out[..step.produced]);
        step
    }

    fn finish(&mut self, input: &mut impl BufRead) -> Result<(), Trouble> {
        let mut trailer = [0; 8];
        read_exact(input, &mut trailer)?;
        let [c0, c1, c2, c3, n0, n1, n2, n3] = trailer;
        if self.crc.sum() != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(Trouble::Invalid("the checksum does not match".to_owned()));
        }
        if self.crc.amount() != u32::from_le_bytes([n0, n1, n2, n3]) {
            return Err(Trouble::Invalid("the length does not match".to_owned()));
        }
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct Bzip2(Option<Bunzip>);

impl Codec for Bzip2 {
    fn may_begin(byte: u8) -> bool {
        byte == b'B'
    }

    fn start(&mut self, _: &mut impl BufRead) -> Result<(), Trouble> {
        self.0 = Some(Bunzip::new(false));
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let machine = self.0.get_or_insert_with(|| Bunzip::new(false));
        let before = (machine.total_in(), machine.total_out());
        let result = machine.decompress(input, out);
        Step {
            consumed: distance(before.0, machine.total_in()),
            produced: distance(before.1, machine.total_out()),
            ended: match result {
                Ok(bzip2::Status::StreamEnd) => Ok(true),
                Ok(bzip2::Status::MemNeeded) => {
                    Err(Trouble::Memory("bzip2 got no memory".to_owned()))
                }
                Ok(_) => Ok(false),
                Err(error) => Err(Trouble::Invalid(error.to_string())),
            },
        }
    }
}

#[derive(Default)]
pub(super) struct Xz(Option<Unxz>);

impl Codec for Xz {
    fn may_begin(byte: u8) -> bool {
        byte == 0xfd
    }

    fn start(&mut self, _: &mut impl BufRead) -> Result<(), Trouble> {
        let machine = Unxz::new_stream_decoder(XZ_MEMORY_BYTES, 0);
        self.0 = Some(machine.map_err(|error| Trouble::Memory(error.to_string()))?);
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let Some(machine) = &mut self.0 else {
            return NOTHING;
        };
        let before = (machine.total_in(), machine.total_out());
        let result = machine.process(input, out, Action::Run);
        Step {
            consumed: distance(before.0, machine.total_in()),
            produced: distance(before.1, machine.total_out()),
            ended: match result {
                Ok(XzStatus::StreamEnd) => Ok(true),
                Ok(_) => Ok(false),
                Err(error @ (liblzma::stream::Error::Mem | liblzma::stream::Error::MemLimit)) => {
                    Err(Trouble::Memory(error.to_string()))
                }
                Err(error) => Err(Trouble::Invalid(error.to_string())),
            },
        }
    }
}

/// zstd gives nothing of a step that fails, so it gets no more than one block for each step, and none
/// while it still holds what it has unpacked.
#[derive(Default)]
pub(super) struct Zstd {
    machine: Option<Unzstd<'static>>,
    wanted_bytes: usize,
    may_hold_back: bool,
}

/// The shortest beginning of a frame; afterwards the machine says what it wants.
const ZSTD_FIRST_BYTES: usize = 5;

impl Zstd {
    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let Some(machine) = &mut self.machine else {
            return NOTHING;
        };
        let out_bytes = out.len();
        let mut input = InBuffer::around(input);
        let mut out = OutBuffer::around(out);
        let result = machine.run(&mut input, &mut out);
        self.may_hold_back = out.pos() == out_bytes;
        Step {
            consumed: input.pos(),
            produced: out.pos(),
            ended: match result {
                Ok(hint) => {
                    self.wanted_bytes = hint;
                    Ok(hint == 0)
                }
                Err(error) => Err(zstd_trouble(&error)),
            },
        }
    }
}

impl Codec for Zstd {
    fn may_begin(byte: u8) -> bool {
        matches!(byte, 0x28 | 0x50..=0x5f)
    }

    fn start(&mut self, _: &mut impl BufRead) -> Result<(), Trouble> {
        self.wanted_bytes = ZSTD_FIRST_BYTES;
        self.may_hold_back = false;
        let ready = match &mut self.machine {
            Some(machine) => machine.reinit(),
            None => Unzstd::new().and_then(|mut machine| {
                machine.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
                self.machine = Some(machine);
                Ok(())
            }),
        };
        ready.map_err(|error| Trouble::Memory(error.to_string()))
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        if self.may_hold_back {
            let step = self.run(&[], out);
            if step.produced > 0 || !matches!(step.ended, Ok(false)) {
                return step;
            }
        }
        let wanted = self.wanted_bytes.max(1).min(input.len());
        self.run(&input[..wanted], out)
    }
}

/// zstd's errors are told apart by their text only.
fn zstd_trouble(error: &io::Error) -> Trouble {
    let text = error.to_string();
    if text.contains("memory") {
        Trouble::Memory(text)
    } else {
        Trouble::Invalid(text)
    }
}
