//! A route map with every clause that BGP routes meet, each in an entry for a network of its own; and the lists it names.

use std::fmt::Write as _;

/// Lists and maps that steps name too.
pub const LISTS: &str = "bgp route-map delay-timer 1
access-list 10 seq 5 permit 10.1.0.0/16
access-list 10 seq 10 permit 10.20.0.0/16
access-list 11 seq 5 permit 10.0.0.2/32
ip prefix-list NARROW seq 5 deny 10.2.0.0/16
ip prefix-list NARROW seq 10 permit 0.0.0.0/0 le 16
ip prefix-list TEN seq 5 permit 10.32.10.0/24
ip prefix-list HOP seq 5 permit 10.0.0.2/32
ip prefix-list TWENTY seq 5 permit 10.20.0.0/16 le 24
ip prefix-list ONE seq 5 permit 10.1.0.0/16
ip prefix-list STATIC seq 5 permit 172.20.0.0/24
ip prefix-list NONE seq 5 permit 192.0.2.0/24
ipv6 access-list ACL6 seq 5 permit 2001:db8::/32
ipv6 prefix-list TWENTY6 seq 5 permit 2001:db8:20::/48 le 64
ipv6 prefix-list NONE6 seq 5 permit 2001:db8:99::/48
ipv6 prefix-list HOP6 seq 5 permit 2001:db8::2/128
bgp as-path access-list PRIVATE seq 5 permit _6451[0-9]_
bgp as-path access-list NOWHERE seq 5 permit _99_
bgp community-list standard ONE seq 5 permit 1002:1
bgp community-list standard BOTH seq 5 permit 1002:1 1002:2
bgp community-list standard OTHER seq 5 permit 9:9
bgp community-list expanded EXPANDED seq 5 permit 1002:[12]
bgp large-community-list standard L seq 5 permit 1002:1:1
bgp large-community-list expanded LE seq 5 permit ^1002:1:.*
bgp extcommunity-list standard E seq 5 permit rt 1002:1
bgp extcommunity-list expanded EE seq 5 permit RT:1002:.*
route-map TEN permit 10
 match ip address prefix-list TEN
exit
route-map MARK permit 10
 set metric 321
 set community 7:7 additive
 set local-preference 222
exit
route-map TAGGED permit 10
 match tag 7
 set metric 9
exit
route-map HAS-TEN permit 10
 match ip address prefix-list ONE
exit
route-map HAS-NONE permit 10
 match ip address prefix-list NONE
exit
route-map HAS-STATIC permit 10
 match ip address prefix-list STATIC
 set metric 55
exit
route-map SECOND-FIRST permit 10
 match ip address prefix-list TEN
 set metric 10
exit
route-map SECOND-FIRST permit 20
 match ip address prefix-list ONE
 set metric 20
exit
route-map CALLS permit 10
 match ip address prefix-list ONE
 set metric 31
 call MARK
exit
route-map CALLED-DENIES permit 10
 match ip address prefix-list ONE
 call HAS-NONE
exit
route-map GOES-ON permit 10
 match ip address prefix-list ONE
 set metric 41
 on-match next
exit
route-map GOES-ON permit 20
 match ip address prefix-list TEN
 set origin egp
exit
route-map GOES-ON permit 30
 match ip address prefix-list ONE
 set community 8:8
 on-match goto 50
exit
route-map GOES-ON permit 40
 set origin egp
exit
route-map GOES-ON permit 50
 set large-community 8:8:8
exit
route-map TABLE deny 5
 match ip address prefix-list TEN
exit
route-map TABLE permit 10
 match ip address prefix-list ONE
 set metric 12
 set tag 3
exit
route-map TABLE permit 20
exit
route-map SUB permit 10
 match community ONE
 set weight 55
exit
route-map SUB-DENY deny 10
 match community ONE
exit
";

const SET: &[&str] = &[
    "as-path exclude 1100",
    "as-path exclude 1100 1200",
    "as-path exclude all",
    "as-path exclude as-path-access-list PRIVATE",
    "as-path prepend 7 8",
    "as-path prepend last-as 3",
    "as-path replace any",
    "as-path replace 1100",
    "as-path replace any 999",
    "as-path replace as-path-access-list PRIVATE",
    "as-path replace as-path-access-list PRIVATE 999",
    "aggregator as 9 192.0.2.9",
    "aigp-metric 50",
    "comm-list ONE delete",
    "comm-list EXPANDED delete",
    "comm-list OTHER delete",
    "community 1:1",
    "community 1:1 additive",
    "community none",
    "community no-export",
    "community no-advertise",
    "community local-AS",
    "community graceful-shutdown",
    "community blackhole",
    "community llgr-stale additive",
    "large-community 1:2:3",
    "large-community 1:2:3 additive",
    "large-community none",
    "large-comm-list L delete",
    "extcommunity rt 9:9",
    "extcommunity soo 1:2",
    "extcommunity nt 192.0.2.6:0",
    "extcommunity color 01:100",
    "extcommunity none",
    "extcommunity bandwidth 100",
    "extcommunity bandwidth cumulative",
    "extcommunity bandwidth num-multipaths",
    "extcommunity bandwidth 100 non-transitive",
    "extended-comm-list E delete",
    "ip next-hop 10.0.0.99",
    "ip next-hop peer-address",
    "ip next-hop unchanged",
    "local-preference 300",
    "local-preference +10",
    "local-preference -10",
    "distance 77",
    "metric igp",
    "metric aigp",
    "metric 7",
    "metric +7",
    "metric -7",
    "metric -200",
    "min-metric 20",
    "min-metric 200",
    "max-metric 500",
    "max-metric 50",
    "origin egp",
    "origin igp",
    "origin incomplete",
    "weight 9",
    "tag 5",
];

/// For IPv6.
const SET_V6: &[&str] = &[
    "ipv6 next-hop prefer-global",
    "ipv6 next-hop global 2001:db8::99",
    "ipv6 next-hop global 2001:db8:99::1",
    "ipv6 next-hop local fe80::99",
    "ipv6 next-hop peer-address",
    "ipv6 next-hop global 2001:db8::99\n set ipv6 next-hop local fe80::99",
    "ipv6 next-hop global 2001:db8::99\n set ipv6 next-hop prefer-global",
    "ip next-hop unchanged",
    "ip next-hop 10.0.0.99",
    "ip next-hop peer-address",
    "metric 7",
];

const MATCH_V6: &[&str] = &[
    "ipv6 next-hop ACL6",
    "ipv6 next-hop address 2001:db8::2",
    "ipv6 next-hop address 2001:db8::3",
    "ipv6 next-hop prefix-list HOP6",
    "ipv6 next-hop type blackhole",
    "peer 10.0.0.2",
];

const ADDRESS_V6: &[&str] = &[
    "ipv6 address ACL6",
    "ipv6 address prefix-list TWENTY6",
    "ipv6 address prefix-list NONE6",
    "ip address prefix-list TWENTY",
];

const MATCH: &[&str] = &[
    "as-path PRIVATE",
    "as-path NOWHERE",
    "community ONE",
    "community ONE exact-match",
    "community BOTH exact-match",
    "community BOTH any",
    "community OTHER",
    "community EXPANDED",
    "community-limit 2",
    "community-limit 1",
    "large-community L",
    "large-community L exact-match",
    "large-community L any",
    "large-community LE",
    "extcommunity E",
    "extcommunity EE",
    "metric 100",
    "metric 99",
    "origin igp",
    "origin egp",
    "local-preference 100",
    "local-preference 0",
    "ip next-hop 11",
    "ip next-hop address 10.0.0.2",
    "ip next-hop address 10.0.0.3",
    "ip next-hop prefix-list HOP",
    "ip next-hop prefix-len 32",
    "ip next-hop type blackhole",
    "ip route-source 11",
    "ip route-source prefix-list HOP",
    "peer 10.0.0.2",
    "peer 10.0.0.5",
    "peer local",
    "src-peer 10.0.0.2",
    "probability 0",
    "probability 100",
    "tag 5",
    "interface eth0",
    "source-protocol static",
    "source-protocol bgp",
];

/// FRR never finds these in a map out; ours finds what they name.
const MATCH_IN: &[&str] = &["ip route-source 11", "ip route-source prefix-list HOP", "peer 10.0.0.5"];

/// FRR leaves the AS as it was in one run of several, on the way out; with an AS of its own it does not.
const SET_IN: &[&str] = &["as-path replace as-path-access-list PRIVATE"];

/// What would take the place of the entry's own `match ip address`: each adds a number of its own to what came so far.
const ADDRESS: &[&str] = &[
    "ip address 10",
    "ip address 11",
    "ip address prefix-list TWENTY",
    "ip address prefix-list NONE",
    "metric 10",
];

/// How entries go on: lines of an entry, then those of the entry behind it for the same network.
const FLOW: &[(&str, &str)] = &[
    ("call SUB", ""),
    ("call SUB-DENY", ""),
    ("call NOT-THERE", ""),
    ("on-match next", "set weight 66"),
    ("on-match goto 9000", "set weight 66"),
    ("continue 9000", "set weight 67"),
    ("call SUB\n on-match next", "set local-preference 444"),
];

/// Steps that mean something only where a route leaves. Of IPv6 next hops a neighbour that did not ask for them hears nothing;
/// on the way in FRR keeps both.
const SET_OUT: &[&str] = &[
    "atomic-aggregate",
    "originator-id 192.0.2.77",
    "ipv6 next-hop global 2001:db8::99",
    "ipv6 next-hop local fe80::99",
    "ipv6 next-hop peer-address",
];

/// A map by name with every clause, each in an entry for a network of its own.
struct Map {
    name: &'static str,
    set: Vec<&'static str>,
    matched: Vec<&'static str>,
}

impl Map {
    fn inbound() -> Map {
        Map { name: "CLAUSES", set: SET.to_vec(), matched: MATCH.to_vec() }
    }

    fn outbound() -> Map {
        let matched = MATCH.iter().filter(|clause| !MATCH_IN.contains(clause)).copied().collect();
        let set = SET.iter().filter(|clause| !SET_IN.contains(clause)).chain(SET_OUT);
        Map { name: "OUT", set: set.copied().collect(), matched }
    }

    /// The network that only `ADDRESS` and the last entries meet comes last.
    fn networks(&self) -> usize {
        self.set.len() + self.matched.len() + FLOW.len() + 1
    }

    fn text(&self) -> String {
        let name = self.name;
        let mut text = String::new();
        let mut index = 0;
        let mut entry = |text: &mut String, lines: &str, more: &str| {
            let mut one = |seq: usize, lines: &str| {
                let _ = writeln!(
                    text,
                    "route-map {name} permit {seq}\n match ip address prefix-list N{index}\n {lines}\nexit"
                );
            };
            one(10 + index * 10, lines);
            if !more.is_empty() {
                one(15 + index * 10, more);
            }
            index += 1;
        };
        for clause in &self.set {
            entry(&mut text, &format!("set {clause}"), "");
        }
        for (n, clause) in self.matched.iter().enumerate() {
            entry(&mut text, &format!("match {clause}\n set metric {}", 5000 + n), "");
        }
        for (lines, more) in FLOW {
            entry(&mut text, lines, more);
        }
        for (n, clause) in ADDRESS.iter().enumerate() {
            let (seq, more) = (8000 + n, 1000 << n);
            let _ = writeln!(
                text,
                "route-map {name} permit {seq}\n match {clause}\n set metric +{more}\n on-match next\nexit"
            );
        }
        text + &format!(
            "route-map {name} permit 9000\n set metric +1\nexit\nroute-map {name} permit 9010\nexit\n"
        )
    }
}

fn count() -> usize {
    Map::inbound().networks().max(Map::outbound().networks())
}

fn network(index: usize) -> String {
    format!("10.20.{index}.0/24")
}

pub fn announced() -> String {
    (0..count()).map(|index| format!("  network {} route-map RICH\n", network(index))).collect()
}

pub fn announced_map() -> String {
    "route-map RICH permit 10\n set as-path prepend 1100 64512 1200\n set metric 100\n set community 1002:1 1002:2\n \
     set large-community 1002:1:1 1002:1:2\n set extcommunity rt 1002:1\nexit\n"
        .to_owned()
}

/// Networks of IPv6, one for each of its clauses, and one for those about addresses.
pub fn announced_v6() -> String {
    (0..=SET_V6.len() + MATCH_V6.len()).map(|index| format!("  network {}\n", network_v6(index))).collect()
}

fn network_v6(index: usize) -> String {
    format!("2001:db8:20:{index}::/64")
}

fn clauses_v6() -> String {
    let mut text = String::new();
    let set = SET_V6.iter().map(|clause| format!("set {clause}"));
    let matched = MATCH_V6.iter().enumerate();
    let matched = matched.map(|(n, clause)| format!("match {clause}\n set metric {}", 600 + n));
    for (index, lines) in set.chain(matched).enumerate() {
        let (seq, net) = (10 + index * 10, network_v6(index));
        let _ = writeln!(text, "ipv6 prefix-list N{index} seq 5 permit {net}");
        let _ = writeln!(
            text,
            "route-map CLAUSES6 permit {seq}\n match ipv6 address prefix-list N{index}\n {lines}\nexit"
        );
    }
    for (n, clause) in ADDRESS_V6.iter().enumerate() {
        let (seq, more) = (8000 + n, 1000 << n);
        let _ = writeln!(
            text,
            "route-map CLAUSES6 permit {seq}\n match {clause}\n set metric +{more}\n on-match next\nexit"
        );
    }
    text + "route-map CLAUSES6 permit 9000\nexit\n"
}

/// The maps `CLAUSES`, for what comes in, `OUT`, for what goes, and `CLAUSES6` for IPv6 both ways.
pub fn clauses() -> String {
    let lists =
        (0..count()).map(|index| format!("ip prefix-list N{index} seq 5 permit {}\n", network(index)));
    lists.collect::<String>() + &Map::inbound().text() + &Map::outbound().text() + &clauses_v6()
}
