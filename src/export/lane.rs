//! A first-in, first-out buffer of encoded spans, in pieces of memory that are neither moved nor doubled, so that it takes little more memory than the spans.

use crate::protobuf::{push_varint, varint_len};
use std::collections::VecDeque;

/// The size of a piece is a sixteenth of the content, within these limits, in bytes; larger for a larger span.
const PIECE: [usize; 2] = [16 << 10, 1 << 20];
/// Emptied pieces of this size in total, in bytes, are kept for reuse: an allocator may return larger ones to the system, which costs more than
/// filling them.
const SPARE_BYTES: usize = 4 << 20;
const SPANS_TAG: u8 = 0x12;

/// The resource and the scope of a span, by their numbers in the host's dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its resource.
    pub resource: u32,
    /// Its scope.
    pub scope: u32,
}

/// A span waiting in the queue.
#[derive(Debug)]
pub struct Queued {
    pub place: Place,
    /// Its time of arrival, in ms.
    pub at: f64,
    /// Arrival order, counted over the queue's lifetime.
    pub number: u64,
    length: u32,
    /// The number of its piece, and its offset there.
    piece: u32,
    start: u32,
}

impl Queued {
    /// Its size in a `ScopeSpans`, in bytes.
    pub fn length(&self) -> usize {
        self.length as usize
    }
}

/// The buffer.
#[derive(Debug, Default)]
pub struct Lane {
    spans: VecDeque<Queued>,
    pieces: VecDeque<Vec<u8>>,
    /// The number of the first piece.
    first_piece: u32,
    /// Emptied pieces, for reuse.
    spares: Vec<Vec<u8>>,
    spare_bytes: usize,
    bytes: usize,
}

/// The size of a span in a `ScopeSpans`, in bytes.
pub fn whole(fields: [&[u8]; 2]) -> usize {
    let length = fields[0].len() + fields[1].len();
    1 + varint_len(length as u64) + length
}

impl Lane {
    /// Adds a span: the fields of its message, in two parts.
    pub fn push(&mut self, place: Place, fields: [&[u8]; 2], at: f64, number: u64) {
        let length = whole(fields);
        let room = |piece: &&mut Vec<u8>| piece.capacity() - piece.len() >= length;
        if self.pieces.back_mut().as_ref().is_none_or(|piece| !room(piece)) {
            let size = (self.bytes / 16).clamp(PIECE[0], PIECE[1]).max(length);
            let spare = self.spare(size, length);
            self.pieces.push_back(spare.unwrap_or_else(|| Vec::with_capacity(size)));
        }
        let piece = self.first_piece.wrapping_add(self.pieces.len() as u32 - 1);
        let Some(last) = self.pieces.back_mut() else { return };
        let start = last.len() as u32;
        last.push(SPANS_TAG);
        push_varint(last, (fields[0].len() + fields[1].len()) as u64);
        fields.iter().for_each(|part| last.extend_from_slice(part));
        self.bytes += length;
        self.spans.push_back(Queued { place, at, number, length: length as u32, piece, start });
    }

    /// Number of spans.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Size of the spans, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest span, or the one at this distance from it.
    pub fn get(&self, index: usize) -> Option<&Queued> {
        self.spans.get(index)
    }

    /// Returns the position of the first span with this number or a higher one.
    pub fn position(&self, number: u64) -> usize {
        self.spans.partition_point(|span| span.number < number)
    }

    /// The resource and scope of each span.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.spans.iter().map(|span| span.place)
    }

    /// The bytes of a span, ready for a `ScopeSpans`.
    pub fn bytes_of(&self, index: usize) -> &[u8] {
        let Some(span) = self.spans.get(index) else { return &[] };
        let piece = self.pieces.get(span.piece.wrapping_sub(self.first_piece) as usize);
        piece.and_then(|piece| piece.get(span.start as usize..)?.get(..span.length())).unwrap_or_default()
    }

    /// Drops the oldest span.
    pub fn drop_first(&mut self) {
        let Some(span) = self.spans.pop_front() else { return };
        self.bytes -= span.length();
        let needed = self.spans.front().map_or(self.first_piece.wrapping_add(self.pieces.len() as u32), |span| span.piece);
        while self.first_piece != needed
            && let Some(spent) = self.pieces.pop_front()
        {
            self.first_piece = self.first_piece.wrapping_add(1);
            self.keep(spent);
        }
    }

    /// Drops the newest span.
    pub fn drop_last(&mut self) {
        let Some(span) = self.spans.pop_back() else { return };
        self.bytes -= span.length();
        if let Some(last) = self.pieces.back_mut() {
            last.truncate(span.start as usize);
        }
        if span.start == 0
            && let Some(spent) = self.pieces.pop_back()
        {
            self.keep(spent);
        }
    }

    fn keep(&mut self, mut spent: Vec<u8>) {
        if self.spare_bytes + spent.capacity() <= SPARE_BYTES {
            spent.clear();
            self.spare_bytes += spent.capacity();
            self.spares.push(spent);
        }
    }

    /// An emptied piece for a span of this length, if there is one of about this size. One of another size is dropped, so that it makes room.
    fn spare(&mut self, size: usize, length: usize) -> Option<Vec<u8>> {
        // A piece of half the size would soon be full.
        let fits = |spare: &Vec<u8>| spare.capacity() * 2 > size && spare.capacity() >= length;
        let at = self.spares.iter().position(fits);
        let spare = (!self.spares.is_empty()).then(|| self.spares.swap_remove(at.unwrap_or(0)))?;
        self.spare_bytes -= spare.capacity();
        Some(spare).filter(|_| at.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place = Place { resource: 1, scope: 1 };

    proptest! {
        /// Beside a plain queue of byte vectors.
        #[test]
        fn what_was_pushed_stands_there_until_it_is_dropped(steps in prop::collection::vec((0..4_u8, 0..40_000_usize), 1..200)) {
            let (mut lane, mut plain) = (Lane::default(), VecDeque::new());
            for (number, (step, length)) in steps.into_iter().enumerate() {
                match step {
                    0 => {
                        lane.drop_first();
                        plain.pop_front();
                    }
                    1 if number % 3 == 0 => {
                        lane.drop_last();
                        plain.pop_back();
                    }
                    _ => {
                        let text = vec![number as u8; length];
                        lane.push(PLACE, [&text[..length / 3], &text[length / 3..]], 0.0, number as u64);
                        let mut message = vec![0x12];
                        push_varint(&mut message, length as u64);
                        message.extend(text);
                        plain.push_back(message);
                    }
                }
                prop_assert_eq!(lane.len(), plain.len());
                prop_assert_eq!(lane.bytes(), plain.iter().map(Vec::len).sum::<usize>());
                prop_assert!(plain.iter().enumerate().all(|(i, message)| lane.bytes_of(i) == message));
            }
        }
    }

    #[test]
    fn memory_is_little_more_than_the_spans() {
        let mut lane = Lane::default();
        for number in 0..20_000 {
            lane.push(PLACE, [&[7; 1_000], &[]], 0.0, number);
        }
        let held: usize = lane.pieces.iter().map(Vec::capacity).sum::<usize>() + lane.spare_bytes;
        assert!(held < lane.bytes() * 17 / 16, "{held} for {}", lane.bytes());
        (0..20_000).for_each(|_| lane.drop_first());
        assert_eq!((lane.bytes(), lane.pieces.len()), (0, 0));
        assert!(lane.spare_bytes <= SPARE_BYTES);
    }

    #[test]
    fn emptied_pieces_are_used_again() {
        let mut lane = Lane::default();
        let mut addresses = std::collections::HashSet::new();
        for number in 0..20_000 {
            lane.push(PLACE, [&[7; 1_000], &[]], 0.0, number);
            addresses.extend(lane.pieces.back().map(|piece| piece.as_ptr()));
            if lane.len() > 1_000 {
                lane.drop_first();
            }
            assert_eq!(lane.spare_bytes, lane.spares.iter().map(Vec::capacity).sum::<usize>());
        }
        // 16 for a full content, and those of smaller sizes before.
        assert!(addresses.len() < 64, "{} pieces for 20 times what is ever held", addresses.len());
    }
}
