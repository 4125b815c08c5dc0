//! Intra-area-prefix-LSA (RFC 5340 §A.4.10): the prefixes of a router or of a transit network.

use bytes::{BufMut, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::Reader;

use super::LsaPrefix;
use crate::{LsId, LsType, LsaKey, Refusal};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PrefixMetric {
    pub prefix: LsaPrefix,
    pub metric: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntraAreaPrefixLsa {
    /// The router-LSA (Link State ID 0) or network-LSA the prefixes belong to.
    pub referenced: LsaKey,
    pub prefixes: Vec<PrefixMetric>,
}

impl IntraAreaPrefixLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        let (count, ty) = (usize::from(r.u16()?), LsType(r.u16()?));
        let referenced = LsaKey { ty, id: LsId(r.u32()?), adv: RouterId(r.ipv4()?) };
        let mut prefixes = Vec::with_capacity(count.min(r.len() / 4));
        for _ in 0..count {
            let (prefix, metric) = LsaPrefix::read(r)?;
            prefixes.push(PrefixMetric { prefix, metric });
        }
        Ok(Self { referenced, prefixes })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u16(self.prefixes.len() as u16);
        buf.put_u16(self.referenced.ty.0);
        buf.put_u32(self.referenced.id.0);
        buf.put_slice(&self.referenced.adv.0.octets());
        self.prefixes.iter().for_each(|entry| entry.prefix.put(entry.metric, buf));
    }
}
