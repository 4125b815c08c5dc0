//! Waiting on conditions, and comparing JSON by subset.
//!
//! Tests never sleep for a fixed time: they name what must become true, and how long that may take. When time is up
//! the failure carries the last answer seen, which is nearly always all one needs to know.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::{Failure, Result};

const POLL: Duration = Duration::from_millis(100);

/// Polls `condition` until it is `Ok`; after `timeout` fails with its last error.
pub fn wait_until<T>(timeout: Duration, what: &str, mut condition: impl FnMut() -> Result<T>) -> Result<T> {
    let (start, timeout) = (Instant::now(), timeout * patience());
    loop {
        match condition() {
            Ok(value) => return Ok(value),
            Err(last) if start.elapsed() >= timeout => {
                let secs = timeout.as_secs_f32();
                return Err(Failure::new(format!(
                    "after {secs:.0} s still not true: {what}; last seen: {last}"
                )));
            }
            Err(_) => std::thread::sleep(POLL),
        }
    }
}

/// How many times longer than on a machine of its own everything may take (`$FERRITE_PATIENCE`).
pub fn patience() -> u32 {
    std::env::var("FERRITE_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// Checks throughout `span` that `condition` holds; the first error ends it.
pub fn holds_for(span: Duration, what: &str, mut condition: impl FnMut() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < span {
        condition().map_err(|e| e.during(&format!("did not stay true: {what}")))?;
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Whether `actual` holds everything that `expected` has.
///
/// Objects: every expected key must be there and match; `null` demands that the key is absent (or null).
/// Arrays: every expected element must match an element of its own, in any order. Scalars must be equal.
/// The error names the path of the first mismatch.
pub fn json_contains(expected: &Value, actual: &Value) -> Result<()> {
    compare("$", expected, actual)
}

fn compare(path: &str, expected: &Value, actual: &Value) -> Result<()> {
    match (expected, actual) {
        (Value::Object(want), Value::Object(have)) => {
            for (key, want) in want {
                let path = format!("{path}.{key}");
                match (want, have.get(key)) {
                    (Value::Null, None | Some(Value::Null)) => {}
                    (Value::Null, Some(value)) => {
                        return Err(Failure::new(format!("{path}: should be absent, is {}", brief(value))));
                    }
                    (want, Some(have)) => compare(&path, want, have)?,
                    (want, None) => {
                        return Err(Failure::new(format!("{path}: missing, should be {}", brief(want))));
                    }
                }
            }
            Ok(())
        }
        (Value::Array(want), Value::Array(have)) => compare_arrays(path, want, have),
        (want, have) if want == have => Ok(()),
        (want, have) => Err(Failure::new(format!("{path}: should be {}, is {}", brief(want), brief(have)))),
    }
}

fn compare_arrays(path: &str, want: &[Value], have: &[Value]) -> Result<()> {
    let mut taken = vec![false; have.len()];
    for (index, want) in want.iter().enumerate() {
        let mut first_error = None;
        let found = have.iter().zip(taken.iter_mut()).find(|(have, taken)| {
            if **taken {
                return false;
            }
            match compare(&format!("{path}[{index}]"), want, have) {
                Ok(()) => true,
                Err(error) => {
                    first_error.get_or_insert(error);
                    false
                }
            }
        });
        match found {
            Some((_, taken)) => *taken = true,
            None => {
                return Err(first_error.unwrap_or_else(|| {
                    Failure::new(format!("{path}[{index}]: no element left to be {}", brief(want)))
                }));
            }
        }
    }
    Ok(())
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 400 { text.chars().take(400).collect::<String>() + "..." } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mismatch(expected: Value, actual: Value) -> String {
        json_contains(&expected, &actual).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_subset_matches_and_extra_keys_do_not_matter() {
        assert_eq!(mismatch(json!({"a": 1}), json!({"a": 1, "b": 2})), "");
    }

    #[test]
    fn the_error_names_the_path_of_the_first_mismatch() {
        let text = mismatch(json!({"a": {"b": [{"c": 1}]}}), json!({"a": {"b": [{"c": 2}]}}));
        assert_eq!(text, "$.a.b[0].c: should be 1, is 2");
    }

    #[test]
    fn array_elements_match_in_any_order_but_only_once() {
        assert_eq!(mismatch(json!([2, 1]), json!([1, 2, 3])), "");
        assert!(mismatch(json!([1, 1]), json!([1, 2])).starts_with("$[1]"));
    }

    #[test]
    fn null_demands_absence() {
        assert_eq!(mismatch(json!({"a": null}), json!({})), "");
        assert_eq!(mismatch(json!({"a": null}), json!({"a": 0})), "$.a: should be absent, is 0");
    }
}
