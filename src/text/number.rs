//! Numbers as text: parsers and writers with small tables, because those of Rust's core library would be a tenth of the module.

use super::Out;

/// More digits than are needed to distinguish any double from its neighbours. Of further digits, it only matters whether they are all zero.
const MAX_DIGITS: usize = 800;

/// Parses a number: digits with a sign, a point or an exponent. Not `inf`, not `nan`, no spaces.
pub fn parse(text: &[u8]) -> Option<f64> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (integer, rest) = digits(rest);
    let (fraction, rest) = rest.strip_prefix(b".").map_or((&[][..], rest), digits);
    if integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', b'-', rest @ ..] => exponent(rest)?.checked_neg()?,
        [b'e' | b'E', b'+', rest @ ..] | [b'e' | b'E', rest @ ..] => exponent(rest)?,
        _ => return None,
    };
    let size = nearest(integer, fraction, exponent);
    Some(if negative { -size } else { size })
}

/// The double nearest to the digits times a power of ten.
fn nearest(integer: &[u8], fraction: &[u8], exponent: i32) -> f64 {
    let all = || integer.iter().chain(fraction).skip_while(|digit| **digit == b'0');
    let count = all().count();
    // The factor for the significant digits.
    let power = i64::from(exponent) - fraction.len() as i64 + count.saturating_sub(MAX_DIGITS) as i64;
    if count <= 15 && (-22..=22).contains(&power) {
        // Both are exact, so their product is rounded once.
        let number = all().fold(0u64, |n, digit| n * 10 + u64::from(digit - b'0')) as f64;
        let ten = (0..power.unsigned_abs()).fold(1.0, |ten, _| ten * 10.0);
        return if power < 0 { number / ten } else { number * ten };
    }
    let magnitude = count.min(MAX_DIGITS) as i64 + power;
    if count == 0 || magnitude < -330 {
        return 0.0;
    }
    if magnitude > 310 {
        return f64::INFINITY;
    }
    let mut above = Big(Vec::new());
    all().take(MAX_DIGITS).for_each(|digit| above.multiply_add(10, u32::from(digit - b'0')));
    if all().skip(MAX_DIGITS).any(|digit| *digit != b'0') {
        // No double has this many digits: knowing that the number is larger than these digits decides a tie.
        above.multiply_add(10, 1);
        return quotient(above, power - 1);
    }
    quotient(above, power)
}

/// `above` times a power of ten, rounded to even.
fn quotient(mut above: Big, power: i64) -> f64 {
    let mut below = Big(vec![1]);
    let scaled = if power < 0 { &mut below } else { &mut above };
    (0..power.unsigned_abs()).for_each(|_| scaled.multiply_add(10, 0));
    // Shift until below <= above < 2 * below: the quotient is 1.… times 2^shift.
    let mut shift = above.bits() - below.bits();
    if shift > 0 {
        below.shift(shift)
    } else {
        above.shift(-shift)
    }
    if above.is_below(&below) {
        above.shift(1);
        shift -= 1;
    }
    // A subnormal number has fewer bits.
    let bits = 53 - (-1022 - shift).max(0);
    if bits < 0 {
        return 0.0;
    }
    // One bit more than the result holds, by long division.
    let mut mantissa = 0u64;
    for _ in 0..=bits {
        mantissa <<= 1;
        if !above.is_below(&below) {
            above.subtract(&below);
            mantissa |= 1;
        }
        above.shift(1);
    }
    let rest = above.bits() > 0;
    let round = mantissa & 1 == 1 && (rest || mantissa & 2 == 2);
    // Exact: the number has no more bits than the result.
    let (mantissa, scale) = ((mantissa >> 1) + u64::from(round), shift - bits + 1);
    let half = |scale: i64| f64::from_bits(((scale + 1023) as u64) << 52);
    mantissa as f64 * half(scale / 2) * half(scale - scale / 2)
}

/// A whole number of any size, its lowest 32 bits first.
struct Big(Vec<u32>);

impl Big {
    fn multiply_add(&mut self, factor: u32, mut carry: u32) {
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + u64::from(carry);
            (*limb, carry) = (product as u32, (product >> 32) as u32);
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    fn bits(&self) -> i64 {
        let top = self.0.iter().rposition(|limb| *limb != 0);
        top.map_or(0, |at| at as i64 * 32 + 32 - i64::from(self.0[at].leading_zeros()))
    }

    /// Times two to the power of `by`.
    fn shift(&mut self, by: i64) {
        self.multiply_add(1 << (by % 32), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, (by / 32) as usize));
    }

    fn is_below(&self, other: &Big) -> bool {
        let limb = |big: &Big, at: usize| big.0.get(at).copied().unwrap_or(0);
        let highest = self.0.len().max(other.0.len());
        let differs = (0..highest).rev().find(|at| limb(self, *at) != limb(other, *at));
        differs.is_some_and(|at| limb(self, at) < limb(other, at))
    }

    /// Subtracts a number that is not larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        for (at, limb) in self.0.iter_mut().enumerate() {
            let (less, first) = limb.overflowing_sub(other.0.get(at).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            (*limb, borrow) = (less, first || second);
        }
    }
}

/// Parses a whole number: digits, optionally with a sign. `None` also for a number that needs more than 64 bits.
#[inline(never)]
pub fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    // Any 19 digits fit into u64.
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0, |size: u64, digit| size * 10 + u64::from(digit - b'0'));
    if text[0] == b'-' { 0_i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
}

/// Appends the digits of a whole number.
#[inline(never)]
pub fn write_integer(n: i64, out: &mut Out) {
    if n < 0 {
        out.push(b'-');
    }
    let from = out.len();
    let mut rest = n.unsigned_abs();
    while rest > 0 || out.len() == from {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
    out[from..].reverse();
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|digit| digit.is_ascii_digit()).count())
}

/// Beyond the range of doubles, all exponents are equivalent.
fn exponent(text: &[u8]) -> Option<i32> {
    let (number, rest) = digits(text);
    let size = number.iter().fold(0, |size, digit| (size * 10 + i32::from(digit - b'0')).min(100_000));
    (!number.is_empty() && rest.is_empty()).then_some(size)
}

/// Passes on the shortest text that reads back as the same number, in JSON's form: `0.3`, `1.0`, `1e300`. The number is finite.
pub fn text<T>(number: f64, f: impl FnOnce(&str) -> T) -> T {
    f(ryu::Buffer::new().format(number))
}

/// The number that hex digits write; `None` if there are none, more than a number has, or anything else among them, such as a sign.
pub fn from_hex(digits: &[u8]) -> Option<u64> {
    let fits = !digits.is_empty() && digits.len() <= 16;
    fits.then(|| digits.iter().try_fold(0, |number, digit| Some(number << 4 | u64::from(char::from(*digit).to_digit(16)?))))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hex_digits_are_digits_alone() {
        assert_eq!([&b"01aB"[..], b"0", b"ffffffffffffffff"].map(from_hex), [Some(0x1ab), Some(0), Some(u64::MAX)]);
        assert_eq!([&b""[..], b"+1ab", b"-001", b"00g0", b"00000000000000000", b"\xc3\xa9"].map(from_hex), [None; 6]);
    }

    #[test]
    fn numbers_and_what_is_none() {
        for (text, number) in
            [("0.3", 0.3), ("-1", -1.0), ("+2.50", 2.5), ("1e3", 1e3), ("12E-1", 1.2), (".5", 0.5), ("5.", 5.0), ("000.100", 0.1)]
        {
            assert_eq!(parse(text.as_bytes()), Some(number), "{text}");
        }
        for (text, number) in
            [("9223372036854775808", None), ("-9223372036854775808", Some(i64::MIN)), ("+7", Some(7)), ("", None), ("-", None)]
        {
            assert_eq!(integer(text.as_bytes()), number, "{text}");
        }
        assert_eq!(parse(b"1e999999999999"), Some(f64::INFINITY));
        assert_eq!(parse(b"0e999999999999"), Some(0.0));
        for text in ["", "-", ".", "e5", "1e", "1e+", "inf", "NaN", "1 ", "0x10", "1.2.3", "--1"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        for (number, expected) in [(0.3, "0.3"), (1.0, "1.0"), (-57.0, "-57.0"), (1e300, "1e300"), (0.0, "0.0")] {
            assert_eq!(text(number, str::to_owned), expected);
        }
    }

    #[test]
    fn ties_and_the_ends_of_the_range_are_rounded_as_they_must() {
        let long = format!("1.{}1", "0".repeat(900));
        let just_over_half = format!("9007199254740993.{}1", "0".repeat(900));
        for text in [
            "9007199254740993", // 2^53 + 1: halfway between two doubles
            "9007199254740995",
            "9007199254740993.0000000000000000000000000000000001",
            &just_over_half,
            &long,
            "2.2250738585072011e-308", // the largest subnormal
            "2.2250738585072014e-308", // the smallest normal
            "4.9406564584124654e-324",
            "2.4703282292062327e-324", // half the smallest
            "2.4703282292062328e-324",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308", // past the largest
            "1e-400",
            "123456789012345678901234567890e-340",
            "0.000000000000000000000000000000000000000000001e45",
        ] {
            assert_eq!(parse(text.as_bytes()).map(f64::to_bits), text.parse().ok().map(f64::to_bits), "{text}");
        }
    }

    proptest! {
        #[test]
        fn halfway_points_are_rounded_as_the_core_library_does(bits in 0u64..0x7fe0_0000_0000_0000, tail in "[0-9]{0,30}") {
            // More digits of a double than it needs, and what lies near the middle between it and the next.
            let (low, high) = (f64::from_bits(bits), f64::from_bits(bits + 1));
            for text in [format!("{low:.400e}"), format!("{:e}", low), format!("{:.60e}", low + (high - low) / 2.0)] {
                let text = text.replacen('e', &format!("{tail}e"), 1);
                prop_assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{}", text);
            }
        }

        #[test]
        fn reads_as_the_core_library_does(text in "[+-]?[0-9]{1,25}(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
            prop_assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{}", text);
        }

        #[test]
        fn whole_numbers_read_back(number: i64) {
            let arena = bumpalo::Bump::new();
            let mut text = Out::new_in(&arena);
            write_integer(number, &mut text);
            prop_assert_eq!(String::from_utf8_lossy(&text).into_owned(), number.to_string());
            prop_assert_eq!(integer(&text), Some(number));
        }

        #[test]
        fn what_is_written_reads_back(number in any::<f64>().prop_filter("no text for it", |n| n.is_finite())) {
            text(number, |text| {
                prop_assert_eq!(parse(text.as_bytes()), Some(number));
                prop_assert_eq!(text.parse(), Ok(number));
                Ok(())
            })?;
        }
    }
}
