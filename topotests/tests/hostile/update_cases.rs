//! UPDATE as a whole: lengths, what is missing, what stands twice, the multiprotocol attributes, sizes.

use std::net::Ipv6Addr;

use topotests::Family;
use topotests::bgp::attrs::{self, sequence};

use super::case::{Case, Ctx, Expect, HOP6, HOSTILE_AS, Peer, WITHDRAWN, Which, kept, kept_with};
use super::octets::{OPTIONAL, OT, PARTIAL, attr, nlri, reach, unreach, update, update_claiming};

/// NLRI that nobody can make sense of: the session ends (RFC 7606 §5.3).
const BAD_NLRI: Expect = Expect::Reset(&[(3, 10), (3, 1), (3, 9)]);
const ANY_UPDATE_ERROR: Expect = Expect::Reset(&[(3, 255)]);

pub fn all() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(missing());
    cases.extend(doubled());
    cases.extend(prefixes());
    cases.extend(multiprotocol());
    cases.extend(odd_multiprotocol());
    cases.extend(next_hops());
    cases.extend(end_of_table());
    cases.extend(sizes());
    cases
}

fn lengths() -> Vec<Case> {
    let lists = Expect::Reset(&[(3, 1)]);
    let short = |name, more: &'static [u8]| {
        Case::update(name, |ctx: &Ctx| ctx.announce(&[&ctx.all_but(&[])[..], more].concat()), WITHDRAWN)
    };
    vec![
        Case::update(
            "attributes longer than the message (CVE-2017-15865, CVE-2018-5378)",
            |ctx| update_claiming(0, &[], 4000, &ctx.all_but(&[]), &nlri(&[ctx.v4])),
            lists.clone(),
        ),
        Case::update(
            "withdrawn routes longer than the message",
            |ctx| update_claiming(4000, &[], 0, &ctx.all_but(&[]), &[]),
            lists.clone(),
        ),
        Case::update(
            "withdrawn routes that leave no room for the attributes' length",
            |ctx| update_claiming(5, &nlri(&[ctx.v4]), 0, &[], &[]),
            lists.clone(),
        ),
        Case::update(
            "both lengths at their maximum",
            |_| update_claiming(0xffff, &[], 0xffff, &[], &[0; 40]),
            lists.clone(),
        ),
        Case::update(
            "withdrawn length smaller than its element (CVE-2026-37462)",
            |_| update_claiming(1, &[24], 0, &[], &[]),
            BAD_NLRI,
        ),
        Case::update(
            "attributes' length smaller than its element (CVE-2026-37462)",
            |ctx| update_claiming(0, &[], 2, &[0x40, 1], &nlri(&[ctx.v4])),
            WITHDRAWN,
        ),
        short("an attribute past the end of all", &[OT, 99, 50, 1, 2]),
        short("an attribute of extended length past the end of all", &[OT | 0x10, 99, 0xff, 0xff, 1]),
        short("one octet left where an attribute should be", &[OT]),
        short("two octets left where an attribute should be", &[OT, 99]),
        short("three octets left where an extended attribute should be", &[OT | 0x10, 99, 0]),
        short("AIGP with fewer than 3 octets left", &[OPTIONAL, 26, 9, 1, 0]),
    ]
}

fn missing() -> Vec<Case> {
    let mut cases: Vec<Case> = [("ORIGIN", 1), ("AS_PATH", 2), ("NEXT_HOP", 3)]
        .into_iter()
        .flat_map(|(name, code)| {
            [Peer::External, Peer::Internal].map(|peer| {
                Case::update(
                    format!("{name} missing, {peer:?}"),
                    move |ctx: &Ctx| ctx.with(code, &[]),
                    WITHDRAWN,
                )
                .from(peer)
            })
        })
        .collect();
    cases.extend([
        Case::update("LOCAL_PREF missing from iBGP", |ctx| ctx.with(5, &[]), WITHDRAWN).from(Peer::Internal),
        Case::update("no attributes at all (CVE-2023-41358)", |ctx| ctx.announce(&[]), WITHDRAWN),
        Case::update(
            "only an unknown attribute, graceful restart agreed (CVE-2023-46753)",
            |ctx| ctx.announce(&attr(OT, 99, &[1, 2])),
            WITHDRAWN,
        )
        .from(Peer::Restarting),
        Case::update("only an unknown attribute", |ctx| ctx.announce(&attr(OT, 99, &[1, 2])), WITHDRAWN),
        Case::update(
            "MP_UNREACH beside bare NLRI (CVE-2023-47234)",
            |ctx| ctx.announce(&attr(OPTIONAL, 15, &unreach(Family::V6, &nlri(&[ctx.v6])))),
            Expect::Withdrawn(Which::Both),
        ),
        Case::update(
            "ORIGIN missing beside MP_REACH",
            |ctx| {
                let value = good_reach(ctx);
                update(&[], &[attr(OPTIONAL, 14, &value), ctx.all_but(&[1, 3])].concat(), &[])
            },
            Expect::Withdrawn(Which::V6),
        ),
        Case::update(
            "NLRI without NEXT_HOP beside a good MP_REACH",
            |ctx| ctx.announce(&[attr(OPTIONAL, 14, &good_reach(ctx)), ctx.all_but(&[3])].concat()),
            Expect::Withdrawn(Which::Both),
        ),
    ]);
    cases
}

fn good_reach(ctx: &Ctx) -> Vec<u8> {
    reach(Family::V6, 16, &HOP6.octets(), &nlri(&[ctx.v6]))
}

fn doubled() -> Vec<Case> {
    let again = |name: &str, octets: Vec<u8>, expect| {
        let build = move |ctx: &Ctx| ctx.announce(&[ctx.all_but(&[]), octets.clone()].concat());
        Case::update(format!("twice: {name}"), build, expect)
    };
    let twice = |code: u8, value: fn(&Ctx) -> Vec<u8>| {
        move |ctx: &Ctx| {
            let one = attr(OPTIONAL, code, &value(ctx));
            update(&[], &[one.clone(), one, ctx.all_but(&[3])].concat(), &[])
        }
    };
    vec![
        again("ORIGIN", attr(0x40, 1, &[2]), kept_with(0x40, 1, &[0])),
        again("AS_PATH", attr(0x40, 2, &sequence(&[1, 2])), kept()),
        again("NEXT_HOP, the second of wrong length", attr(0x40, 3, &[1]), kept()),
        again("COMMUNITIES", attr(OT, 8, &[0, 1, 0, 1]), kept()),
        again(
            "unknown attribute",
            [attr(OT, 99, &[1]), attr(OT, 99, &[2, 2])].concat(),
            kept_with(OT | PARTIAL, 99, &[1]),
        ),
        Case::update("twice: MP_REACH", twice(14, good_reach), Expect::Reset(&[(3, 1)])),
        Case::update(
            "twice: MP_UNREACH",
            twice(15, |ctx| unreach(Family::V6, &nlri(&[ctx.v6]))),
            Expect::Reset(&[(3, 1)]),
        ),
        Case::update(
            "CLUSTER_LIST and unknown attributes, several times each (CVE-2018-5379)",
            |ctx| {
                let more = [attr(OPTIONAL, 10, &[1, 1, 1, 1]), attr(OT, 99, &[1])].concat().repeat(3);
                ctx.announce(&[ctx.all_but(&[]), more].concat())
            },
            kept_with(OT | PARTIAL, 99, &[1]),
        )
        .from(Peer::Internal),
    ]
}

fn prefixes() -> Vec<Case> {
    let with_nlri = |name: &str, bad: &'static [u8], expect| {
        Case::update(
            name,
            |ctx: &Ctx| update(&[], &ctx.all_but(&[]), &[&nlri(&[ctx.v4])[..], bad].concat()),
            expect,
        )
    };
    let withdrawing =
        |name: &str, bad: &'static [u8], expect| Case::update(name, |_: &Ctx| update(bad, &[], &[]), expect);
    vec![
        with_nlri("NLRI of 33 bits", &[33, 1, 2, 3, 4, 5], BAD_NLRI),
        with_nlri("NLRI of 255 bits", &[255, 1], BAD_NLRI),
        with_nlri("NLRI past the end", &[32, 1, 2], BAD_NLRI),
        with_nlri("NLRI with a multicast prefix", &[4, 0xe0], kept()),
        Case::update(
            "NLRI with bits beyond its length",
            |ctx| {
                let [a, b, c, ..] = (ctx.v4.bits >> 96).to_be_bytes()[12..] else { return Vec::new() };
                update(&[], &ctx.all_but(&[]), &[23, a, b, c | 1, 24, a, b, c])
            },
            kept(),
        ),
        withdrawing("withdrawn route of 33 bits", &[33, 1, 2, 3, 4, 5], BAD_NLRI),
        withdrawing("withdrawn route past the end", &[24, 1], BAD_NLRI),
        withdrawing("withdrawal of what was never announced", &[24, 99, 99, 99], Expect::Ignored),
        Case::update(
            "withdrawal and announcement of one prefix",
            |ctx| update(&nlri(&[ctx.v4]), &ctx.all_but(&[]), &nlri(&[ctx.v4])),
            kept(),
        ),
        Case::update("withdrawal alone, no attributes", |ctx| update(&nlri(&[ctx.v4]), &[], &[]), WITHDRAWN),
        Case::update(
            "withdrawal beside malformed attributes",
            |ctx| update(&nlri(&[ctx.v4]), &attr(0x40, 1, &[9]), &[]),
            WITHDRAWN,
        ),
    ]
}

fn multiprotocol() -> Vec<Case> {
    let hop = HOP6.octets();
    let value = |name: &str, value: Vec<u8>, expect| {
        Case::update(format!("MP_REACH {name}"), move |ctx: &Ctx| ctx.with_reach(&value), expect)
    };
    let lost = |name: &str, value: Vec<u8>| {
        let octets = attr(OPTIONAL, 15, &value);
        Case::update(format!("MP_UNREACH {name}"), move |_: &Ctx| update(&[], &octets, &[]), ANY_UPDATE_ERROR)
    };
    vec![
        value("empty", Vec::new(), ANY_UPDATE_ERROR),
        value("of 2 octets", vec![0, 2], ANY_UPDATE_ERROR),
        value("without next hop's length", vec![0, 2, 1], ANY_UPDATE_ERROR),
        value("with next hop past the end (CVE-2023-46752)", vec![0, 2, 1, 200, 1, 2, 3], ANY_UPDATE_ERROR),
        value(
            "with next hop that ends the attribute",
            reach(Family::V6, 16, &hop, &[])[..20].to_vec(),
            ANY_UPDATE_ERROR,
        ),
        value(
            "with next hop of 0 octets",
            reach(Family::V6, 0, &[], &[48, 1, 2, 3, 4, 5, 6]),
            ANY_UPDATE_ERROR,
        ),
        value(
            "with next hop of 15 octets",
            reach(Family::V6, 15, &hop[..15], &[48, 1, 2, 3, 4, 5, 6]),
            ANY_UPDATE_ERROR,
        ),
        value(
            "with next hop of 17 octets",
            reach(Family::V6, 17, &[&hop[..], &[0]].concat(), &[48, 1, 2, 3, 4, 5, 6]),
            ANY_UPDATE_ERROR,
        ),
        value(
            "with NLRI of 129 bits",
            reach(Family::V6, 16, &hop, &[&[129][..], &[1; 17]].concat()),
            ANY_UPDATE_ERROR,
        ),
        value("with NLRI past the end", reach(Family::V6, 16, &hop, &[48, 1, 2]), ANY_UPDATE_ERROR),
        lost("empty", Vec::new()),
        lost("of 2 octets", vec![0, 2]),
        lost("with NLRI of 129 bits", unreach(Family::V6, &[&[129][..], &[1; 17]].concat())),
        lost("with NLRI past the end", unreach(Family::V6, &[48, 1])),
        Case::update(
            "MP_REACH of a family nobody agreed on",
            |ctx| {
                let value = [&[0, 25, 70, 4][..], &ctx.local.octets(), &[0, 1, 2, 3]].concat();
                ctx.announce(&[attr(OPTIONAL, 14, &value), ctx.all_but(&[])].concat())
            },
            Expect::Lives(None),
        ),
        Case::update(
            "MP_REACH marked transitive",
            |ctx| update(&[], &[attr(OT, 14, &good_reach(ctx)), ctx.all_but(&[3])].concat(), &[]),
            Expect::Withdrawn(Which::V6),
        ),
        Case::update(
            "MP_REACH behind all other attributes",
            |ctx| update(&[], &[ctx.all_but(&[3]), attr(OPTIONAL, 14, &good_reach(ctx))].concat(), &[]),
            Expect::Kept { family: Family::V6, absent: vec![3], present: Vec::new() },
        ),
        Case::update(
            "MP_REACH with a malformed attribute beside it",
            |ctx| {
                let rest = [ctx.all_but(&[3]), attr(OPTIONAL, 4, &[1])].concat();
                update(&[], &[attr(OPTIONAL, 14, &good_reach(ctx)), rest].concat(), &[])
            },
            Expect::Withdrawn(Which::V6),
        ),
        Case::update(
            "MP_REACH and an attribute past the end of all",
            |ctx| {
                let rest = [ctx.all_but(&[3]), vec![OT, 99, 200]].concat();
                update(&[], &[attr(OPTIONAL, 14, &good_reach(ctx)), rest].concat(), &[])
            },
            Expect::Withdrawn(Which::V6),
        ),
    ]
}

/// Unusual, but not wrong, or not wrong enough.
fn odd_multiprotocol() -> Vec<Case> {
    let v6_kept = || Expect::Kept { family: Family::V6, absent: Vec::new(), present: Vec::new() };
    let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9).octets();
    vec![
        Case::update(
            "MP_REACH with its reserved octet set",
            |ctx| {
                let mut value = reach(Family::V6, 16, &HOP6.octets(), &[]);
                value.pop();
                ctx.with_reach(&[value, vec![0xff], nlri(&[ctx.v6])].concat())
            },
            v6_kept(),
        ),
        Case::update(
            "MP_REACH of IPv4 unicast",
            |ctx| {
                let value = reach(Family::V4, 4, &ctx.local.octets(), &nlri(&[ctx.v4]));
                ctx.with_reach(&value)
            },
            kept(),
        ),
        Case::update(
            "MP_REACH of IPv4 unicast with an IPv6 next hop nobody agreed on",
            |ctx| ctx.with_reach(&reach(Family::V4, 16, &HOP6.octets(), &nlri(&[ctx.v4]))),
            Expect::Open,
        ),
        Case::update(
            "IPv6 next hop of 32 octets, the second no link-local address",
            |ctx| ctx.with_hop6(&[HOP6.octets(), HOP6.octets()].concat()),
            Expect::Lives(None),
        ),
        Case::update(
            "IPv6 next hop of a link-local address alone",
            move |ctx| ctx.with_hop6(&link_local),
            Expect::Lives(None),
        ),
        Case::update(
            "MP_UNREACH and MP_REACH of one prefix",
            |ctx| {
                let gone = attr(OPTIONAL, 15, &unreach(Family::V6, &nlri(&[ctx.v6])));
                update(&[], &[gone, attr(OPTIONAL, 14, &good_reach(ctx)), ctx.all_but(&[3])].concat(), &[])
            },
            Expect::Lives(None),
        ),
    ]
}

/// Next hops that are no hosts (CVE-2026-37458).
fn next_hops() -> Vec<Case> {
    let own = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
    let rows = [
        ("::", Ipv6Addr::UNSPECIFIED),
        ("::1", Ipv6Addr::LOCALHOST),
        ("ff02::1", Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)),
        ("::ffff:127.0.0.1", Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1)),
        ("of the router itself", own),
    ];
    rows.into_iter()
        .map(|(name, hop)| {
            let build = move |ctx: &Ctx| ctx.with_hop6(&hop.octets());
            Case::update(format!("IPv6 next hop {name}"), build, Expect::Withdrawn(Which::V6))
        })
        .collect()
}

fn end_of_table() -> Vec<Case> {
    vec![
        Case::update("the end of the table, twice", |_| update(&[], &[], &[]).repeat(2), Expect::Ignored),
        Case::update(
            "the end of a table with a malformed ORIGIN (CVE-2023-47235)",
            |_| {
                update(
                    &[],
                    &[attr(OPTIONAL, 15, &unreach(Family::V6, &[])), attr(0x40, 1, &[9])].concat(),
                    &[],
                )
            },
            Expect::Ignored,
        )
        .from(Peer::Restarting),
        Case::update("attributes without routes", |ctx| update(&[], &ctx.all_but(&[]), &[]), Expect::Ignored),
        Case::update(
            "attributes without routes, cut short",
            |_| update(&[], &[0x40, 1, 9, 0], &[]),
            Expect::Open,
        ),
        Case::update(
            "the end of the table of a family nobody agreed on",
            |_| update(&[], &attr(OPTIONAL, 15, &[0, 25, 70]), &[]),
            Expect::Ignored,
        ),
    ]
}

/// What is legal but large.
fn sizes() -> Vec<Case> {
    let long_path = |count: u32| {
        move |ctx: &Ctx| {
            let numbers: Vec<u32> = std::iter::once(HOSTILE_AS).chain(1000..1000 + count).collect();
            ctx.with(attrs::AS_PATH, &attr(0x40, attrs::AS_PATH, &sequence(&numbers)))
        }
    };
    vec![
        Case::update(
            "AS_PATH of 600 numbers in segments of one (CVE-2017-16227)",
            |ctx| {
                let value: Vec<u8> =
                    std::iter::once(HOSTILE_AS).chain(1..600).flat_map(|n| sequence(&[n])).collect();
                ctx.with(attrs::AS_PATH, &attr(0x40, attrs::AS_PATH, &value))
            },
            kept(),
        ),
        Case::update(
            "AS_PATH that fills a message and grows by one number on its way out",
            |ctx| {
                let fixed = ctx.all_but(&[attrs::AS_PATH]).len() + 4 + 4 + 23;
                let mut room = 4096 - fixed;
                let mut numbers = vec![HOSTILE_AS];
                while sequence(&numbers).len() + 4 <= room {
                    numbers.push(numbers.len() as u32 + 100);
                }
                room -= sequence(&numbers).len();
                let filler = if room >= 3 { attr(OPTIONAL, 99, &vec![0; room - 3]) } else { Vec::new() };
                ctx.with(attrs::AS_PATH, &[attr(0x40, attrs::AS_PATH, &sequence(&numbers)), filler].concat())
            },
            WITHDRAWN,
        ),
        Case::update("AS_PATH of 2,100 numbers met by a filter (CVE-2026-49943)", long_path(2100), WITHDRAWN)
            .from(Peer::Extended)
            .with(&["route-map MASKED in"]),
        Case::update("AS_PATH of 10,000 numbers", long_path(10_000), WITHDRAWN).from(Peer::Extended),
        Case::update(
            "unknown attribute of 65,000 octets (#22045)",
            |ctx| ctx.announce(&[ctx.all_but(&[]), attr(OT, 99, &vec![7; 65_000])].concat()),
            WITHDRAWN,
        )
        .from(Peer::Extended),
        Case::update(
            "large UPDATE of small routes",
            |ctx| {
                let many: Vec<u8> = (0..12_000u32).flat_map(|n| [24, 100, (n >> 8) as u8, n as u8]).collect();
                update(&[], &ctx.all_but(&[]), &[nlri(&[ctx.v4]), many].concat())
            },
            kept(),
        )
        .from(Peer::Extended),
        Case::update(
            "no attributes, met by a filter that prepends (CVE-2023-41358)",
            |ctx| ctx.announce(&[]),
            WITHDRAWN,
        )
        .with(&["route-map MASKED in"]),
        Case::update(
            "2,000 withdrawals and announcements in one go",
            |ctx| {
                let withdraw = update(&nlri(&[ctx.v4]), &[], &[]);
                let announce = ctx.announce(&ctx.all_but(&[]));
                [withdraw, announce].concat().repeat(1000)
            },
            kept(),
        ),
        Case::update(
            "UPDATE larger than agreed on",
            |ctx| ctx.announce(&[ctx.all_but(&[]), attr(OT, 99, &[7; 5000])].concat()),
            Expect::Reset(&[(1, 2)]),
        ),
    ]
}
