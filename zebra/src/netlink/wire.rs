//! Netlink framing: messages, attributes, numbers. Lengths are those of the kernel's ABI; everything is in host order.

/// NLA_F_NESTED: the value is attributes.
pub const NESTED: u16 = 1 << 15;
pub const NLMSG_HDR: usize = 16;
pub const NLMSG_ERROR: u16 = 2;
pub const NLMSG_DONE: u16 = 3;

pub const RTM_NEWLINK: u16 = 16;
pub const RTM_DELLINK: u16 = 17;
pub const RTM_GETLINK: u16 = 18;
pub const RTM_SETLINK: u16 = 19;
pub const RTM_NEWADDR: u16 = 20;
pub const RTM_DELADDR: u16 = 21;
pub const RTM_GETADDR: u16 = 22;
pub const RTM_NEWROUTE: u16 = 24;
pub const RTM_DELROUTE: u16 = 25;
pub const RTM_GETROUTE: u16 = 26;
pub const RTM_NEWNEIGH: u16 = 28;
pub const RTM_NEWNEXTHOP: u16 = 104;
pub const RTM_DELNEXTHOP: u16 = 105;
pub const RTM_GETNEXTHOP: u16 = 106;

pub const NLM_F_REQUEST: u16 = 0x01;
pub const NLM_F_ACK: u16 = 0x04;
/// The list is not of one moment: something changed while it was made.
pub const NLM_F_DUMP_INTR: u16 = 0x10;
pub const NLM_F_DUMP: u16 = 0x300;
pub const NLM_F_REPLACE: u16 = 0x100;
pub const NLM_F_CREATE: u16 = 0x400;
pub const NLM_F_EXCL: u16 = 0x200;

/// A message as it lies in a receive buffer.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    pub seq: u32,
    /// Socket of the process that caused the message; zero is the kernel itself.
    pub port: u32,
    pub payload: &'a [u8],
}

/// The messages of one datagram. What is cut off ends it.
pub fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let len = u32_at(rest, 0)? as usize;
        let payload = rest.get(NLMSG_HDR..len)?;
        let message = Message {
            kind: u16_at(rest, 4)?,
            flags: u16_at(rest, 6)?,
            seq: u32_at(rest, 8)?,
            port: u32_at(rest, 12)?,
            payload,
        };
        rest = rest.get(align(len)..).unwrap_or_default();
        Some(message)
    })
}

/// Attributes: kind (without the nesting and byte-order flags) and value.
pub fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)? & 0x3fff;
        let value = rest.get(4..len)?;
        rest = rest.get(align(len)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The next hops of RTA_MULTIPATH: flags, hops, interface and attributes of each.
pub fn next_hops(mut rest: &[u8]) -> impl Iterator<Item = (u8, u8, u32, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(rest, 0)?);
        let attributes = rest.get(8..len)?;
        let hop = (*rest.get(2)?, *rest.get(3)?, u32_at(rest, 4)?, attributes);
        rest = rest.get(align(len)..).unwrap_or_default();
        Some(hop)
    })
}

pub const fn align(len: usize) -> usize {
    (len + 3) & !3
}

pub fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

pub fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

pub fn i32_at(octets: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

/// Writes messages one after another into a buffer that is used again.
#[derive(Debug, Default)]
pub struct Builder {
    pub octets: Vec<u8>,
    start: usize,
}

impl Builder {
    /// Opens a message.
    pub fn begin(&mut self, kind: u16, flags: u16, seq: u32) {
        self.start = self.octets.len();
        self.octets.extend([0; 4]);
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend(flags.to_ne_bytes());
        self.octets.extend(seq.to_ne_bytes());
        self.octets.extend([0; 4]);
    }

    /// Closes it: its length is known.
    pub fn end(&mut self) {
        let len = (self.octets.len() - self.start) as u32;
        if let Some(slot) = self.octets.get_mut(self.start..self.start + 4) {
            slot.copy_from_slice(&len.to_ne_bytes());
        }
        self.pad();
    }

    /// Sets flags of the message that was begun last.
    pub fn add_flags(&mut self, flags: u16) {
        let at = self.start + 6;
        let present = u16_at(&self.octets, at).unwrap_or_default();
        if let Some(slot) = self.octets.get_mut(at..at + 2) {
            slot.copy_from_slice(&(present | flags).to_ne_bytes());
        }
    }

    pub fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.octets.extend((value.len() as u16 + 4).to_ne_bytes());
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend(value);
        self.pad();
    }

    pub fn attribute_u32(&mut self, kind: u16, value: u32) {
        self.attribute(kind, &value.to_ne_bytes());
    }

    /// Writes what goes inside an attribute (or anything else that begins with its own length in two octets).
    pub fn nested(&mut self, header: &[u8], inner: impl FnOnce(&mut Self)) {
        let at = self.octets.len();
        self.octets.extend([0; 2]);
        self.octets.extend(header);
        inner(self);
        let len = (self.octets.len() - at) as u16;
        if let Some(slot) = self.octets.get_mut(at..at + 2) {
            slot.copy_from_slice(&len.to_ne_bytes());
        }
        self.pad();
    }

    fn pad(&mut self) {
        self.octets.resize(align(self.octets.len()), 0);
    }
}
