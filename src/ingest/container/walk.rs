//! Everything in a stored object that is to be read as text.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;

use super::limit::{Budget, Limited};
use super::member::Member;
use super::name::{Addresses, is_hidden_name, is_log_name};
use super::tar::{Tar, TarEntry};
use super::unpack::{Input, Opened, Peeked, unpacker};
use super::zip::{Directory, Salvage, ZipData, ZipEntry, data_start};
use super::{ContainerError, Format, HEAD_BYTES, Limits, Stored, sniff};

/// An object as it was found.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    pub uri: &'a str,
    pub stored: &'a Stored,
    /// Its name promises log text, or the user named it.
    pub named_as_log: bool,
}

/// What there is in an object.
#[derive(Debug)]
pub enum Visit<'a> {
    /// To be read as text.
    Text(Member),
    /// Recognised as something that holds no logs and does not claim to: an image, a program.
    Listed(Member),
    /// Bytes that cannot be had: a member that is encrypted, an archive that is damaged. What else is
    /// in the archive goes on.
    Problem {
        /// The archive's address or the member's.
        uri: String,
        /// In the archive, unpacked if it is a packed tar.
        offset: u64,
        reason: &'static str,
        detail: String,
    },
    /// Stands behind all that is in it.
    Archive {
        uri: &'a str,
        stored: &'a Stored,
        format: Format,
        /// Members met, folders and those passed over included.
        members: u64,
        /// Members that were passed over because their names are hidden.
        hidden: u64,
    },
}

/// Visits everything in an object: the object itself, or each member of an archive, archives in
/// archives and packed archives included. The order is the archive's.
///
/// # Errors
///
/// What the visitor returns, and nothing else: faults in the object are visited as problems, or come
/// from reading a [`Member`].
pub fn visit<E>(
    object: Object<'_>,
    limits: &Limits,
    visitor: &mut dyn FnMut(Visit<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut walk = Walk {
        limits: *limits,
        budget: Arc::new(Budget::new(object.stored.size_bytes(), limits)),
        members: 0,
        is_over: false,
        visitor,
    };
    walk.object(Found {
        uri: object.uri.to_owned(),
        stored: object.stored.clone(),
        ending: None,
        named_as_log: object.named_as_log,
        depth: 0,
    })
}

/// An object or a member that is to be looked into.
struct Found {
    uri: String,
    stored: Stored,
    /// What to say where its bytes end, if they end badly.
    ending: Option<ContainerError>,
    named_as_log: bool,
    /// Layers around it.
    depth: u32,
}

/// Where an archive's members belong, and how many there were.
struct Inside<'a> {
    archive: &'a Found,
    depth: u32,
    addresses: Addresses,
    members: u64,
    hidden: u64,
}

impl<'a> Inside<'a> {
    fn new(archive: &'a Found, depth: u32) -> Self {
        Self {
            archive,
            depth,
            addresses: Addresses::default(),
            members: 0,
            hidden: 0,
        }
    }

    fn address(&mut self, name: &str) -> String {
        self.addresses.next(&self.archive.uri, name)
    }
}

struct Walk<'v, E> {
    limits: Limits,
    budget: Arc<Budget>,
    members: u64,
    /// A limit on the whole is reached; nothing more is looked into.
    is_over: bool,
    visitor: &'v mut dyn FnMut(Visit<'_>) -> Result<(), E>,
}

impl<E> Walk<'_, E> {
    fn object(&mut self, mut found: Found) -> Result<(), E> {
        let mut depth = found.depth;
        let mut layers = Vec::new();
        let mut head = match found.stored.head(HEAD_BYTES) {
            Ok(head) => head,
            Err(error) => return self.refuse(found, error.into()),
        };
        let mut opened: Option<Opened> = None;
        loop {
            let format = sniff(&head);
            if format.is_compressed() || format.is_archive() {
                depth += 1;
                if depth > self.limits.nesting {
                    let detail = format!("more than {} layers deep", self.limits.nesting);
                    return self.refuse(found, ContainerError::new("too-deep", detail));
                }
            }
            if format == Format::Zip {
                if let Some(opened) = opened {
                    (found.stored, found.ending) = self.spool(opened, 0, Some(&self.budget));
                }
                return self.zip(&found, depth);
            }
            if format != Format::Tar && !format.is_compressed() {
                return self.text(found, format, layers, head, opened);
            }
            let input = match opened {
                Some(opened) => Input::layer(opened),
                None => Input::Stored(found.stored.reader(), found.ending.clone()),
            };
            let next = match unpacker(format, input, &self.limits) {
                Ok(unpacker) => Peeked::new(unpacker),
                Err(input) => return self.tar(&found, depth, input),
            };
            head = Bytes::copy_from_slice(next.head());
            opened = Some(next);
            layers.push(format);
        }
    }

    fn text(
        &mut self,
        found: Found,
        format: Format,
        layers: Vec<Format>,
        head: Bytes,
        started: Option<Opened>,
    ) -> Result<(), E> {
        // Who packs one file packs a log; images and programs are packed already or in archives.
        let mut named_as_log = found.named_as_log || !layers.is_empty();
        let mut refusal = None;
        if let Format::Foreign(foreign) = format {
            named_as_log |= foreign.may_hold_logs;
            let detail = format!("{}, which is not read", foreign.name);
            refusal = Some(ContainerError::new("unsupported-format", detail));
        }
        let is_listed = refusal.is_some() && !named_as_log;
        let member = Member {
            uri: found.uri,
            stored: found.stored,
            format,
            named_as_log,
            head,
            layers,
            ending: found.ending,
            refusal,
            started,
            limits: self.limits,
            budget: Arc::clone(&self.budget),
        };
        (self.visitor)(if is_listed {
            Visit::Listed(member)
        } else {
            Visit::Text(member)
        })
    }

    /// An object that is there, but is not looked into.
    fn refuse(&mut self, found: Found, refusal: ContainerError) -> Result<(), E> {
        (self.visitor)(Visit::Text(Member {
            uri: found.uri,
            stored: found.stored,
            format: Format::Plain,
            named_as_log: true,
            head: Bytes::new(),
            layers: Vec::new(),
            ending: found.ending,
            refusal: Some(refusal),
            started: None,
            limits: self.limits,
            budget: Arc::clone(&self.budget),
        }))
    }

    fn problem(&mut self, uri: String, offset: u64, error: ContainerError) -> Result<(), E> {
        (self.visitor)(Visit::Problem {
            uri,
            offset,
            reason: error.reason,
            detail: error.detail,
        })
    }

    fn spool(
        &self,
        reader: impl Read,
        expected_bytes: u64,
        budget: Option<&Arc<Budget>>,
    ) -> (Stored, Option<ContainerError>) {
        let reader = Limited::new(reader, self.limits.expanded_bytes, budget);
        let (stored, failure) = Stored::spool_what_comes(reader, expected_bytes, &self.limits);
        (stored, failure.map(ContainerError::from))
    }

    fn tar(&mut self, archive: &Found, depth: u32, input: Input) -> Result<(), E> {
        let mut inside = Inside::new(archive, depth);
        // The stream of a packed tar is as long as all that is in it, and is paid for as a whole.
        let max_bytes = self.limits.archive_bytes;
        let mut tar = Tar::new(Limited::new(input, max_bytes, Some(&self.budget)));
        while !self.is_over {
            let entry = match tar.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => {
                    self.problem(archive.uri.clone(), tar.offset(), error)?;
                    break;
                }
            };
            let offset = tar.offset();
            match entry {
                TarEntry::Damaged { offset } => {
                    let error = ContainerError::new("invalid-tar", "no tar entry begins here");
                    self.problem(archive.uri.clone(), offset, error)?;
                }
                TarEntry::Folder => self.count(&mut inside, offset)?,
                TarEntry::Other { name, offset, what } => {
                    self.count(&mut inside, offset)?;
                    if !self.is_over && !is_passed_over(&mut inside, &name) {
                        let uri = inside.address(&name);
                        self.problem(uri, offset, ContainerError::new("not-a-file", what))?;
                    }
                }
                TarEntry::File { name, size_bytes } => {
                    self.count(&mut inside, offset)?;
                    if !self.is_over && !is_passed_over(&mut inside, &name) {
                        let (stored, ending) = self.spool(tar.data(), size_bytes, None);
                        self.member(&mut inside, &name, stored, ending)?;
                    }
                }
            }
            self.check_budget(archive, tar.offset())?;
        }
        self.archive(&inside, Format::Tar)
    }

    fn zip(&mut self, archive: &Found, depth: u32) -> Result<(), E> {
        let mut inside = Inside::new(archive, depth);
        match Directory::read(&archive.stored) {
            Ok(directory) => self.zip_by_directory(&directory, &mut inside)?,
            Err(error) => {
                // Where the bytes themselves end badly, that is why there is no directory.
                let error = archive.ending.clone().unwrap_or(error);
                let end = archive.stored.size_bytes();
                self.problem(archive.uri.clone(), end, error)?;
                self.zip_by_headers(&mut inside)?;
            }
        }
        self.archive(&inside, Format::Zip)
    }

    fn zip_by_directory(
        &mut self,
        directory: &Directory,
        inside: &mut Inside<'_>,
    ) -> Result<(), E> {
        let archive = inside.archive;
        let mut entries = directory.entries(&archive.stored);
        let mut packed_bytes = 0_u64;
        while !self.is_over {
            let entry = match entries.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => return self.problem(archive.uri.clone(), 0, error),
            };
            if !self.is_wanted(inside, &entry)? {
                continue;
            }
            // Members that share their bytes are how a small zip unpacks to petabytes.
            packed_bytes = packed_bytes.saturating_add(entry.packed_bytes.unwrap_or(0));
            if packed_bytes > archive.stored.size_bytes() {
                self.is_over = true;
                let error = ContainerError::new("bomb", "its members lie over each other");
                return self.problem(archive.uri.clone(), entry.offset, error);
            }
            let data = data_start(&archive.stored, &entry)
                .and_then(|at| ZipData::open(&archive.stored, &entry, at, &self.limits));
            match data {
                Ok(data) => {
                    let expected_bytes = entry.unpacked_bytes.unwrap_or(0);
                    let (stored, ending) = self.spool(data, expected_bytes, Some(&self.budget));
                    self.member(inside, &entry.name, stored, ending)?;
                }
                Err(error) => {
                    let uri = inside.address(&entry.name);
                    self.problem(uri, entry.offset, error)?;
                }
            }
            self.check_budget(archive, entry.offset)?;
        }
        Ok(())
    }

    fn zip_by_headers(&mut self, inside: &mut Inside<'_>) -> Result<(), E> {
        let archive = inside.archive;
        let mut salvage = Salvage::new(&archive.stored);
        while !self.is_over {
            let (entry, data_at) = match salvage.next() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => return self.problem(archive.uri.clone(), 0, error),
            };
            let known_end = entry
                .packed_bytes
                .map(|n_bytes| data_at.saturating_add(n_bytes));
            if self.is_wanted(inside, &entry)? {
                let data = ZipData::open(&archive.stored, &entry, data_at, &self.limits);
                match data {
                    Ok(mut data) => {
                        let expected_bytes = entry.unpacked_bytes.unwrap_or(0);
                        let (stored, ending) =
                            self.spool(&mut data, expected_bytes, Some(&self.budget));
                        salvage.go_to(data_at.saturating_add(data.taken_bytes()));
                        self.member(inside, &entry.name, stored, ending)?;
                    }
                    Err(error) => {
                        let uri = inside.address(&entry.name);
                        self.problem(uri, entry.offset, error)?;
                    }
                }
            } else if let Some(end) = known_end {
                salvage.go_to(end);
            }
            self.check_budget(archive, entry.offset)?;
        }
        Ok(())
    }

    /// Counts a member of a zip, names what cannot be read of it, and says whether it is to be read.
    fn is_wanted(&mut self, inside: &mut Inside<'_>, entry: &ZipEntry) -> Result<bool, E> {
        self.count(inside, entry.offset)?;
        if self.is_over || entry.is_folder() || is_passed_over(inside, &entry.name) {
            return Ok(false);
        }
        match entry.refusal() {
            Some(refusal) => {
                let uri = inside.address(&entry.name);
                self.problem(uri, entry.offset, refusal)?;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    fn member(
        &mut self,
        inside: &mut Inside<'_>,
        name: &str,
        stored: Stored,
        ending: Option<ContainerError>,
    ) -> Result<(), E> {
        self.object(Found {
            uri: inside.address(name),
            stored,
            ending,
            named_as_log: is_log_name(name),
            depth: inside.depth,
        })
    }

    fn count(&mut self, inside: &mut Inside<'_>, offset: u64) -> Result<(), E> {
        if self.members >= self.limits.archive_members {
            self.is_over = true;
            let detail = format!("more than {} members", self.limits.archive_members);
            let error = ContainerError::new("too-many-members", detail);
            return self.problem(inside.archive.uri.clone(), offset, error);
        }
        self.members += 1;
        inside.members += 1;
        Ok(())
    }

    /// Ends the walk where all together unpacks to too much.
    fn check_budget(&mut self, archive: &Found, offset: u64) -> Result<(), E> {
        match self.budget.check() {
            Err(error) if !self.is_over => {
                self.is_over = true;
                self.problem(archive.uri.clone(), offset, error)
            }
            _ => Ok(()),
        }
    }

    fn archive(&mut self, inside: &Inside<'_>, format: Format) -> Result<(), E> {
        (self.visitor)(Visit::Archive {
            uri: &inside.archive.uri,
            stored: &inside.archive.stored,
            format,
            members: inside.members,
            hidden: inside.hidden,
        })
    }
}

fn is_passed_over(inside: &mut Inside<'_>, name: &str) -> bool {
    let is_hidden = is_hidden_name(name);
    inside.hidden += u64::from(is_hidden);
    is_hidden
}
