//! What a router may pass on: the octets of a propagated UPDATE looked at without mercy.

use topotests::bgp::Malformed;
use topotests::bgp::attrs::{self, Attr};

use super::octets::{EXTENDED, OPTIONAL, OT, PARTIAL, TRANSITIVE};

/// Flags, size of an item, and whether several items may stand in a row.
fn shape(code: u8) -> Option<(u8, usize, bool)> {
    Some(match code {
        1 => (TRANSITIVE, 1, false),
        3 => (TRANSITIVE, 4, false),
        4 => (OPTIONAL, 4, false),
        5 => (TRANSITIVE, 4, false),
        6 => (TRANSITIVE, 0, false),
        7 => (OT, 8, false),
        8 => (OT, 4, true),
        16 => (OT, 8, true),
        25 => (OT, 20, true),
        32 => (OT, 12, true),
        35 => (OT, 4, false),
        _ => return None,
    })
}

/// Faults of the attributes of one UPDATE as it came from the router.
pub fn faults(octets: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut faults = Vec::new();
    for attr in attrs::split(octets)? {
        let Attr { flags, code, value } = attr;
        if flags & 0x0f != 0 {
            faults.push(format!("attribute {code}: flags {flags:#04x} have unused bits set"));
        }
        if let Some((wanted, size, many)) = shape(code) {
            if flags & OT != wanted {
                faults.push(format!("attribute {code}: flags {flags:#04x}"));
            }
            let fits = if many {
                !value.is_empty() && value.len().is_multiple_of(size)
            } else {
                value.len() == size
            };
            if !fits {
                faults.push(format!("attribute {code}: {} octets", value.len()));
            }
        }
        if flags & EXTENDED == 0 && value.len() > 255 {
            faults.push(format!("attribute {code}: length without its flag"));
        }
        faults.extend(content_fault(&attr)?.map(|what| format!("attribute {code}: {what}")));
    }
    Ok(faults)
}

fn content_fault(attr: &Attr<'_>) -> Result<Option<&'static str>, Malformed> {
    Ok(match attr.code {
        1 if attr.value.first().is_some_and(|v| *v > 2) => Some("origin over 2"),
        2 => {
            let segments = attrs::path_segments(attr.value)?;
            let bad = segments
                .iter()
                .any(|(kind, numbers)| !(1..=4).contains(kind) || numbers.is_empty() || numbers.contains(&0));
            bad.then_some("segment malformed, or AS 0")
        }
        7 | 35 if attr.value.first_chunk() == Some(&[0; 4]) => Some("AS 0"),
        17 | 18 => Some("two-octet remains on a four-octet session"),
        // Attributes that the router does not know must carry the mark of one who did not.
        66..=127 | 129..=255 if attr.flags & PARTIAL == 0 => Some("unknown, passed on without Partial"),
        _ => None,
    })
}
