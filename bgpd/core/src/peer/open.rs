//! OPENs: ours from the configuration, theirs judged, and what follows from both (RFC 4271 §6.2, RFC 5492, RFC 6286,
//! RFC 6793 §4.1, RFC 7911 §4, RFC 9234 §4.2).

use bgp_packet::attr::{DecodeContext, EncodeContext, SessionKind};
use bgp_packet::capability::{AddPathMode, Capability, FamilyCode, OrfMode, Role};
use bgp_packet::header::{MAX_LEN, MAX_LEN_EXTENDED};
use bgp_packet::notification::{Notification, open as codes};
use bgp_packet::orf::PREFIX_TYPE;
use bgp_packet::{Family, FamilySet, Open};
use bytes::BytesMut;
use ferrite_types::{Afi, Asn, RouterId, Safi};

use super::Ends;
use super::config::SessionConfig;

/// What two ends agreed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Negotiated {
    pub kind: SessionKind,
    pub local_as: Asn,
    pub remote_as: Asn,
    pub remote_id: RouterId,
    pub ends: Ends,
    /// Seconds; zero: none.
    pub hold_time: u16,
    pub keepalive: u16,
    pub four_octet: bool,
    pub families: FamilySet,
    pub add_path_receive: FamilySet,
    pub add_path_send: FamilySet,
    /// Families in which we send outbound route filters, and take them (RFC 5291).
    pub orf_send: FamilySet,
    pub orf_receive: FamilySet,
    pub extended_next_hop: bool,
    pub extended_message: bool,
    pub route_refresh: bool,
    pub enhanced_refresh: bool,
    pub remote_role: Option<Role>,
    /// Host and domain name of the neighbour.
    pub hostname: Option<(String, String)>,
    pub software_version: Option<String>,
    /// Both OPENs as they were, for shows.
    pub sent: Open,
    pub received: Open,
    enforce_first_as: bool,
}

impl Negotiated {
    /// How to read the neighbour's UPDATEs.
    pub fn decode_context(&self, config: &SessionConfig) -> DecodeContext {
        DecodeContext {
            kind: self.kind,
            four_octet: self.four_octet,
            families: self.families,
            add_path: self.add_path_receive,
            extended_next_hop: self.extended_next_hop,
            enforce_first_as: self.enforce_first_as.then_some(self.remote_as),
            aigp: config.aigp || config.oad || self.kind != SessionKind::External,
            local_pref: config.oad,
            martian_next_hops: config.allow_martian_nexthop,
            discard: config.discard,
            withdraw: config.withdraw,
            limits: config.limits,
            orf: self.orf_receive,
        }
    }

    /// How to read our own UPDATEs, as the log does: nothing in them is refused.
    pub fn sent_context(&self) -> DecodeContext {
        DecodeContext {
            four_octet: self.four_octet,
            families: self.families,
            add_path: self.add_path_send,
            extended_next_hop: self.extended_next_hop,
            local_pref: true,
            martian_next_hops: true,
            aigp: true,
            ..DecodeContext::new(SessionKind::Internal)
        }
    }

    /// How to write UPDATEs for the neighbour.
    pub fn encode_context(&self) -> EncodeContext {
        EncodeContext { four_octet: self.four_octet, add_path: self.add_path_send, max_len: self.max_len() }
    }

    /// Paths of a prefix that the neighbour wants at most; zero where it did not say.
    pub fn paths_limit(&self, family: Family) -> u16 {
        let entries = self.received.capabilities.iter().filter_map(|c| match c {
            Capability::PathsLimit(entries) => Some(entries),
            _ => None,
        });
        let of_family = |(code, limit): &(FamilyCode, u16)| (code.known() == Some(family)).then_some(*limit);
        entries.flatten().find_map(of_family).filter(|_| self.add_path_send.contains(family)).unwrap_or(0)
    }

    /// Longest message, octets.
    pub const fn max_len(&self) -> usize {
        if self.extended_message { MAX_LEN_EXTENDED } else { MAX_LEN }
    }
}

/// Our OPEN.
pub fn our_open(config: &SessionConfig) -> Open {
    let mut capabilities = Vec::new();
    if config.send_capabilities {
        capabilities.extend(config.families.iter().map(|family| Capability::Multiprotocol(family.into())));
        capabilities.push(Capability::RouteRefreshOld);
        capabilities.push(Capability::RouteRefresh);
        capabilities.push(Capability::EnhancedRouteRefresh);
        capabilities.push(Capability::FourOctetAs(config.our_as()));
        if config.extended_message {
            capabilities.push(Capability::ExtendedMessage);
        }
        capabilities.extend(our_extended_next_hop(config));
        capabilities.extend(our_add_path(config));
        capabilities.extend(our_paths_limit(config));
        capabilities.extend(our_orf(config));
        capabilities.extend(config.role.map(|(role, _)| Capability::Role(role as u8)));
        let name = config.hostname.clone();
        capabilities.extend(name.map(|(host, domain)| Capability::Hostname { host, domain }));
        capabilities.extend(config.graceful_restart.clone().map(Capability::GracefulRestart));
        capabilities.extend(config.long_lived.clone().map(Capability::LongLivedGracefulRestart));
        capabilities.extend(config.dynamic.then_some(Capability::Dynamic));
        capabilities.extend(config.software_version.clone().map(Capability::SoftwareVersion));
    }
    let open = Open::new(config.our_as(), config.hold_time, config.router_id, capabilities);
    Open { extended: config.extended_parameters, ..open }
}

fn our_extended_next_hop(config: &SessionConfig) -> Option<Capability> {
    let ipv4 = config.families.iter().filter(|family| family.afi == Afi::Ipv4);
    let entries: Vec<_> = ipv4.map(|family| (FamilyCode::from(family), Afi::Ipv6.code())).collect();
    (config.extended_next_hop && !entries.is_empty()).then_some(Capability::ExtendedNextHop(entries))
}

fn our_orf(config: &SessionConfig) -> Option<Capability> {
    let entries: Vec<_> = config
        .families
        .iter()
        .filter_map(|family| {
            let mode = match (config.orf_send.contains(family), config.orf_receive.contains(family)) {
                (true, true) => OrfMode::Both,
                (true, false) => OrfMode::Send,
                (false, true) => OrfMode::Receive,
                (false, false) => return None,
            };
            Some((FamilyCode::from(family), PREFIX_TYPE, mode))
        })
        .collect();
    (!entries.is_empty()).then_some(Capability::Orf(entries))
}

fn our_add_path(config: &SessionConfig) -> Option<Capability> {
    let entries: Vec<_> = config
        .families
        .iter()
        .filter_map(|family| {
            let mode = match (config.add_path_receive.contains(family), config.add_path_send.contains(family))
            {
                (true, true) => AddPathMode::Both,
                (true, false) => AddPathMode::Receive,
                (false, true) => AddPathMode::Send,
                (false, false) => return None,
            };
            Some((FamilyCode::from(family), mode))
        })
        .collect();
    (!entries.is_empty()).then_some(Capability::AddPath(entries))
}

fn our_paths_limit(config: &SessionConfig) -> Option<Capability> {
    let entries: Vec<_> =
        config.paths_limits.iter().map(|(family, limit)| (FamilyCode::from(*family), *limit)).collect();
    (!entries.is_empty()).then_some(Capability::PathsLimit(entries))
}

/// Judges their OPEN against the configuration.
pub fn negotiate(config: &SessionConfig, received: Open, ends: Ends) -> Result<Negotiated, Notification> {
    let kind = check_as(config, &received)?;
    check_identifier(config, kind, &received)?;
    let hold_time = agree_hold_time(config, &received)?;
    let remote_role = check_role(config, kind, &received)?;
    let sent = our_open(config);
    let families = agree_families(config, &sent, &received)?;
    if config.strict_capabilities {
        check_strict(&sent, &received)?;
    }
    let ours = |wanted: fn(&Capability) -> bool| sent.capabilities.iter().any(wanted);
    let theirs = |wanted: fn(&Capability) -> bool| received.capabilities.iter().any(wanted);
    let both = |wanted: fn(&Capability) -> bool| ours(wanted) && theirs(wanted);
    let keepalive = if hold_time == 0 { 0 } else { config.keepalive.min(hold_time / 3) };
    Ok(Negotiated {
        kind,
        local_as: config.our_as(),
        remote_as: received.asn,
        remote_id: received.router_id,
        ends,
        hold_time,
        keepalive,
        four_octet: both(|c| matches!(c, Capability::FourOctetAs(_))),
        families,
        add_path_receive: agree_add_path(families, config.add_path_receive, &received, AddPathMode::sends),
        add_path_send: agree_add_path(families, config.add_path_send, &received, AddPathMode::receives),
        orf_send: agree_orf(families, config.orf_send, &received, OrfMode::receives),
        orf_receive: agree_orf(families, config.orf_receive, &received, OrfMode::sends),
        extended_next_hop: agree_extended_next_hop(config, &received),
        extended_message: both(|c| matches!(c, Capability::ExtendedMessage)),
        route_refresh: both(|c| matches!(c, Capability::RouteRefresh | Capability::RouteRefreshOld)),
        enhanced_refresh: both(|c| matches!(c, Capability::EnhancedRouteRefresh)),
        remote_role,
        hostname: find(&received, |c| match c {
            Capability::Hostname { host, domain } => Some((host.clone(), domain.clone())),
            _ => None,
        }),
        software_version: find(&received, |c| match c {
            Capability::SoftwareVersion(text) => Some(text.clone()),
            _ => None,
        }),
        enforce_first_as: config.enforce_first_as,
        sent,
        received,
    })
}

fn find<T>(open: &Open, wanted: impl Fn(&Capability) -> Option<T>) -> Option<T> {
    open.capabilities.iter().find_map(wanted)
}

/// The AS is the one that is configured, and its two forms agree (RFC 6793 §4.1, §9; RFC 7607).
fn check_as(config: &SessionConfig, open: &Open) -> Result<SessionKind, Notification> {
    let refuse = || Notification::new(codes::CODE, codes::BAD_PEER_AS, &open.two_octet_as.to_be_bytes());
    let narrow = Asn(open.two_octet_as.into());
    let four_octet = open.capabilities.iter().any(|c| matches!(c, Capability::FourOctetAs(_)));
    let agree = narrow == open.asn || (four_octet && narrow == Asn::TRANS);
    if open.asn.0 == 0 || open.asn == Asn::TRANS || !agree {
        return Err(refuse());
    }
    config.kind_of(open.asn).ok_or_else(refuse)
}

/// RFC 6286 §2.2: not zero, and within an AS not ours.
fn check_identifier(config: &SessionConfig, kind: SessionKind, open: &Open) -> Result<(), Notification> {
    let ours = kind == SessionKind::Internal && open.router_id == config.router_id;
    if open.router_id.is_unset() || ours {
        let data = open.router_id.0.octets();
        return Err(Notification::new(codes::CODE, codes::BAD_IDENTIFIER, &data));
    }
    Ok(())
}

/// The smaller of the two; one or two seconds were refused when the OPEN was read.
fn agree_hold_time(config: &SessionConfig, open: &Open) -> Result<u16, Notification> {
    if open.hold_time != 0 && open.hold_time < config.minimum_hold_time {
        let data = open.hold_time.to_be_bytes();
        return Err(Notification::new(codes::CODE, codes::HOLD_TIME, &data));
    }
    Ok(config.hold_time.min(open.hold_time))
}

/// Roles belong together, do not contradict each other, and exist only between ASes (RFC 9234 §4.2).
fn check_role(config: &SessionConfig, kind: SessionKind, open: &Open) -> Result<Option<Role>, Notification> {
    let mismatch = || Notification::new(codes::CODE, codes::ROLE_MISMATCH, &[]);
    let mut roles = open.capabilities.iter().filter_map(|c| match c {
        Capability::Role(code) => Some(*code),
        _ => None,
    });
    let first = roles.next();
    // Several of one value are one (§4.2).
    let contradicting = roles.any(|code| Some(code) != first);
    let theirs = first.and_then(Role::from_code);
    let Some((ours, strict)) = config.role.filter(|_| kind != SessionKind::Internal) else {
        return Ok(theirs);
    };
    match (first, theirs) {
        _ if contradicting => Err(mismatch()),
        (None, _) if strict => Err(mismatch()),
        (None, _) => Ok(None),
        (Some(_), Some(role)) if ours.fits(role) => Ok(Some(role)),
        (Some(_), _) => Err(mismatch()),
    }
}

/// Families announced by both; a speaker that announces none means IPv4 unicast (RFC 4760 §8).
fn agree_families(config: &SessionConfig, sent: &Open, received: &Open) -> Result<FamilySet, Notification> {
    let announced = |open: &Open| {
        let mut any = false;
        let set: FamilySet = open
            .capabilities
            .iter()
            .filter_map(|c| match c {
                Capability::Multiprotocol(code) => {
                    any = true;
                    code.known()
                }
                _ => None,
            })
            .collect();
        if any { set } else { FamilySet::EMPTY.with(Family::IPV4_UNICAST) }
    };
    if config.override_capabilities {
        return Ok(config.families);
    }
    let ours = if config.send_capabilities { announced(sent) } else { config.families };
    let families = ours.intersection(announced(received));
    if families.is_empty() { Err(unsupported(sent.capabilities.iter())) } else { Ok(families) }
}

/// "Unsupported capability" with what was missing (RFC 5492 §5).
fn unsupported<'a>(missing: impl Iterator<Item = &'a Capability>) -> Notification {
    let mut data = BytesMut::new();
    missing.for_each(|capability| capability.encode(&mut data));
    Notification::new(codes::CODE, codes::CAPABILITY, &data)
}

/// `strict-capability-match`: they know every kind of capability that we announce, and every family.
fn check_strict(sent: &Open, received: &Open) -> Result<(), Notification> {
    let known = |ours: &Capability| match ours {
        Capability::Multiprotocol(_) => received.capabilities.contains(ours),
        _ => received.capabilities.iter().any(|theirs| theirs.code() == ours.code()),
    };
    let mut missing = sent.capabilities.iter().filter(|ours| !known(ours)).peekable();
    if missing.peek().is_some() { Err(unsupported(missing)) } else { Ok(()) }
}

fn agree_add_path(
    families: FamilySet,
    ours: FamilySet,
    received: &Open,
    theirs: fn(AddPathMode) -> bool,
) -> FamilySet {
    let offered = received.capabilities.iter().filter_map(|c| match c {
        Capability::AddPath(entries) => Some(entries),
        _ => None,
    });
    let offered: FamilySet =
        offered.flatten().filter(|(_, mode)| theirs(*mode)).filter_map(|(code, _)| code.known()).collect();
    families.intersection(ours).intersection(offered)
}

fn agree_orf(
    families: FamilySet,
    ours: FamilySet,
    received: &Open,
    theirs: fn(OrfMode) -> bool,
) -> FamilySet {
    let offered = received.capabilities.iter().filter_map(|c| match c {
        Capability::Orf(entries) => Some(entries),
        _ => None,
    });
    let offered: FamilySet = offered
        .flatten()
        .filter(|(_, kind, mode)| *kind == PREFIX_TYPE && theirs(*mode))
        .filter_map(|(code, _, _)| code.known())
        .collect();
    families.intersection(ours).intersection(offered)
}

fn agree_extended_next_hop(config: &SessionConfig, received: &Open) -> bool {
    let ipv4 = FamilyCode { afi: Afi::Ipv4.code(), safi: Safi::Unicast.code() };
    config.extended_next_hop
        && received.capabilities.iter().any(|c| match c {
            Capability::ExtendedNextHop(entries) => entries.contains(&(ipv4, Afi::Ipv6.code())),
            _ => false,
        })
}
