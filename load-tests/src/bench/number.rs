//! Numbers as people read them.

/// About three significant digits, and a comma at each thousand: `0.372`, `4.06`, `11.5`, `387,412`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if value.fract() == 0.0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{size:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let rest = rest.trim_end_matches('0');
    let sign = if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { "−" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{rest}", thousands(whole))
}

/// A duration in whole seconds, or minutes and seconds.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped, and a day is far below"
    )]
    let seconds = seconds.round().clamp(0.0, 1e9) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

fn thousands(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_about_three_digits_and_lose_needless_zeros() {
        let cases = [
            (0.0, "0"),
            (0.371_96, "0.372"),
            (0.000_2, "0"),
            (-0.000_2, "0"),
            (-1.5, "−1.5"),
            (4.064, "4.06"),
            (11.52, "11.5"),
            (12.0, "12"),
            (999.4, "999"),
            (1_000.0, "1,000"),
            (387_412.3, "387,412"),
            (1_234_567.0, "1,234,567"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn durations_have_minutes_from_a_minute_on() {
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(59.6), "1 min 00 s");
        assert_eq!(duration(150.0), "2 min 30 s");
    }
}
