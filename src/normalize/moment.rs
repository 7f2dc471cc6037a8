//! Moments in time: ISO 8601 to nanoseconds since 1970, and back.

use crate::span::Value;
use crate::text::unquote;

/// Text that is read from its beginning.
struct Cursor<'t>(&'t [u8]);

impl Cursor<'_> {
    /// Skips one of these bytes, if it comes next.
    #[inline(never)]
    fn skip(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| bytes.contains(first))?;
        self.0 = rest;
        Some(*first)
    }

    /// The number that comes next, and how many digits it has: nine at most.
    #[inline(never)]
    fn number(&mut self) -> Option<(i64, u32)> {
        let (mut n, mut count) = (0, 0);
        while let Some(digit) = self.skip(b"0123456789") {
            (n, count) = (n * 10 + i64::from(digit - b'0'), count + 1);
            if count == 9 {
                break;
            }
        }
        (count > 0).then_some((n, count))
    }

    /// The number behind one of these bytes, within a range.
    #[inline(never)]
    fn part(&mut self, behind: &[u8], from: i64, to: i64) -> Option<i64> {
        self.skip(behind)?;
        self.number().map(|(n, _)| n).filter(|n| (from..=to).contains(n))
    }
}

/// Nanoseconds since 1970 of an ISO 8601 moment (`2026-11-24T00:15:39.116666Z`, offset or none; none is UTC).
pub fn moment(text: &[u8]) -> Option<u64> {
    let mut text = Cursor(unquote(text.trim_ascii()));
    let year = text.number()?.0;
    let (month, day) = (text.part(b"-", 1, 12)?, text.part(b"-", 1, 31)?);
    let (hour, minute) = (text.part(b"T ", 0, 23)?, text.part(b":", 0, 59)?);
    let second = if text.0.starts_with(b":") { text.part(b":", 0, 60)? } else { 0 };
    let mut nanos = 0;
    if text.skip(b".").is_some() {
        let (fraction, places) = text.number().unwrap_or((0, 9));
        nanos = fraction * 10_i64.pow(9 - places);
        while text.skip(b"0123456789").is_some() {}
    }
    let offset = match text.skip(b"Z+-") {
        None if !text.0.is_empty() => return None,
        None | Some(b'Z') => 0,
        Some(sign) => {
            let (n, places) = text.number()?;
            let n = if text.skip(b":").is_some() { n * 100 + text.number()?.0 } else { n * if places <= 2 { 100 } else { 1 } };
            if n > 9_999 {
                return None;
            }
            let seconds = (n / 100 * 60 + n % 100) * 60;
            if sign == b'-' { -seconds } else { seconds }
        }
    };
    if !(1970..=2200).contains(&year) {
        return None;
    }
    // Whole days, by Hinnant's algorithm.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    // Up to the year 2200 it fits.
    u64::try_from(seconds * 1_000_000_000 + nanos).ok()
}

/// A moment in ns since 1970 as ISO 8601 text, in microseconds, or in nanoseconds where it has them.
pub fn iso_8601(nanos: u64) -> String {
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (year, month, day) = civil_from_days(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    for (end, width, mut n) in
        [(4, 4, year), (7, 2, month), (10, 2, day), (13, 2, hour), (16, 2, minute), (19, 2, second), (29, 9, fraction)]
    {
        for digit in text[end - width..end].iter_mut().rev() {
            *digit = b'0' + (n % 10) as u8;
            n /= 10;
        }
    }
    let micros = fraction.is_multiple_of(1_000);
    if micros {
        text[26] = b'Z';
    }
    String::from_utf8_lossy(&text[..if micros { 27 } else { 30 }]).into_owned()
}

/// Nanoseconds since 1970 of a moment as `moment` reads it, or in milliseconds since 1970.
pub fn instant(value: &Value) -> Option<u64> {
    match *value {
        Value::Str(text) => moment(text),
        Value::Int(millis) => u64::try_from(millis).ok()?.checked_mul(1_000_000),
        // The whole milliseconds apart: a double has no digits for all of it.
        Value::Double(millis) if millis > 0.0 && millis < 9.0e12 => Some(millis as u64 * 1_000_000 + (millis.fract() * 1e6) as u64),
        _ => None,
    }
}

/// Year, month and day of so many days since 1970-01-01 (Hinnant's algorithm).
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_as_text() {
        assert_eq!(iso_8601(1_795_479_339_116_666_000), "2026-11-24T00:15:39.116666Z");
        assert_eq!(iso_8601(1_709_164_800_000_000_001), "2024-02-29T00:00:00.000000001Z");
        for nanos in [0, 951_782_400_000_000_000, 1_704_067_199_999_999_999, 4_107_542_400_000_001_000] {
            assert_eq!(moment(iso_8601(nanos).as_bytes()), Some(nanos));
        }
    }

    #[test]
    fn moments_in_every_spelling_that_sdks_use() {
        let expected = Some(1_795_479_339_116_666_000);
        for text in [
            "2026-11-24T00:15:39.116666Z",
            "\"2026-11-24T00:15:39.116666Z\"",
            "2026-11-24T08:15:39.116666+08:00",
            "2026-11-24 00:15:39.116666",
        ] {
            assert_eq!(moment(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(moment(b"1970-01-01T00:00:01Z"), Some(1_000_000_000));
        assert_eq!(moment(b"2024-02-29T00:00:00Z"), Some(1_709_164_800_000_000_000));
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24T00:15:39.1x"] {
            assert_eq!(moment(text.as_bytes()), None, "{text}");
        }
    }
}
