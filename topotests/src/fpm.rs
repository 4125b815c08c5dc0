//! A forwarding plane manager as a test has it: reads the stream of FRR's `dplane_fpm_nl` (a header of four octets, then a netlink
//! message), rebuilds the table from it, and refuses what its hardware could not do. It shares no code with zebra.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hop {
    gateway: Option<IpAddr>,
    ifindex: u32,
    weight: u8,
    blackhole: bool,
}

#[derive(Clone, Debug)]
enum Object {
    Hop(Hop),
    Group(Vec<(u32, u8)>),
}

#[derive(Clone, Debug)]
struct Route {
    protocol: u8,
    kind: u8,
    group: Option<u32>,
    hops: Vec<Hop>,
    /// As it came, for the answer.
    message: Vec<u8>,
}

/// What the stream has said.
#[derive(Debug, Default)]
pub struct Manager {
    buffer: Vec<u8>,
    objects: BTreeMap<u32, Object>,
    /// By table and prefix.
    routes: BTreeMap<(u32, String), Route>,
    counts: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

impl Manager {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn fault(&mut self, text: String) {
        if self.faults.len() < 20 {
            self.faults.push(text);
        }
    }

    /// Takes octets off the stream.
    pub fn read(&mut self, octets: &[u8]) {
        self.buffer.extend(octets);
        while let Some(&[version, kind, high, low]) = self.buffer.first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            if version != 1 || kind != 1 || length < 20 {
                self.fault(format!("header {version} {kind} {length}"));
                self.buffer.clear();
                return;
            }
            if self.buffer.len() < length {
                return;
            }
            let frame: Vec<u8> = self.buffer.drain(..length).collect();
            self.message(&frame[4..]);
        }
    }

    fn message(&mut self, message: &[u8]) {
        let length = u32_at(message, 0) as usize;
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        let Some(body) = message.get(16..length) else {
            return self.fault(format!("a message of {length} octets in {}", message.len()));
        };
        self.count("messages");
        match kind {
            RTM_NEWROUTE | RTM_DELROUTE => self.route(kind, body, message),
            RTM_NEWNEXTHOP => self.object(body),
            RTM_DELNEXTHOP => {
                self.count("objectsGone");
                let id = attribute(body.get(8..).unwrap_or_default(), 1).map_or(0, |id| u32_at(id, 0));
                if self.objects.remove(&id).is_none() {
                    self.fault(format!("next hop {id} goes and was never there"));
                }
                if let Some((prefix, _)) = self.routes.iter().find(|(_, route)| route.group == Some(id)) {
                    let text = format!("next hop {id} goes while {prefix:?} names it");
                    self.fault(text);
                }
            }
            _ => self.fault(format!("a message of kind {kind}")),
        }
    }

    fn route(&mut self, kind: u16, body: &[u8], message: &[u8]) {
        let (Some(&[family, len, _, _, small, protocol, _, rtype]), Some(rest)) =
            (body.first_chunk::<8>(), body.get(12..))
        else {
            return self.fault("half a route".to_owned());
        };
        if family != AF_INET && family != AF_INET6 {
            return self.count("lsps");
        }
        let addr = attribute(rest, 1).and_then(|value| address(family, value));
        let any: IpAddr =
            if family == AF_INET { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let table = attribute(rest, 15).map_or(u32::from(small), |value| u32_at(value, 0));
        let key = (table, format!("{}/{len}", addr.unwrap_or(any)));
        if kind == RTM_DELROUTE {
            self.count("routesGone");
            self.routes.remove(&key);
            return;
        }
        self.count("routes");
        let group = attribute(rest, 30).map(|value| u32_at(value, 0));
        if group.is_some_and(|id| !self.objects.contains_key(&id)) {
            self.fault(format!("{key:?} names next hop {group:?}, which was not told"));
        }
        let hops = match attribute(rest, 9) {
            Some(several) => multipath(family, several),
            None if group.is_some() || rtype != 1 => Vec::new(),
            None => vec![hop(family, rest, 0, 1)],
        };
        self.routes.insert(key, Route { protocol, kind: rtype, group, hops, message: message.to_vec() });
    }

    fn object(&mut self, body: &[u8]) {
        self.count("objects");
        let (Some(&[family, ..]), Some(rest)) = (body.first_chunk::<8>(), body.get(8..)) else {
            return self.fault("half a next hop".to_owned());
        };
        let id = attribute(rest, 1).map_or(0, |value| u32_at(value, 0));
        let object = match attribute(rest, 2) {
            Some(members) => {
                let members = members.chunks_exact(8).map(|m| (u32_at(m, 0), m[4].saturating_add(1)));
                let members: Vec<(u32, u8)> = members.collect();
                if members.iter().any(|(member, _)| !self.objects.contains_key(member)) {
                    self.fault(format!("group {id} has a member that was not told"));
                }
                Object::Group(members)
            }
            None => Object::Hop(Hop {
                gateway: attribute(rest, 6).and_then(|value| address(family, value)),
                ifindex: attribute(rest, 5).map_or(0, |value| u32_at(value, 0)),
                weight: 1,
                blackhole: attribute(rest, 4).is_some(),
            }),
        };
        self.objects.insert(id, object);
    }

    fn resolve(&self, route: &Route) -> Vec<Hop> {
        let mut hops = match route.group.and_then(|id| self.objects.get(&id)) {
            None => route.hops.clone(),
            Some(Object::Hop(hop)) => vec![hop.clone()],
            Some(Object::Group(members)) => members
                .iter()
                .filter_map(|(id, weight)| match self.objects.get(id) {
                    Some(Object::Hop(hop)) => Some(Hop { weight: *weight, ..hop.clone() }),
                    _ => None,
                })
                .collect(),
        };
        hops.sort_unstable();
        hops
    }

    /// The table, in terms that do not depend on who names which object how.
    pub fn table(&self) -> Value {
        let mut routes = serde_json::Map::new();
        for ((table, prefix), route) in &self.routes {
            let hops: Vec<Value> = self
                .resolve(route)
                .iter()
                .filter(|hop| !hop.blackhole)
                .map(|hop| {
                    let gateway = hop.gateway.map(|gateway| gateway.to_string());
                    json!({"gateway": gateway, "ifindex": hop.ifindex, "weight": hop.weight})
                })
                .collect();
            let whole = json!({"protocol": route.protocol, "type": route.kind, "nexthops": hops});
            routes.insert(
                if *table == 254 { prefix.clone() } else { format!("{prefix} table {table}") },
                whole,
            );
        }
        Value::Object(routes)
    }

    pub fn state(&self) -> Value {
        let grouped = self.routes.values().filter(|route| route.group.is_some()).count();
        json!({"counts": self.counts, "faults": self.faults, "held": self.routes.len(), "grouped": grouped,
               "objectsHeld": self.objects.len()})
    }

    /// The answer of hardware that has made something of every route: each of them again, with these flags and no table.
    pub fn notices(&self, flags: u32) -> Vec<u8> {
        let mut out = Vec::new();
        for route in self.routes.values() {
            let mut message = route.message.clone();
            message[20] = 0;
            message[24..28].copy_from_slice(&flags.to_ne_bytes());
            out.extend([1, 1]);
            out.extend((message.len() as u16 + 4).to_be_bytes());
            out.extend(message);
        }
        out
    }
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    let four = octets.get(at..).and_then(|rest| rest.first_chunk::<4>());
    four.map_or(0, |four| u32::from_ne_bytes(*four))
}

fn attribute(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    while let Some(&[a, b, c, d]) = rest.first_chunk::<4>() {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = rest.get(4..length)?;
        if u16::from_ne_bytes([c, d]) & 0x3fff == wanted {
            return Some(value);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

fn address(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => Some(Ipv4Addr::from(*value.first_chunk::<4>()?).into()),
        AF_INET6 => Some(Ipv6Addr::from(*value.first_chunk::<16>()?).into()),
        _ => None,
    }
}

fn hop(family: u8, attributes: &[u8], ifindex: u32, weight: u8) -> Hop {
    let via = attribute(attributes, 18).and_then(|via| address(*via.first()?, via.get(2..)?));
    let gateway = attribute(attributes, 5).and_then(|value| address(family, value)).or(via);
    let ifindex = attribute(attributes, 4).map_or(ifindex, |value| u32_at(value, 0));
    Hop { gateway, ifindex, weight, blackhole: false }
}

fn multipath(family: u8, mut rest: &[u8]) -> Vec<Hop> {
    let mut hops = Vec::new();
    while let Some(&[a, b, _, weight, ..]) = rest.first_chunk::<8>() {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let Some(attributes) = rest.get(8..length) else { break };
        hops.push(hop(family, attributes, u32_at(rest, 4), weight.saturating_add(1)));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}
