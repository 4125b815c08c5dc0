//! MPLS in the kernel's octets: routes of AF_MPLS for label-switched paths, the label stacks of IP routes
//! (`RTA_ENCAP` of kind MPLS), and reading both back.

use std::io;
use std::net::IpAddr;

use ferrite_types::{IfIndex, Label, Nexthop, NexthopKind, RouteProtocol};
use smallvec::SmallVec;
use zebra_core::{KernelLsp, LfibOp, LfibResult};

use super::encode::{AF_INET, AF_INET6, RTA_DST, RTA_MULTIPATH, RTA_OIF, RTA_VIA};
use super::parse::{index, via};
use super::wire::{
    self, Builder, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, NLMSG_ERROR, RTM_DELROUTE,
    RTM_NEWROUTE,
};
use super::writer::KernelDataplane;

pub const AF_MPLS: u8 = 28;
const RTA_NEWDST: u16 = 19;
pub const RTA_ENCAP_TYPE: u16 = 21;
pub const RTA_ENCAP: u16 = 22;
const LWTUNNEL_ENCAP_MPLS: u16 = 1;
const MPLS_IPTUNNEL_DST: u16 = 1;
const RTN_UNICAST: u8 = 1;
const TABLE_MAIN: u8 = 254;
/// Bits of a label.
const LABEL_BITS: u8 = 20;
/// Of a label stack entry (RFC 3032 §2.1): the label's place, and the mark of the last one.
const LABEL_SHIFT: u32 = 12;
const BOTTOM: u32 = 1 << 8;
/// Labels that are read of a stack; the kernel takes 30.
const MAX_STACK: usize = 32;

/// A stack without the label that says "take it off" (RFC 3032 §2.1), which is on no wire.
fn stack(labels: &[Label], out: &mut Builder) {
    let mut on_wire = labels.iter().filter(|label| **label != Label::IMPLICIT_NULL).peekable();
    while let Some(label) = on_wire.next() {
        let bottom = if on_wire.peek().is_none() { BOTTOM } else { 0 };
        out.octets.extend((label.value() << LABEL_SHIFT | bottom).to_be_bytes());
    }
}

fn is_empty(labels: &[Label]) -> bool {
    labels.iter().all(|label| *label == Label::IMPLICIT_NULL)
}

/// The labels that an IP route pushes; nothing where it pushes none.
pub fn encapsulation(nexthop: &Nexthop, out: &mut Builder) {
    if is_empty(&nexthop.labels) {
        return;
    }
    out.nested(&RTA_ENCAP.to_ne_bytes(), |out| {
        out.nested(&MPLS_IPTUNNEL_DST.to_ne_bytes(), |out| stack(&nexthop.labels, out));
    });
    out.attribute(RTA_ENCAP_TYPE, &LWTUNNEL_ENCAP_MPLS.to_ne_bytes());
}

/// The labels of an `RTA_ENCAP`. Encapsulations of other kinds have no labels.
pub fn labels_of(kind: Option<&[u8]>, encap: Option<&[u8]>) -> SmallVec<[Label; 2]> {
    let ours = kind.and_then(|value| wire::u16_at(value, 0)) == Some(LWTUNNEL_ENCAP_MPLS);
    let mut labels = SmallVec::new();
    for (kind, value) in wire::attributes(encap.filter(|_| ours).unwrap_or_default()) {
        if kind == MPLS_IPTUNNEL_DST {
            labels.extend(read_stack(value));
        }
    }
    labels
}

fn read_stack(value: &[u8]) -> impl Iterator<Item = Label> {
    let entries = value.chunks_exact(4).take(MAX_STACK);
    entries.filter_map(|entry| Label::new(u32::from_be_bytes(entry.try_into().ok()?) >> LABEL_SHIFT))
}

/// Appends the message of one operation.
pub fn operation(op: &LfibOp, seq: u32, out: &mut Builder) {
    let (kind, flags) = match op.nexthops {
        Some(_) => (RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE),
        None => (RTM_DELROUTE, NLM_F_REQUEST),
    };
    out.begin(kind, flags, seq);
    // struct rtmsg: the kernel wants the main table, scope universe and unicast of every MPLS route.
    out.octets.extend([AF_MPLS, LABEL_BITS, 0, 0, TABLE_MAIN, op.protocol.kernel_number(), 0, RTN_UNICAST]);
    out.octets.extend([0; 4]);
    out.nested(&RTA_DST.to_ne_bytes(), |out| stack(&[op.label], out));
    match op.nexthops.as_deref() {
        None => {}
        Some([single]) => {
            next_hop(single, out);
            if let Some(ifindex) = single.ifindex() {
                out.attribute_u32(RTA_OIF, ifindex.0);
            }
        }
        Some(several) => out.nested(&RTA_MULTIPATH.to_ne_bytes(), |out| {
            for nexthop in several {
                let [a, b, c, d] = nexthop.ifindex().map_or(0, |ifindex| ifindex.0).to_ne_bytes();
                // struct rtnexthop.
                // The kernel weighs no labelled next hops: a count of hops is refused.
                let header = [0, 0, a, b, c, d];
                out.nested(&header, |out| next_hop(nexthop, out));
            }
        }),
    }
    out.end();
}

/// The labels that take the place of the one that came, and the neighbour.
fn next_hop(nexthop: &Nexthop, out: &mut Builder) {
    if !is_empty(&nexthop.labels) {
        out.nested(&RTA_NEWDST.to_ne_bytes(), |out| stack(&nexthop.labels, out));
    }
    let NexthopKind::Gateway(gateway, _) = nexthop.kind else { return };
    out.nested(&RTA_VIA.to_ne_bytes(), |out| match gateway {
        std::net::IpAddr::V4(addr) => {
            out.octets.extend(u16::from(AF_INET).to_ne_bytes());
            out.octets.extend(addr.octets());
        }
        std::net::IpAddr::V6(addr) => {
            out.octets.extend(u16::from(AF_INET6).to_ne_bytes());
            out.octets.extend(addr.octets());
        }
    });
}

impl KernelDataplane {
    /// Programs label-switched paths; every operation has one result.
    pub(crate) fn change_lsps(&mut self, ops: &[LfibOp], results: &mut Vec<LfibResult>) {
        for op in ops {
            let errno = self.change_lsp(op).err().map_or(0, |error| error.raw_os_error().unwrap_or(5));
            // Taking out what is not there is what was wanted.
            let gone = op.nexthops.is_none() && [2, 3, 19, 101].contains(&errno);
            results.push(LfibResult { label: op.label, seq: op.seq, errno: if gone { 0 } else { errno } });
        }
    }

    fn change_lsp(&mut self, op: &LfibOp) -> io::Result<()> {
        let seq = self.socket.next_seq();
        self.message.octets.clear();
        operation(op, seq, &mut self.message);
        self.message.add_flags(NLM_F_ACK);
        self.socket.send(&self.message.octets)?;
        loop {
            let datagram = self.socket.receive()?;
            let mut answers = wire::messages(datagram).filter(|message| message.kind == NLMSG_ERROR);
            if let Some(answer) = answers.find(|message| message.seq == seq) {
                let errno = wire::i32_at(answer.payload, 0).unwrap_or(0).saturating_neg();
                return if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) };
            }
        }
    }
}

/// A label's route as the kernel tells of it.
pub fn read(payload: &[u8]) -> Option<KernelLsp> {
    let [family, .., protocol, _, _] = *payload.first_chunk::<8>()?;
    if family != AF_MPLS {
        return None;
    }
    let (mut label, mut several) = (None, None);
    let mut hop = Hop::default();
    for (kind, value) in wire::attributes(payload.get(12..)?) {
        match kind {
            RTA_DST => label = read_stack(value).next(),
            RTA_OIF => hop.oif = index(value),
            RTA_MULTIPATH => several = Some(value),
            _ => hop.attribute(kind, value),
        }
    }
    let nexthops: Vec<Nexthop> = match several {
        None => hop.nexthop().into_iter().collect(),
        Some(value) => wire::next_hops(value)
            .filter_map(|(_, _, ifindex, attributes)| {
                let mut hop = Hop { oif: Some(IfIndex(ifindex)).filter(|oif| oif.0 != 0), ..Hop::default() };
                wire::attributes(attributes).for_each(|(kind, value)| hop.attribute(kind, value));
                hop.nexthop()
            })
            .collect(),
    };
    let protocol = RouteProtocol::from_kernel_number(protocol).unwrap_or(RouteProtocol::Kernel);
    Some(KernelLsp { label: label?, protocol, nexthops: nexthops.into() })
}

/// What the attributes say of one next hop.
#[derive(Default)]
struct Hop {
    oif: Option<IfIndex>,
    gateway: Option<IpAddr>,
    labels: SmallVec<[Label; 2]>,
}

impl Hop {
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        match kind {
            RTA_VIA => self.gateway = via(value),
            RTA_NEWDST => self.labels = read_stack(value).collect(),
            _ => {}
        }
    }

    fn nexthop(self) -> Option<Nexthop> {
        let kind = match (self.gateway, self.oif) {
            (Some(gateway), oif) => NexthopKind::Gateway(gateway, oif),
            (None, Some(oif)) => NexthopKind::Interface(oif),
            (None, None) => return None,
        };
        Some(Nexthop { labels: self.labels, ..Nexthop::new(kind) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn label(value: u32) -> Label {
        Label::new(value).unwrap()
    }

    fn hop(gateway: &str, labels: &[u32]) -> Nexthop {
        let mut hop = Nexthop::new(NexthopKind::Gateway(gateway.parse().unwrap(), Some(IfIndex(3))));
        hop.labels.extend(labels.iter().map(|value| label(*value)));
        hop
    }

    fn encoded(incoming: u32, nexthops: Option<&[Nexthop]>) -> Vec<u8> {
        let op = LfibOp {
            label: label(incoming),
            seq: 0,
            protocol: RouteProtocol::Static,
            nexthops: nexthops.map(Arc::from),
        };
        let mut out = Builder::default();
        operation(&op, 1, &mut out);
        out.octets
    }

    fn attributes(octets: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let message = wire::messages(octets).next().unwrap();
        wire::attributes(&message.payload[12..]).map(|(kind, value)| (kind, value.to_vec())).collect()
    }

    #[test]
    fn a_swap_is_what_iproute_sends() {
        // ip -f mpls route replace 100 as 200/201 via inet 10.0.0.2 dev (index 3)
        let octets = encoded(100, Some(&[hop("10.0.0.2", &[200, 201])]));
        assert_eq!(octets[16..24], [28, 20, 0, 0, 254, RouteProtocol::Static.kernel_number(), 0, 1]);
        assert_eq!(
            attributes(&octets),
            [
                (1, vec![0x00, 0x06, 0x41, 0x00]),
                (19, vec![0x00, 0x0c, 0x80, 0x00, 0x00, 0x0c, 0x91, 0x00]),
                (18, vec![2, 0, 10, 0, 0, 2]),
                (4, vec![3, 0, 0, 0]),
            ]
        );
        let message = wire::messages(&octets).next().unwrap();
        let hops = [hop("10.0.0.2", &[200, 201])];
        let told = KernelLsp { label: label(100), protocol: RouteProtocol::Static, nexthops: hops.into() };
        assert_eq!(read(message.payload), Some(told));
    }

    #[test]
    fn taking_the_label_off_has_no_new_one_and_explicit_null_has() {
        let kinds = |octets: &[u8]| attributes(octets).iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
        assert_eq!(kinds(&encoded(101, Some(&[hop("10.0.0.2", &[3])]))), [1, 18, 4]);
        assert_eq!(kinds(&encoded(101, Some(&[hop("2001:db8::2", &[])]))), [1, 18, 4]);
        let null = attributes(&encoded(101, Some(&[hop("2001:db8::2", &[2])])));
        assert_eq!(null[1], (19, vec![0x00, 0x00, 0x21, 0x00]));
        assert_eq!(kinds(&encoded(101, None)), [1]);
        let several = [hop("10.0.0.2", &[300]), hop("10.0.0.3", &[301])];
        let octets = encoded(103, Some(&several));
        assert_eq!(kinds(&octets), [1, 9]);
        let message = wire::messages(&octets).next().unwrap();
        assert_eq!(read(message.payload).map(|told| told.nexthops.to_vec()), Some(several.to_vec()));
    }

    #[test]
    fn a_path_cut_anywhere_reads_nothing_past_its_end() {
        for hops in
            [vec![hop("10.0.0.2", &[200, 201])], vec![hop("10.0.0.2", &[1]), hop("2001:db8::3", &[2])]]
        {
            let octets = encoded(100, Some(&hops));
            for cut in 0..octets.len() - 16 {
                let _ = read(&octets[16..16 + cut]);
            }
        }
    }

    #[test]
    fn labels_of_a_route_read_back_and_nonsense_reads_as_none() {
        let mut out = Builder::default();
        encapsulation(&hop("10.0.0.2", &[16, 3, 17]), &mut out);
        let find = |wanted| wire::attributes(&out.octets).find(|(kind, _)| *kind == wanted).map(|(_, v)| v);
        let (kind, encap) = (find(RTA_ENCAP_TYPE), find(RTA_ENCAP));
        assert_eq!(labels_of(kind, encap).as_slice(), [label(16), label(17)]);
        assert!(labels_of(None, encap).is_empty());
        assert!(labels_of(kind, None).is_empty());
        for cut in 0..encap.unwrap().len() {
            let _ = labels_of(kind, encap.map(|value| &value[..cut]));
        }
        let mut none = Builder::default();
        encapsulation(&hop("10.0.0.2", &[3]), &mut none);
        assert!(none.octets.is_empty());
    }
}
