//! Operations on bytes that work on whole words: WebAssembly's own are a call of the engine (copying) or run byte by byte (comparing).

/// Copies to a destination of the same length. Most texts are short, and WebAssembly's copy instruction calls the engine, which costs some ten times
/// as much as a few overlapping words.
#[inline(always)]
pub fn copy(from: &[u8], to: &mut [u8]) {
    if from.len() > 64 { to.copy_from_slice(from) } else { copy_short(from, to) }
}

#[inline(never)]
fn copy_short(from: &[u8], to: &mut [u8]) {
    fn ends<const N: usize>(from: &[u8], to: &mut [u8]) -> Option<()> {
        *to.first_chunk_mut()? = *from.first_chunk::<N>()?;
        *to.last_chunk_mut()? = *from.last_chunk::<N>()?;
        Some(())
    }
    match from.len() {
        33.. => {
            let half = from.len() / 2;
            ends::<16>(&from[..half], &mut to[..half]);
            ends::<16>(&from[half..], &mut to[half..]);
        }
        16.. => _ = ends::<16>(from, to),
        8.. => _ = ends::<8>(from, to),
        4.. => _ = ends::<4>(from, to),
        2.. => _ = ends::<2>(from, to),
        1 => to[0] = from[0],
        0 => {}
    }
}

/// Returns true if they are equal.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let equal = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*a) == u64::from_le_bytes(*b);
    a.len() == b.len() && a_words.iter().zip(b_words).all(equal) && a_rest.iter().zip(b_rest).all(|(a, b)| a == b)
}

/// Number of bytes at the start of a text that a JSON string contains unescaped. The result may be up to seven too small.
pub fn plain(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // The highest bit of each byte is the result; a borrow may also set that of the byte above.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS;
    let is_plain = |bytes: &&[u8; 8]| {
        let word = u64::from_le_bytes(**bytes);
        let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        below(word, b' ') | is(b'"') | is(b'\\') == 0
    };
    text.as_chunks().0.iter().take_while(is_plain).count() * 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_copy_of_any_length_is_all_of_it_and_no_more() {
        let text: Vec<u8> = (0..200).collect();
        for length in 0..text.len() {
            let mut to = [0xff; 200];
            copy(&text[..length], &mut to[..length]);
            assert_eq!((&to[..length], to[length..].iter().all(|byte| *byte == 0xff)), (&text[..length], true), "{length}");
        }
    }

    proptest! {
        #[test]
        fn words_say_what_bytes_say(a: Vec<u8>, b: Vec<u8>, at: prop::sample::Index) {
            prop_assert_eq!(equal(&a, &b), a == b);
            prop_assert!(equal(&a, &a.clone()));
            let mut other = a.clone();
            if !other.is_empty() {
                let at = at.index(other.len());
                other[at] ^= 1;
                prop_assert!(!equal(&a, &other));
            }
            let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
            let first = a.iter().position(|byte| !is_plain(byte)).unwrap_or(a.len());
            prop_assert_eq!(plain(&a), first / 8 * 8);
        }
    }
}
