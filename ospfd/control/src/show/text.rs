//! Texts that several shows share: times, option bits, area names.

use std::time::Duration;

use ferrite_ospf::config::AreaKind;
use ferrite_ospf::interface::State as InterfaceState;
use ferrite_ospf::neighbor::State as NeighborState;
use ferrite_ospf::packet::v2::RouterFlags;
use ferrite_ospf::packet::v3::PrefixOptions;
use ferrite_ospf::packet::{AreaId, Options};

/// As ospfd writes times: `36.361s`, `2m05s`, `3h12m07s`, `1d02h03m`, `2w3d04h`; below a second `0.250s`, below a thousandth of one `93 usecs`.
pub fn elapsed(time: Duration) -> String {
    const DAY: u64 = 86_400;
    let secs = time.as_secs();
    let (days, hours, minutes, rest) = (secs / DAY, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    match secs {
        604_800.. => format!("{}w{}d{hours:02}h", days / 7, days % 7),
        DAY.. => format!("{days}d{hours:02}h{minutes:02}m"),
        3600.. => format!("{hours}h{minutes:02}m{rest:02}s"),
        60.. => format!("{minutes}m{rest:02}s"),
        _ if time.as_millis() == 0 => format!("{} usecs", time.subsec_micros()),
        _ => format!("{secs}.{:03}s", time.subsec_millis()),
    }
}

/// As ospf6d writes times: `00:01:05`, with days in front when there are any.
pub fn clock(time: Duration) -> String {
    let secs = time.as_secs();
    let (days, hours, minutes, rest) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    if days > 0 {
        format!("{days}d{hours:02}:{minutes:02}:{rest:02}")
    } else {
        format!("{hours:02}:{minutes:02}:{rest:02}")
    }
}

pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An area as ospfd's shows name it.
pub fn area(id: AreaId, kind: AreaKind) -> String {
    match kind {
        AreaKind::Normal => id.to_string(),
        AreaKind::Stub => format!("{id} [Stub]"),
        AreaKind::Nssa => format!("{id} [NSSA]"),
    }
}

/// An area as ospf6d's shows name it.
pub fn area6(id: AreaId) -> String {
    id.0.to_bits().to_string()
}

fn letters(bits: u32, names: &[(u32, &str, &str)]) -> String {
    let shown: Vec<&str> =
        names.iter().map(|(bit, on, off)| if bits & bit != 0 { *on } else { *off }).collect();
    shown.join("|")
}

/// OSPFv2's options: `*|O|DC|-|N/P|MC|E|MT`.
pub fn options(options: Options) -> String {
    let names = [
        (0x40, "O", "-"),
        (0x20, "DC", "-"),
        (0x10, "EA", "-"),
        (0x08, "N/P", "-"),
        (0x04, "MC", "-"),
        (0x02, "E", "-"),
        (0x01, "M/T", "-"),
    ];
    format!("*|{}", letters(options.0, &names))
}

/// OSPFv3's options: `AT|L|AF|-|-|DC|R|N|MC|E|V6`.
pub fn options6(options: Options) -> String {
    let names = [
        (0x400, "AT", "--"),
        (0x200, "L", "-"),
        (0x100, "AF", "--"),
        (0x80, "*", "-"),
        (0x40, "*", "-"),
        (0x20, "DC", "--"),
        (0x10, "R", "-"),
        (0x08, "N", "-"),
        (0x04, "MC", "--"),
        (0x02, "E", "-"),
        (0x01, "V6", "--"),
    ];
    letters(options.0, &names)
}

/// OSPFv3's router bits: `----WVEB`.
pub fn router_bits6(flags: RouterFlags) -> String {
    let letter = |bit: u8, name: char| if flags.0 & bit != 0 { name } else { '-' };
    ["----".to_owned()]
        .into_iter()
        .chain([(8, 'W'), (4, 'V'), (2, 'E'), (1, 'B')].map(|(bit, name)| letter(bit, name).to_string()))
        .collect()
}

/// OSPFv3's prefix options: `DN|P|MC|LA|NU`.
pub fn prefix_options(options: PrefixOptions) -> String {
    let names =
        [(0x10, "DN", "--"), (0x08, "P", "--"), (0x04, "MC", "--"), (0x02, "LA", "--"), (0x01, "NU", "--")];
    letters(u32::from(options.0), &names)
}

pub fn neighbor_state(state: NeighborState) -> &'static str {
    match state {
        NeighborState::Down => "Down",
        NeighborState::Attempt => "Attempt",
        NeighborState::Init => "Init",
        NeighborState::TwoWay => "2-Way",
        NeighborState::ExStart => "ExStart",
        NeighborState::Exchange => "Exchange",
        NeighborState::Loading => "Loading",
        NeighborState::Full => "Full",
    }
}

/// ospf6d's word for it.
pub fn neighbor_state6(state: NeighborState) -> &'static str {
    match state {
        NeighborState::TwoWay => "Twoway",
        other => neighbor_state(other),
    }
}

pub fn interface_state(state: InterfaceState) -> &'static str {
    match state {
        InterfaceState::Down => "Down",
        InterfaceState::Loopback => "Loopback",
        InterfaceState::Waiting => "Waiting",
        InterfaceState::PointToPoint => "Point-To-Point",
        InterfaceState::DrOther => "DROther",
        InterfaceState::Backup => "Backup",
        InterfaceState::Dr => "DR",
    }
}

/// ospf6d's word for it.
pub fn interface_state6(state: InterfaceState) -> &'static str {
    match state {
        InterfaceState::PointToPoint => "PointToPoint",
        InterfaceState::Backup => "BDR",
        other => interface_state(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_frrs() {
        assert_eq!(elapsed(Duration::from_millis(36_361)), "36.361s");
        assert_eq!(elapsed(Duration::from_millis(59_999)), "59.999s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2m05s");
        assert_eq!(elapsed(Duration::from_secs(11_527)), "3h12m07s");
        assert_eq!(elapsed(Duration::from_secs(93_780)), "1d02h03m");
        assert_eq!(elapsed(Duration::from_secs(17 * 86_400 + 4 * 3600)), "2w3d04h");
        assert_eq!(clock(Duration::from_secs(65)), "00:01:05");
    }

    #[test]
    fn bits_are_frrs() {
        assert_eq!(options(Options(2)), "*|-|-|-|-|-|E|-");
        assert_eq!(options(Options(0x4a)), "*|O|-|-|N/P|-|E|-");
        assert_eq!(options6(Options(0x13)), "--|-|--|-|-|--|R|-|--|E|V6");
        assert_eq!(router_bits6(RouterFlags(3)), "------EB");
        assert_eq!(prefix_options(PrefixOptions(2)), "--|--|--|LA|--");
    }
}
