//! Figures out of the JSON of a scenario, by name.

use serde_json::Value;

use crate::statistics::median;

/// All numbers at `pointer`, a JSON pointer (RFC 6901) in which `*` stands for every element of an array. An array of
/// numbers at its end stands for its elements. Empty where there is nothing of the kind.
pub(super) fn pick(value: &Value, pointer: &str) -> Vec<f64> {
    let mut found = vec![value];
    for key in pointer.split('/').skip(1) {
        let children = found.into_iter().flat_map(|value| match (key, value) {
            ("*", Value::Array(elements)) => elements.iter().collect(),
            (key, Value::Array(elements)) => {
                key.parse::<usize>().ok().and_then(|index| elements.get(index)).into_iter().collect()
            }
            (key, value) => value.get(key).into_iter().collect::<Vec<_>>(),
        });
        found = children.collect();
    }
    let numbers = found.into_iter().flat_map(|value| match value {
        Value::Array(elements) => elements.iter().filter_map(Value::as_f64).collect(),
        other => other.as_f64().into_iter().collect::<Vec<_>>(),
    });
    numbers.collect()
}

/// The least, the middle and the largest of some values, and these as they came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    pub(super) values: Vec<f64>,
    pub(super) least: f64,
    pub(super) median: f64,
    pub(super) most: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(super) fn of(values: Vec<f64>) -> Option<Spread> {
        let median = median(&values)?;
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Spread { values, least, median, most })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_every_element() {
        let figures =
            json!({"turns": [{"rate": 3, "cpu": [1, 2]}, {"rate": 5.5}, {}], "ratio": 0.5, "no": null});
        assert_eq!(pick(&figures, "/turns/*/rate"), [3.0, 5.5]);
        assert_eq!(pick(&figures, "/turns/0/cpu"), [1.0, 2.0]);
        assert_eq!(pick(&figures, "/turns/1/rate"), [5.5]);
        assert_eq!(pick(&figures, "/ratio"), [0.5]);
        for nothing in ["/no", "/turns", "/turns/7/rate", "/other/*/rate", "/ratio/*"] {
            assert!(pick(&figures, nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn a_spread_has_the_ends_and_the_middle() {
        let spread = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 3.0));
        assert_eq!(spread.values, [3.0, 1.0, 2.0]);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
