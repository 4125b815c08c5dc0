//! Next-hop objects (RTM_NEWNEXTHOP): what the core wants, in the kernel's octets, and back.

use ferrite_types::{Afi, NexthopKind};
use zebra_core::{KernelNexthop, Members, NexthopId, NexthopObject, NexthopOp, Resilience, Single};

use super::encode::{AF_INET6, RTNH_F_ONLINK, address, family};
use super::parse::{index, ip};
use super::seg6::seg6_of;
use super::wire::{
    self, Builder, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, RTM_DELNEXTHOP, RTM_NEWNEXTHOP,
    u16_at, u32_at,
};

// struct nhmsg: family, scope, protocol, reserved, flags u32.
const NHMSG: usize = 8;

const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_GROUP_TYPE: u16 = 3;
const NHA_BLACKHOLE: u16 = 4;
const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;
pub const NHA_ENCAP_TYPE: u16 = 7;
pub const NHA_ENCAP: u16 = 8;
const NHA_FDB: u16 = 11;
const NHA_RES_GROUP: u16 = 12;
const NEXTHOP_GRP_TYPE_RES: u16 = 1;
const RES_BUCKETS: u16 = 1;
const RES_IDLE: u16 = 2;
const RES_UNBALANCED: u16 = 3;
/// The kernel counts these times in hundredths of a second.
const TICKS: u32 = 100;

/// RTPROT_ZEBRA: whoever looks at `ip nexthop` sees what FRR's show.
const PROTOCOL: u8 = 11;

/// Appends the message of one operation.
pub fn operation(op: &NexthopOp, seq: u32, out: &mut Builder) {
    let Some(object) = &op.object else {
        out.begin(RTM_DELNEXTHOP, NLM_F_REQUEST | NLM_F_ACK, seq);
        out.octets.extend([0; NHMSG]);
        out.attribute_u32(NHA_ID, op.id.in_kernel());
        out.end();
        return;
    };
    out.begin(RTM_NEWNEXTHOP, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, seq);
    match object {
        NexthopObject::Single(single) => {
            let flags = if single.onlink { u32::from(RTNH_F_ONLINK) } else { 0 };
            out.octets.extend([family(single.afi), 0, PROTOCOL, 0]);
            out.octets.extend(flags.to_ne_bytes());
            out.attribute_u32(NHA_ID, op.id.in_kernel());
            if let NexthopKind::Gateway(gateway, _) = single.kind {
                address(NHA_GATEWAY, gateway, out);
            }
            super::seg6::object(single.seg6.as_deref(), out);
            match single.ifindex() {
                Some(ifindex) => out.attribute_u32(NHA_OIF, ifindex.in_kernel().0),
                None => out.attribute(NHA_BLACKHOLE, &[]),
            }
        }
        NexthopObject::Group(members) => {
            out.octets.extend([0, 0, PROTOCOL, 0, 0, 0, 0, 0]);
            out.attribute_u32(NHA_ID, op.id.in_kernel());
            let mut entries = Vec::with_capacity(members.len() * 8);
            for (id, weight) in members {
                entries.extend(id.in_kernel().to_ne_bytes());
                entries.extend([weight.saturating_sub(1), 0, 0, 0]);
            }
            out.attribute(NHA_GROUP, &entries);
            if let Some(Resilience { buckets, idle, unbalanced }) = members.resilience {
                out.attribute(NHA_GROUP_TYPE, &NEXTHOP_GRP_TYPE_RES.to_ne_bytes());
                out.nested(&(NHA_RES_GROUP | wire::NESTED).to_ne_bytes(), |out| {
                    out.attribute(RES_BUCKETS, &buckets.to_ne_bytes());
                    out.attribute_u32(RES_IDLE, idle.saturating_mul(TICKS));
                    out.attribute_u32(RES_UNBALANCED, unbalanced.saturating_mul(TICKS));
                });
            }
        }
    }
    out.end();
}

/// An object as the kernel tells of it.
pub fn read(payload: &[u8]) -> Option<KernelNexthop> {
    let [family, _scope, protocol, _] = *payload.first_chunk::<4>()?;
    let flags = u32_at(payload, 4)?;
    let (mut id, mut group, mut oif, mut gateway) = (None, None, None, None);
    let (mut encap_type, mut encap) = (None, None);
    let mut resilience = None;
    let mut strange = false;
    for (kind, value) in wire::attributes(payload.get(NHMSG..)?) {
        match kind {
            NHA_ID => id = u32_at(value, 0),
            NHA_GROUP => group = Some(members(value)),
            NHA_GROUP_TYPE => strange |= !matches!(u16_at(value, 0), Some(0 | NEXTHOP_GRP_TYPE_RES)),
            NHA_RES_GROUP => resilience = Some(read_resilience(value)),
            NHA_OIF => oif = index(value),
            NHA_GATEWAY => gateway = Some(ip(family, value)?),
            NHA_ENCAP_TYPE => encap_type = Some(value),
            NHA_ENCAP => encap = Some(value),
            NHA_BLACKHOLE | NHA_FDB => strange = true,
            _ => {}
        }
    }
    let seg6 = seg6_of(encap_type, encap);
    strange |= encap.is_some() && seg6.is_none();
    let kind = match (gateway, oif) {
        (Some(gateway), oif) => Some(NexthopKind::Gateway(gateway, oif)),
        (None, Some(oif)) => Some(NexthopKind::Interface(oif)),
        (None, None) => None,
    };
    let afi = if family == AF_INET6 { Afi::Ipv6 } else { Afi::Ipv4 };
    let onlink = flags & u32::from(RTNH_F_ONLINK) != 0;
    let object = match group {
        _ if strange => None,
        Some(list) => Some(NexthopObject::Group(Members { list, resilience })),
        None => {
            kind.map(|kind| NexthopObject::Single(Single { afi, kind, onlink, seg6: seg6.map(Box::new) }))
        }
    };
    Some(KernelNexthop { id: NexthopId(id?), ours: protocol == PROTOCOL, object })
}

fn read_resilience(value: &[u8]) -> Resilience {
    let mut found = Resilience { buckets: 0, idle: 0, unbalanced: 0 };
    for (kind, value) in wire::attributes(value) {
        match kind {
            RES_BUCKETS => found.buckets = u16_at(value, 0).unwrap_or_default(),
            RES_IDLE => found.idle = u32_at(value, 0).unwrap_or_default() / TICKS,
            RES_UNBALANCED => found.unbalanced = u32_at(value, 0).unwrap_or_default() / TICKS,
            _ => {}
        }
    }
    found
}

/// `struct nexthop_grp`: id u32, weight less one, its upper octet, reserved u16.
fn members(value: &[u8]) -> Vec<(NexthopId, u8)> {
    let (entries, _) = value.as_chunks::<8>();
    let member = |[a, b, c, d, weight, ..]: &[u8; 8]| {
        (NexthopId(u32::from_ne_bytes([*a, *b, *c, *d])), weight.saturating_add(1))
    };
    entries.iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use ferrite_types::{IfIndex, Seg6};
    use zebra_core::Event;

    use super::super::parse;
    use super::*;

    fn read_back(octets: &[u8]) -> Option<Event> {
        parse::event(&wire::messages(octets).next()?)
    }

    fn written(object: Option<NexthopObject>) -> Vec<u8> {
        let mut out = Builder::default();
        operation(&NexthopOp { id: NexthopId(7), seq: 0, object }, 1, &mut out);
        out.octets
    }

    fn objects() -> Vec<NexthopObject> {
        let via = |afi, text: &str, onlink| {
            let kind = NexthopKind::Gateway(text.parse().unwrap(), Some(IfIndex(3)));
            NexthopObject::Single(Single { afi, kind, onlink, seg6: None })
        };
        let kind = NexthopKind::Interface(IfIndex(4));
        let device = Single { afi: Afi::Ipv6, kind, onlink: false, seg6: None };
        let list = Seg6::Encap(vec!["fc00::1".parse().unwrap(), "fc00::2".parse().unwrap()]);
        let segments = Single { seg6: Some(Box::new(list)), ..device.clone() };
        let members: Vec<_> = (1..=256).map(|id| (NexthopId(id), (id % 255 + 1) as u8)).collect();
        let resilience = Some(Resilience { buckets: 64, idle: 20, unbalanced: 300 });
        let two = vec![(NexthopId(1), 1), (NexthopId(2), 7)];
        vec![
            via(Afi::Ipv4, "10.0.0.1", true),
            via(Afi::Ipv6, "fe80::1", false),
            NexthopObject::Single(device),
            NexthopObject::Single(segments),
            NexthopObject::Group(members.into()),
            NexthopObject::Group(Members { list: two, resilience }),
        ]
    }

    #[test]
    fn what_is_written_reads_back() {
        for object in objects() {
            let told = KernelNexthop { id: NexthopId(7), ours: true, object: Some(object.clone()) };
            let Some(Event::KernelNexthop(read)) = read_back(&written(Some(object))) else { panic!() };
            assert_eq!(read, told);
        }
        assert!(matches!(read_back(&written(None)), Some(Event::KernelNexthopGone(NexthopId(7)))));
    }

    #[test]
    fn a_message_cut_anywhere_reads_nothing_past_its_end() {
        for object in objects() {
            let whole = written(Some(object));
            for cut in 16..whole.len() {
                let mut part = whole[..cut].to_vec();
                part[..4].copy_from_slice(&(cut as u32).to_ne_bytes());
                let _ = read_back(&part);
            }
        }
    }
}
