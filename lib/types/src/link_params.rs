//! What a link offers to traffic engineering (RFC 5305, RFC 7471, RFC 5392), as zebra's configuration says it and routing
//! protocols announce it.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::ParseError;

/// Octets per second, as the wire has it: an IEEE single (RFC 5305 §3.4).
#[derive(Clone, Copy, Debug, Default)]
pub struct Bandwidth(pub f32);

impl PartialEq for Bandwidth {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Bandwidth {}

impl FromStr for Bandwidth {
    type Err = ParseError;

    /// Not negative, and a number.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let value: f32 = text.parse().map_err(|_| ParseError::new(text, "octets per second"))?;
        if value.is_finite() && value.is_sign_positive() {
            Ok(Self(value))
        } else {
            Err(ParseError::new(text, "octets per second"))
        }
    }
}

/// Significant digits that are written.
const DIGITS: i32 = 6;

impl fmt::Display for Bandwidth {
    /// As C's `%g`: six digits, no zeros at the end, an exponent where the number is large or small.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0.0 {
            return f.write_str("0");
        }
        let text = format!("{:.*e}", (DIGITS - 1) as usize, self.0);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let trim = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
        if (-4..DIGITS).contains(&exponent) {
            let decimals = (DIGITS - 1 - exponent).max(0) as usize;
            let text = format!("{:.decimals$}", self.0);
            return f.write_str(&if text.contains('.') { trim(&text) } else { text });
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{}e{sign}{:02}", trim(digits), exponent.abs())
    }
}

/// Millionths of a percent; the line gives at most six decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Loss(pub u32);

impl Loss {
    /// RFC 7471 §4.4: 24 bits of 0.000003 %.
    const MAX: f64 = 50.331_642;

    pub fn percent(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl FromStr for Loss {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a percentage up to 50.331642");
        let value: f64 = text.parse().map_err(|_| error())?;
        if (0.0..=Self::MAX).contains(&value) { Ok(Self((value * 1e6).round() as u32)) } else { Err(error()) }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.percent())
    }
}

/// Microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delay {
    pub average: u32,
    pub bounds: Option<(u32, u32)>,
}

/// What zebra's `link-params` node says, and what clients are told: those are told every bandwidth of the first three kinds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkParams {
    pub metric: Option<u32>,
    pub max_bandwidth: Option<Bandwidth>,
    pub max_reservable: Option<Bandwidth>,
    /// By class type.
    pub unreserved: [Option<Bandwidth>; 8],
    pub residual: Option<Bandwidth>,
    pub available: Option<Bandwidth>,
    pub utilized: Option<Bandwidth>,
    pub admin_group: Option<u32>,
    /// RFC 7308, 32 bits a word, the lowest first.
    pub extended_group: Vec<u32>,
    pub neighbor: Option<(Ipv4Addr, u32)>,
    pub delay: Option<Delay>,
    pub delay_variation: Option<u32>,
    pub loss: Option<Loss>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (text, written) in [
            ("1e9", "1e+09"),
            ("1250000", "1.25e+06"),
            ("125000", "125000"),
            ("0", "0"),
            ("0.5", "0.5"),
            ("123456.7", "123457"),
            ("1.5e-7", "1.5e-07"),
            ("100", "100"),
        ] {
            let value: Bandwidth = text.parse().unwrap();
            assert_eq!(value.to_string(), written, "{text}");
            assert_eq!(written.parse::<Bandwidth>().unwrap().to_string(), written);
        }
        for wrong in ["-1", "nan", "inf", "x", ""] {
            assert!(wrong.parse::<Bandwidth>().is_err(), "{wrong}");
        }
        assert_eq!("1.5".parse::<Loss>().unwrap().to_string(), "1.500000");
        assert!("50.4".parse::<Loss>().is_err());
    }
}
