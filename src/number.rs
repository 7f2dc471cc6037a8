//! Decimal numbers as text: the parsers and the writers, all with small tables, since the core library's are a tenth of the module.

use crate::json::Out;

/// The number that a text is: digits with a sign, a point or an exponent. No `inf`, no `nan`, no space.
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
    let leading = integer.iter().take_while(|digit| **digit == b'0').count();
    let trailing = fraction.iter().rev().take_while(|digit| **digit == b'0').count();
    let size: f64 = minimal_lexical::parse_float(integer[leading..].iter(), fraction[..fraction.len() - trailing].iter(), exponent);
    Some(if negative { -size } else { size })
}

/// The whole number that a text is: digits, maybe a sign. `None` for one that takes more than 64 bits, too.
#[inline(never)]
pub fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    // 19 digits fit u64, whatever they are.
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

/// Past what a double can be, one exponent is as good as another.
fn exponent(text: &[u8]) -> Option<i32> {
    let (number, rest) = digits(text);
    let size = number.iter().fold(0, |size, digit| (size * 10 + i32::from(digit - b'0')).min(100_000));
    (!number.is_empty() && rest.is_empty()).then_some(size)
}

/// Hands on the shortest text that reads back as the same number, as JSON has it: `0.3`, `1.0`, `1e300`. The number is finite.
pub fn text<T>(number: f64, f: impl FnOnce(&str) -> T) -> T {
    f(ryu::Buffer::new().format(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
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
