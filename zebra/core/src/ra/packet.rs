//! Router advertisements and solicitations (RFC 4861 §4.1, §4.2) with their options: out of settings, and read as far as
//! we judge them (§6.1).
//!
//! ```text
//! | 134 | 0 | checksum | hop limit | M O H Prf | router lifetime | reachable time | retransmission timer | options …
//! | 133 | 0 | checksum | reserved | options …
//! option: | type | length in units of 8 octets | …
//! ```

use std::net::Ipv6Addr;

use ferrite_types::{MacAddr, Prefix};

use super::settings::{HOP_LIMIT, NdPrefix, NdSettings, PREFERRED, Timed, VALID};

pub const SOLICITATION: u8 = 133;
pub const ADVERTISEMENT: u8 = 134;

const SOURCE_LINK_ADDRESS: u8 = 1;
const PREFIX: u8 = 3;
const MTU: u8 = 5;
const INTERVAL: u8 = 7;
const HOME_AGENT: u8 = 8;
const RDNSS: u8 = 25;
const DNSSL: u8 = 31;
const PREF64: u8 = 38;

/// What came, as far as we care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    Advertisement,
    Solicitation,
}

/// Why a message is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// It may have come from outside the link.
    #[error("hop limit is not 255")]
    HopLimit,
    #[error("code is not zero")]
    Code,
    #[error("too short")]
    Short,
    #[error("an option of no length, or longer than the message")]
    Option,
    #[error("source is not a link-local address")]
    Source,
}

/// Judges a message; `None` for one of another type.
pub fn read(octets: &[u8], source: Ipv6Addr, hop_limit: Option<u8>) -> Option<Result<Heard, Malformed>> {
    let (kind, fixed) = match octets.first() {
        Some(&ADVERTISEMENT) => (Heard::Advertisement, 16),
        Some(&SOLICITATION) => (Heard::Solicitation, 8),
        _ => return None,
    };
    Some(check(octets, source, hop_limit, kind, fixed))
}

fn check(
    octets: &[u8],
    source: Ipv6Addr,
    hop_limit: Option<u8>,
    kind: Heard,
    fixed: usize,
) -> Result<Heard, Malformed> {
    if hop_limit != Some(255) {
        return Err(Malformed::HopLimit);
    }
    if octets.get(1) != Some(&0) {
        return Err(Malformed::Code);
    }
    let mut rest = octets.get(fixed..).ok_or(Malformed::Short)?;
    while let Some((&option, units)) = rest.split_first() {
        let length = units.first().map_or(0, |units| usize::from(*units) * 8);
        rest = rest.get(length..).filter(|_| length > 0).ok_or(Malformed::Option)?;
        // A host without an address cannot be answered directly: it must not say where it is (§6.1.1).
        if kind == Heard::Solicitation && source.is_unspecified() && option == SOURCE_LINK_ADDRESS {
            return Err(Malformed::Source);
        }
    }
    if kind == Heard::Advertisement && !source.is_unicast_link_local() {
        return Err(Malformed::Source);
    }
    Ok(kind)
}

/// An advertisement; `lifetime` is zero in the last one. The kernel fills the checksum in.
pub fn write(nd: &NdSettings, interval_msec: u32, lifetime: u16, mac: Option<MacAddr>) -> Vec<u8> {
    let flags = [(nd.managed, 0x80), (nd.other, 0x40), (nd.home_agent, 0x20)];
    let flags = flags.iter().filter(|(on, _)| *on).fold(nd.preference.bits(), |bits, (_, bit)| bits | bit);
    let mut out = vec![ADVERTISEMENT, 0, 0, 0, nd.hop_limit.unwrap_or(HOP_LIMIT), flags];
    out.extend(lifetime.to_be_bytes());
    out.extend(nd.reachable_time.unwrap_or(0).to_be_bytes());
    out.extend(nd.retransmit.unwrap_or(0).to_be_bytes());
    if nd.home_agent && (nd.home_agent_preference.is_some() || nd.home_agent_lifetime.is_some()) {
        out.extend([HOME_AGENT, 1, 0, 0]);
        out.extend(nd.home_agent_preference.unwrap_or(0).to_be_bytes());
        out.extend(nd.home_agent_lifetime.unwrap_or(lifetime.max(1)).to_be_bytes());
    }
    if nd.interval_option {
        out.extend([INTERVAL, 1, 0, 0]);
        out.extend(interval_msec.to_be_bytes());
    }
    nd.prefixes.iter().for_each(|prefix| put_prefix(&mut out, prefix));
    if let Some(mac) = mac {
        out.extend([SOURCE_LINK_ADDRESS, 1]);
        out.extend(mac.0);
    }
    if let Some(mtu) = nd.mtu {
        out.extend([MTU, 1, 0, 0]);
        out.extend(u32::from(mtu).to_be_bytes());
    }
    // RFC 8106 §5: three intervals.
    let short = (interval_msec / 1000).saturating_mul(3).max(1);
    for server in &nd.rdnss {
        out.extend([RDNSS, 3, 0, 0]);
        out.extend(server.lifetime.unwrap_or(short).to_be_bytes());
        out.extend(server.value.octets());
    }
    nd.dnssl.iter().for_each(|suffix| put_suffix(&mut out, suffix, short));
    nd.nat64.iter().for_each(|prefix| put_nat64(&mut out, prefix, short));
    out
}

/// RFC 4861 §4.6.2, with the R flag of RFC 6275 §7.2.
fn put_prefix(out: &mut Vec<u8>, from: &NdPrefix) {
    let Prefix::V6(_) = from.prefix else { return };
    let std::net::IpAddr::V6(addr) = from.prefix.addr() else { return };
    let flags = [(!from.off_link, 0x80), (!from.no_autoconfig, 0x40), (from.router_address, 0x20)];
    let flags = flags.iter().filter(|(on, _)| *on).fold(0, |bits, (_, bit)| bits | bit);
    let (valid, preferred) = from.lifetimes.unwrap_or((VALID, PREFERRED));
    out.extend([PREFIX, 4, from.prefix.len(), flags]);
    out.extend(valid.to_be_bytes());
    out.extend(preferred.to_be_bytes());
    out.extend([0; 4]);
    out.extend(addr.octets());
}

/// RFC 8106 §5.2: a name as in DNS, padded to eight octets.
fn put_suffix(out: &mut Vec<u8>, suffix: &Timed<String>, default: u32) {
    let mut name = Vec::new();
    for label in suffix.value.split('.').filter(|label| !label.is_empty()) {
        // Longer labels are refused when they are configured.
        name.extend(u8::try_from(label.len()));
        name.extend(label.as_bytes());
    }
    name.push(0);
    name.resize(name.len().next_multiple_of(8), 0);
    let Ok(units) = u8::try_from(1 + name.len() / 8) else { return };
    out.extend([DNSSL, units, 0, 0]);
    out.extend(suffix.lifetime.unwrap_or(default).to_be_bytes());
    out.extend(name);
}

/// RFC 8781 §4: the lifetime in units of eight seconds with a code for the length, and the first 96 bits.
fn put_nat64(out: &mut Vec<u8>, from: &Timed<Prefix>, default: u32) {
    let Some(code) = nat64_code(from.value) else { return };
    let std::net::IpAddr::V6(addr) = from.value.addr() else { return };
    let units = from.lifetime.unwrap_or(default).div_ceil(8).min(8191) as u16;
    out.extend([PREF64, 2]);
    out.extend((units << 3 | u16::from(code)).to_be_bytes());
    out.extend(addr.octets().iter().take(12));
}

/// The lengths that a NAT64 prefix may have (RFC 6052 §2.2).
pub fn nat64_code(prefix: Prefix) -> Option<u8> {
    [96, 64, 56, 48, 40, 32].iter().position(|len| *len == prefix.len()).map(|at| at as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ra::settings::RouterPreference;

    const NEIGHBOR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

    fn prefix(text: &str) -> NdPrefix {
        NdPrefix {
            prefix: text.parse().unwrap(),
            lifetimes: None,
            off_link: false,
            no_autoconfig: false,
            router_address: false,
        }
    }

    /// What FRR 10.3 sent for the same lines of configuration, but for the checksum.
    #[test]
    fn an_advertisement_is_that_of_frr() {
        let special = NdPrefix {
            lifetimes: Some((100, 50)),
            off_link: true,
            no_autoconfig: true,
            router_address: true,
            ..prefix("2001:db8:1::/64")
        };
        let nd = NdSettings {
            lifetime: Some(100),
            reachable_time: Some(1000),
            retransmit: Some(500),
            hop_limit: Some(32),
            interval_option: true,
            home_agent: true,
            home_agent_preference: Some(10),
            home_agent_lifetime: Some(1000),
            managed: true,
            other: true,
            preference: RouterPreference::High,
            mtu: Some(1400),
            prefixes: vec![prefix("2001:db8::/64"), special],
            rdnss: vec![
                Timed { value: "2001:db8::53".parse().unwrap(), lifetime: None },
                Timed { value: "2001:db8::54".parse().unwrap(), lifetime: Some(u32::MAX) },
            ],
            dnssl: vec![Timed { value: "example.com".to_owned(), lifetime: Some(30) }],
            ..NdSettings::default()
        };
        let text: String = write(&nd, 5000, 100, None).iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(
            text,
            "8600000020e80064000003e8000001f408010000000a03e80701000000001388\
             030440c000278d0000093a800000000020010db8000000000000000000000000\
             0304402000000064000000320000000020010db8000100000000000000000000\
             050100000000057819030000\
             0000000f20010db800000000000000000000005319030000ffffffff20010db8\
             0000000000000000000000541f0300000000001e076578616d706c6503636f6d\
             00000000"
        );
        assert_eq!(read(&write(&nd, 5000, 100, None), NEIGHBOR, Some(255)), Some(Ok(Heard::Advertisement)));
    }

    #[test]
    fn a_nat64_prefix_is_written_as_rfc_8781_has_it() {
        let nat64 = vec![Timed { value: "64:ff9b::/96".parse().unwrap(), lifetime: Some(600) }];
        let octets = write(&NdSettings { nat64, ..NdSettings::default() }, 5000, 0, None);
        assert_eq!(
            octets.get(16..).unwrap(),
            [38, 2, 0x02, 0x58, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
        );
    }

    #[test]
    fn what_the_rfc_forbids_is_malformed() {
        let good = write(&NdSettings::default(), 5000, 15, Some(MacAddr([2, 0, 0, 0, 0, 1])));
        assert_eq!(read(&good, NEIGHBOR, Some(64)), Some(Err(Malformed::HopLimit)));
        assert_eq!(read(&good, NEIGHBOR, None), Some(Err(Malformed::HopLimit)));
        assert_eq!(read(&good, "2001:db8::1".parse().unwrap(), Some(255)), Some(Err(Malformed::Source)));
        let mut coded = good.clone();
        coded[1] = 1;
        assert_eq!(read(&coded, NEIGHBOR, Some(255)), Some(Err(Malformed::Code)));
        let mut empty = good.clone();
        empty[17] = 0;
        assert_eq!(read(&empty, NEIGHBOR, Some(255)), Some(Err(Malformed::Option)));
        for cut in 1..good.len() {
            let whole_fixed_part = cut == 16;
            let outcome = read(&good[..cut], NEIGHBOR, Some(255)).unwrap();
            assert_eq!(outcome.is_ok(), whole_fixed_part, "{cut}");
        }
        let solicitation = [SOLICITATION, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1];
        assert_eq!(read(&solicitation, NEIGHBOR, Some(255)), Some(Ok(Heard::Solicitation)));
        let nobody = Ipv6Addr::UNSPECIFIED;
        assert_eq!(read(&solicitation, nobody, Some(255)), Some(Err(Malformed::Source)));
        assert_eq!(read(&[135, 0, 0, 0], NEIGHBOR, Some(255)), None);
    }
}
