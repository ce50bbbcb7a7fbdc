//! Git objects as a pack with its index: what `git index-pack` would make of them, without git.
//!
//! Pack version 2 and index version 2 (git's `gitformat-pack`), no deltas. Level 1 of zlib: on a rendered template it
//! takes about a fifth less time than level 6 for packs a few percent larger, and the commit id doesn't depend on it.

use flate2::{Compress, Compression, FlushCompress, Status};

use super::object::{Object, ObjectId, Objects};

/// A commit and everything it needs, ready to be written as `pack-NAME.pack` and `pack-NAME.idx`.
#[derive(Debug)]
pub struct Pack {
    /// The commit in it.
    pub commit: ObjectId,
    /// The name that the two files carry: the checksum at the pack's end.
    pub name: ObjectId,
    /// The pack.
    pub pack: Vec<u8>,
    /// Its index.
    pub idx: Vec<u8>,
}

/// zlib gave up; its own limits are far beyond those of a tree, so this has no known cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file could not be compressed")]
pub struct PackError;

/// Packs the objects of one commit.
pub fn pack(objects: &Objects<'_>) -> Result<Pack, PackError> {
    let bytes: usize = objects.list.iter().map(|object| object.content.len()).sum();
    let mut pack = Vec::with_capacity(bytes / 2 + 4096);
    pack.extend_from_slice(b"PACK\0\0\0\x02");
    pack.extend_from_slice(&count(objects.list.len()));
    let mut zlib = Compress::new(Compression::new(1), true);
    let mut entries = Vec::with_capacity(objects.list.len());
    for object in &objects.list {
        let offset = pack.len();
        put_object(&mut pack, object, &mut zlib)?;
        entries.push(Indexed {
            id: object.id,
            offset,
            crc: crc32fast::hash(&pack[offset..]),
        });
    }
    let name = ObjectId::digest(&pack);
    pack.extend_from_slice(name.as_bytes());
    Ok(Pack {
        commit: objects.commit,
        name,
        idx: index(entries, name),
        pack,
    })
}

/// Size and kind in git's variable-length form (4 bits of size beside the kind, then 7 a byte), then the content.
fn put_object(
    pack: &mut Vec<u8>,
    object: &Object<'_>,
    zlib: &mut Compress,
) -> Result<(), PackError> {
    let mut size = object.content.len();
    let mut byte = (object.kind as u8) << 4 | low_bits(size, 4);
    size >>= 4;
    while size > 0 {
        pack.push(byte | 0x80);
        byte = low_bits(size, 7);
        size >>= 7;
    }
    pack.push(byte);
    deflate(&object.content, pack, zlib)
}

/// One state for all objects: setting it up costs more than compressing a small file.
fn deflate(content: &[u8], pack: &mut Vec<u8>, zlib: &mut Compress) -> Result<(), PackError> {
    zlib.reset();
    loop {
        pack.reserve(content.len() / 2 + 256);
        let done = usize::try_from(zlib.total_in()).map_err(|_| PackError)?;
        match zlib.compress_vec(&content[done..], pack, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(Status::Ok) => {}
            Ok(Status::BufError) | Err(_) => return Err(PackError),
        }
    }
}

struct Indexed {
    id: ObjectId,
    offset: usize,
    crc: u32,
}

fn index(mut entries: Vec<Indexed>, pack: ObjectId) -> Vec<u8> {
    entries.sort_unstable_by_key(|entry| entry.id);
    let mut idx = Vec::with_capacity(8 + 256 * 4 + entries.len() * 28 + 40);
    idx.extend_from_slice(b"\xfftOc\0\0\0\x02");
    for first in 0..=u8::MAX {
        idx.extend_from_slice(&count(
            entries.partition_point(|entry| entry.id.as_bytes()[0] <= first),
        ));
    }
    for entry in &entries {
        idx.extend_from_slice(entry.id.as_bytes());
    }
    for entry in &entries {
        idx.extend_from_slice(&entry.crc.to_be_bytes());
    }
    for entry in &entries {
        idx.extend_from_slice(&count(entry.offset));
    }
    idx.extend_from_slice(pack.as_bytes());
    let sum = ObjectId::digest(&idx);
    idx.extend_from_slice(sum.as_bytes());
    idx
}

/// A number as both formats write it. The limits of a tree keep each far below 2^31, where indexes would need a
/// second table.
fn count(n: usize) -> [u8; 4] {
    const { assert!(crate::domain::tree::MAX_BYTES < (1 << 30)) };
    u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the mask leaves at most seven bits"
)]
fn low_bits(n: usize, bits: u32) -> u8 {
    (n & ((1 << bits) - 1)) as u8
}
