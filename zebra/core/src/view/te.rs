//! The part of `show interface` about `link-params`.

use std::fmt;
use std::net::Ipv4Addr;

use indexmap::IndexMap;
use serde::Serialize;

use crate::te::{Bandwidth, LinkParams, default_bandwidth};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkParamsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub te_metric: Option<u32>,
    #[serde(serialize_with = "octets")]
    pub maximum_bandwidth: Bandwidth,
    #[serde(serialize_with = "octets")]
    pub maximum_reservable_bandwidth: Bandwidth,
    pub unreserved_bandwidth: IndexMap<String, f64>,
    #[serde(skip)]
    unreserved: [Bandwidth; 8],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrative_group: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_delay_average: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_delay_minimum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_delay_maximum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_delay_variation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_packet_loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_octets")]
    pub available_bandwidth: Option<Bandwidth>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_octets")]
    pub residual_bandwidth: Option<Bandwidth>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_octets")]
    pub utilized_bandwidth: Option<Bandwidth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor_asbr_ip: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor_asbr_as: Option<u32>,
}

fn octets<S: serde::Serializer>(value: &Bandwidth, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.0.into())
}

fn some_octets<S: serde::Serializer>(value: &Option<Bandwidth>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| f64::from(value.0)).serialize(serializer)
}

impl LinkParamsView {
    /// `by_name`: the group that affinities come to, where no pattern is given.
    pub fn new(params: &LinkParams, megabits: Option<u32>, by_name: Option<u32>) -> Self {
        let otherwise = default_bandwidth(megabits);
        let unreserved = params.unreserved.map(|value| value.unwrap_or(otherwise));
        let named =
            unreserved.iter().enumerate().map(|(class, value)| (format!("classType{class}"), value.0.into()));
        Self {
            te_metric: params.metric,
            maximum_bandwidth: params.max_bandwidth.unwrap_or(otherwise),
            maximum_reservable_bandwidth: params.max_reservable.unwrap_or(otherwise),
            unreserved_bandwidth: named.collect(),
            unreserved,
            administrative_group: params.admin_group.or(by_name),
            link_delay_average: params.delay.map(|delay| delay.average),
            link_delay_minimum: params.delay.and_then(|delay| Some(delay.bounds?.0)),
            link_delay_maximum: params.delay.and_then(|delay| Some(delay.bounds?.1)),
            link_delay_variation: params.delay_variation,
            link_packet_loss: params.loss.map(|loss| loss.percent()),
            available_bandwidth: params.available,
            residual_bandwidth: params.residual,
            utilized_bandwidth: params.utilized,
            neighbor_asbr_ip: params.neighbor.map(|(addr, _)| addr),
            // FRR has the key in any case.
            neighbor_asbr_as: Some(params.neighbor.map_or(0, |(_, asn)| asn)),
        }
    }
}

impl fmt::Display for LinkParamsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Traffic Engineering Link Parameters:")?;
        if let Some(metric) = self.te_metric {
            writeln!(f, "    TE metric {metric}")?;
        }
        writeln!(f, "    Maximum Bandwidth {} (Byte/s)", self.maximum_bandwidth)?;
        writeln!(f, "    Maximum Reservable Bandwidth {} (Byte/s)", self.maximum_reservable_bandwidth)?;
        writeln!(f, "    Unreserved Bandwidth per Class Type in Byte/s:")?;
        let (pairs, _) = self.unreserved.as_chunks::<2>();
        for (row, [even, odd]) in pairs.iter().enumerate() {
            let class = row * 2;
            writeln!(f, "      [{class}]: {even} (Bytes/sec),\t[{}]: {odd} (Bytes/sec)", class + 1)?;
        }
        if let Some(group) = self.administrative_group {
            writeln!(f, "    Administrative Group:{group}")?;
        }
        if let Some(average) = self.link_delay_average {
            write!(f, "    Link Delay Average: {average} (micro-sec.)")?;
            if let (Some(min), Some(max)) = (self.link_delay_minimum, self.link_delay_maximum) {
                write!(f, " Min:  {min} (micro-sec.) Max:  {max} (micro-sec.)")?;
            }
            writeln!(f)?;
        }
        if let Some(variation) = self.link_delay_variation {
            writeln!(f, "    Link Delay Variation {variation} (micro-sec.)")?;
        }
        if let Some(loss) = self.link_packet_loss {
            writeln!(f, "    Link Packet Loss {loss:.6} (in %)")?;
        }
        for (name, value) in [
            ("Available", self.available_bandwidth),
            ("Residual", self.residual_bandwidth),
            ("Utilized", self.utilized_bandwidth),
        ] {
            if let Some(value) = value {
                writeln!(f, "    {name} Bandwidth {value} (Byte/s)")?;
            }
        }
        if let (Some(addr), Some(asn)) = (self.neighbor_asbr_ip, self.neighbor_asbr_as) {
            writeln!(f, "    Neighbor ASBR IP: {addr} AS: {asn} ")?;
        }
        Ok(())
    }
}
