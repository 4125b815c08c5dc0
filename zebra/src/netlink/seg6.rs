//! Segment routing over IPv6 in the kernel's octets: a route that puts packets into others (`RTA_ENCAP` of kind SEG6, with
//! the header of RFC 8754), and one that is a segment identifier of this router (SEG6_LOCAL), and reading both back.

use std::net::Ipv6Addr;

use ferrite_types::{Nexthop, Seg6, Seg6Action, Seg6Local, SidStructure, TableId};

use super::mpls::{RTA_ENCAP, RTA_ENCAP_TYPE};
use super::nexthop::{NHA_ENCAP, NHA_ENCAP_TYPE};
use super::wire::{self, Builder, u32_at};

const LWTUNNEL_ENCAP_SEG6: u16 = 5;
const LWTUNNEL_ENCAP_SEG6_LOCAL: u16 = 7;

/// `struct seg6_iptunnel_encap`: mode u32, then the routing header.
const SEG6_IPTUNNEL_SRH: u16 = 1;
const SEG6_IPTUN_MODE_ENCAP: u32 = 1;
/// Routing header: next header, length, type, segments left, last entry, flags, tag u16.
const SRH: usize = 8;
const SRH_TYPE: u8 = 4;
const MAX_SEGMENTS: usize = 64;

const SEG6_LOCAL_ACTION: u16 = 1;
const SEG6_LOCAL_TABLE: u16 = 3;
const SEG6_LOCAL_VRFTABLE: u16 = 9;
const SEG6_LOCAL_FLAVORS: u16 = 11;
const FLAVOR_OPERATIONS: u16 = 1;
const FLAVOR_BLOCK_BITS: u16 = 2;
const FLAVOR_FUNCTION_BITS: u16 = 3;
/// A list of segments in one address that is shifted (RFC 9800).
const OPERATION_NEXT_CSID: u32 = 1 << 4;

const ACTION_END: u32 = 1;
const ACTION_DT6: u32 = 7;
const ACTION_DT4: u32 = 8;
const ACTION_DT46: u32 = 16;

/// What a next hop of a route does with segments; nothing where it does nothing.
pub fn encapsulation(nexthop: &Nexthop, out: &mut Builder) {
    write(nexthop.seg6.as_deref(), (RTA_ENCAP_TYPE, RTA_ENCAP), out);
}

/// The same of a next-hop object.
pub fn object(seg6: Option<&Seg6>, out: &mut Builder) {
    write(seg6, (NHA_ENCAP_TYPE, NHA_ENCAP | wire::NESTED), out);
}

fn write(seg6: Option<&Seg6>, (kind, value): (u16, u16), out: &mut Builder) {
    let number = match seg6 {
        None => return,
        Some(Seg6::Encap(segments)) => {
            out.nested(&value.to_ne_bytes(), |out| {
                out.nested(&SEG6_IPTUNNEL_SRH.to_ne_bytes(), |out| routing_header(segments, out));
            });
            LWTUNNEL_ENCAP_SEG6
        }
        Some(Seg6::Local(local)) => {
            out.nested(&value.to_ne_bytes(), |out| action(local, out));
            LWTUNNEL_ENCAP_SEG6_LOCAL
        }
    };
    out.attribute(kind, &number.to_ne_bytes());
}

fn routing_header(segments: &[Ipv6Addr], out: &mut Builder) {
    let count = segments.len().min(MAX_SEGMENTS) as u8;
    let last = count.saturating_sub(1);
    out.octets.extend(SEG6_IPTUN_MODE_ENCAP.to_ne_bytes());
    out.octets.extend([0, count * 2, SRH_TYPE, last, last, 0, 0, 0]);
    // The last of the way stands first.
    for segment in segments.iter().take(usize::from(count)).rev() {
        out.octets.extend(segment.octets());
    }
}

fn action(local: &Seg6Local, out: &mut Builder) {
    let number = match local.action {
        Seg6Action::End { .. } => ACTION_END,
        Seg6Action::Dt6(_) => ACTION_DT6,
        Seg6Action::Dt4(_) => ACTION_DT4,
        Seg6Action::Dt46(_) => ACTION_DT46,
    };
    out.attribute_u32(SEG6_LOCAL_ACTION, number);
    match local.action {
        Seg6Action::End { shift: false } => {}
        Seg6Action::End { shift: true } => out.nested(&SEG6_LOCAL_FLAVORS.to_ne_bytes(), |out| {
            out.attribute_u32(FLAVOR_OPERATIONS, OPERATION_NEXT_CSID);
            let SidStructure { block, node, .. } = local.structure;
            if block > 0 {
                out.attribute(FLAVOR_BLOCK_BITS, &[block]);
                // The kernel shifts by the node's bits, which follow the block.
                out.attribute(FLAVOR_FUNCTION_BITS, &[node]);
            }
        }),
        Seg6Action::Dt6(table) => out.attribute_u32(SEG6_LOCAL_TABLE, table.0),
        Seg6Action::Dt4(table) | Seg6Action::Dt46(table) => out.attribute_u32(SEG6_LOCAL_VRFTABLE, table.0),
    }
}

/// What an `RTA_ENCAP` does with segments; encapsulations of other kinds do nothing with them.
pub fn seg6_of(kind: Option<&[u8]>, encap: Option<&[u8]>) -> Option<Seg6> {
    let encap = encap?;
    match wire::u16_at(kind?, 0)? {
        LWTUNNEL_ENCAP_SEG6 => {
            let (_, value) = wire::attributes(encap).find(|(kind, _)| *kind == SEG6_IPTUNNEL_SRH)?;
            read_header(value.get(4..)?).map(Seg6::Encap)
        }
        LWTUNNEL_ENCAP_SEG6_LOCAL => read_action(encap).map(Seg6::Local),
        _ => None,
    }
}

fn read_header(header: &[u8]) -> Option<Vec<Ipv6Addr>> {
    let last = usize::from(*header.get(4)?);
    let (entries, _) = header.get(SRH..)?.as_chunks::<16>();
    let entries = entries.get(..=last)?;
    Some(entries.iter().rev().map(|octets| Ipv6Addr::from(*octets)).collect())
}

fn read_action(encap: &[u8]) -> Option<Seg6Local> {
    let (mut number, mut table, mut shift) = (None, None, false);
    let mut structure = SidStructure::default();
    for (kind, value) in wire::attributes(encap) {
        match kind {
            SEG6_LOCAL_ACTION => number = u32_at(value, 0),
            SEG6_LOCAL_TABLE | SEG6_LOCAL_VRFTABLE => table = u32_at(value, 0).map(TableId),
            SEG6_LOCAL_FLAVORS => {
                for (kind, value) in wire::attributes(value) {
                    match kind {
                        FLAVOR_OPERATIONS => shift = u32_at(value, 0)? & OPERATION_NEXT_CSID != 0,
                        FLAVOR_BLOCK_BITS => structure.block = *value.first()?,
                        FLAVOR_FUNCTION_BITS => structure.node = *value.first()?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let action = match number? {
        ACTION_END => Seg6Action::End { shift },
        ACTION_DT6 => Seg6Action::Dt6(table?),
        ACTION_DT4 => Seg6Action::Dt4(table?),
        ACTION_DT46 => Seg6Action::Dt46(table?),
        _ => return None,
    };
    Some(Seg6Local { action, structure })
}

#[cfg(test)]
mod tests {
    use ferrite_types::IfIndex;

    use super::*;

    fn all() -> Vec<Seg6> {
        let local = |action| Seg6::Local(Seg6Local { action, structure: SidStructure::default() });
        let bits = SidStructure { block: 32, node: 16, function: 0, argument: 0 };
        vec![
            Seg6::Encap(vec!["fc00::1".parse().unwrap()]),
            Seg6::Encap((1..=8_u128).map(Ipv6Addr::from_bits).collect()),
            local(Seg6Action::End { shift: false }),
            Seg6::Local(Seg6Local { action: Seg6Action::End { shift: true }, structure: bits }),
            local(Seg6Action::Dt6(TableId(254))),
            local(Seg6Action::Dt4(TableId(10))),
            local(Seg6Action::Dt46(TableId(11))),
        ]
    }

    /// The kind and the value of a next hop's encapsulation.
    fn written(seg6: &Seg6) -> (Vec<u8>, Vec<u8>) {
        let mut out = Builder::default();
        let mut nexthop = Nexthop::interface(IfIndex(1));
        nexthop.seg6 = Some(Box::new(seg6.clone()));
        encapsulation(&nexthop, &mut out);
        let find = |wanted: u16| {
            let mut found = wire::attributes(&out.octets).filter(|(kind, _)| *kind & 0x3fff == wanted);
            found.next().map(|(_, value)| value.to_vec()).unwrap()
        };
        (find(RTA_ENCAP_TYPE), find(RTA_ENCAP))
    }

    #[test]
    fn what_is_written_reads_back() {
        for seg6 in all() {
            let (kind, encap) = written(&seg6);
            let read = seg6_of(Some(&kind), Some(&encap)).unwrap();
            assert_eq!(seg6.kept(), read);
        }
    }

    /// `ip -6 route add 2001:db8::/32 encap seg6 mode encap segs fc00::1,fc00::2 dev lo`, as iproute2 6.15 sends it.
    #[test]
    fn a_segment_list_is_what_iproute2_sends() {
        let two = Seg6::Encap(vec!["fc00::1".parse().unwrap(), "fc00::2".parse().unwrap()]);
        let (kind, encap) = written(&two);
        assert_eq!(kind, [5, 0]);
        let mut expected = vec![48, 0, 1, 0, 1, 0, 0, 0, 0, 4, 4, 1, 1, 0, 0, 0];
        expected.extend("fc00::2".parse::<Ipv6Addr>().unwrap().octets());
        expected.extend("fc00::1".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(encap, expected);
    }

    #[test]
    fn one_cut_anywhere_reads_nothing_past_its_end() {
        for seg6 in all() {
            let (kind, encap) = written(&seg6);
            for cut in 0..encap.len() {
                let _ = seg6_of(Some(&kind), encap.get(..cut));
            }
        }
    }
}
