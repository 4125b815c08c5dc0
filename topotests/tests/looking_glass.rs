//! A route server with clients of three kinds, seen through the looking glass: a client that asks as Alice-LG does finds what the
//! shows say, and why a route was refused or is not sent.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::ours;
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
/// Where the looking glass listens, on the network of the route server's clients.
const GLASS: &str = "10.0.0.1:29184";

/// Refuses 10.66.0.0/16 and says why; does not tell client 4 of what carries 0:65004.
const SERVER: &str = "ip prefix-list BOGON permit 10.66.0.0/16 le 32
bgp community-list standard NOT-4 permit 0:65004
route-map IN deny 10
 match ip address prefix-list BOGON
exit
route-map IN permit 20
exit
route-map TO-4 deny 10
 match community NOT-4
exit
route-map TO-4 permit 20
exit
route-map ALL permit 10
exit
router bgp 65000
 bgp router-id 10.0.0.1
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 description Two of FRR
 neighbor 10.0.0.2 timers connect 1
 neighbor 10.0.0.3 remote-as 65003
 neighbor 10.0.0.3 timers connect 1
 neighbor 10.0.0.4 remote-as 65004
 neighbor 10.0.0.4 timers connect 1
 neighbor 10.0.0.9 remote-as 65009
 address-family ipv4 unicast
  neighbor 10.0.0.2 route-server-client
  neighbor 10.0.0.2 route-map IN in
  neighbor 10.0.0.2 route-map ALL out
  neighbor 10.0.0.2 reject-community 65000:65666
  neighbor 10.0.0.3 route-server-client
  neighbor 10.0.0.3 route-map IN in
  neighbor 10.0.0.3 route-map ALL out
  neighbor 10.0.0.4 route-server-client
  neighbor 10.0.0.4 route-map IN in
  neighbor 10.0.0.4 route-map TO-4 out
  neighbor 10.0.0.4 reject-community 65000:65666
 exit-address-family
exit
";

/// FRR: three routes, of which one is refused and one is not for client 4.
const FRR_CLIENT: &str = "ip prefix-list HIDDEN permit 10.2.2.0/24
ip prefix-list OWN permit 10.2.1.0/24
ip prefix-list OWN permit 10.66.1.0/24
route-map OUT permit 10
 match ip address prefix-list HIDDEN
 set community 0:65004 65002:1
 set large-community 65002:1:2
exit
route-map OUT permit 20
 match ip address prefix-list OWN
exit
router bgp 65002
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp enforce-first-as
 neighbor 10.0.0.1 remote-as 65000
 neighbor 10.0.0.1 timers connect 1
 address-family ipv4 unicast
  network 10.2.1.0/24
  network 10.2.2.0/24
  network 10.66.1.0/24
  neighbor 10.0.0.1 route-map OUT out
 exit-address-family
exit
";

const BIRD_CLIENT: &str = "router id 10.0.0.3;
protocol device {}
protocol static {
  ipv4;
  route 10.3.1.0/24 blackhole;
}
protocol bgp rs {
  local 10.0.0.3 as 65003;
  neighbor 10.0.0.1 as 65000;
  connect retry time 1;
  connect delay time 1;
  enforce first as off;
  ipv4 { import all; export all; };
}
";

const OUR_CLIENT: &str = "router bgp 65004
 bgp router-id 10.0.0.4
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp enforce-first-as
 neighbor 10.0.0.1 remote-as 65000
 neighbor 10.0.0.1 timers connect 1
 address-family ipv4 unicast
  network 10.4.1.0/24
 exit-address-family
exit
";

/// Asks as Alice-LG does, from a router of the network.
fn get(router: &Router, path: &str) -> Result<Value> {
    let (status, value) = router.http_get(GLASS, path)?;
    ensure!(status == 200, "{path}: {status} {value}");
    ensure!(
        value.pointer("/api/Version").is_some() && value.get("ttl").is_some(),
        "{path}: no head: {value}"
    );
    Ok(value)
}

/// The networks of a reply's routes.
fn networks(value: &Value) -> Vec<String> {
    let routes = value.get("routes").and_then(Value::as_array).into_iter().flatten();
    let named = routes.filter_map(|route| route.get("network")?.as_str()).map(str::to_owned);
    let mut named: Vec<String> = named.collect();
    named.sort();
    named
}

/// The prefixes of a table that a show prints.
fn shown(router: &Router, command: &str, member: &str) -> Result<Vec<String>> {
    let json = router.vtysh_json(command)?;
    let table = json.get(member).and_then(Value::as_object);
    let mut prefixes: Vec<String> = table.into_iter().flat_map(|table| table.keys().cloned()).collect();
    prefixes.sort();
    Ok(prefixes)
}

fn same(server: &Router, alice: &Router, path: &str, command: &str, member: &str) -> Result<Vec<String>> {
    let (told, known) = (networks(&get(alice, path)?), shown(server, command, member)?);
    ensure!(told == known, "{path} has {told:?}, `{command}` {known:?}");
    Ok(told)
}

fn network(net: &mut Net) -> Result<(Router, Router)> {
    let server = net.router("rs", Kind::Ours)?;
    let frr = net.router("c2", Kind::Frr)?;
    let bird = net.router("c3", Kind::Bird)?;
    let own = net.router("c4", Kind::Ours)?;
    net.lan(
        "ixp",
        &[(&server, "10.0.0.1/24"), (&frr, "10.0.0.2/24"), (&bird, "10.0.0.3/24"), (&own, "10.0.0.4/24")],
    )?;
    server.start(SERVER)?;
    frr.start(FRR_CLIENT)?;
    bird.start(BIRD_CLIENT)?;
    own.start(OUR_CLIENT)?;
    for client in ["10.0.0.2", "10.0.0.3", "10.0.0.4"] {
        server.wait_bgp_established(client)?;
    }
    wait_until(PATIENCE, "client 4 has what it is to have, client 2 all", || {
        own.bgp_route("10.2.1.0/24")?;
        own.bgp_route("10.3.1.0/24")?;
        frr.bgp_route("10.3.1.0/24")?;
        frr.bgp_route("10.4.1.0/24").map(drop)
    })?;
    let program = ours::binaries_with(&["ferrite-lg"])?.join("ferrite-lg");
    let args = ["--listen", GLASS, "--ttl", "0", "--allow", "10.0.0.0/28"].map(str::to_owned);
    server.start_foreground(&program.to_string_lossy(), &args, &ours::environment()?)?;
    wait_until(PATIENCE, "the looking glass answers", || get(&own, "/version").map(drop))?;
    Ok((server, own))
}

#[test]
fn alice_finds_what_the_shows_say() {
    run(&Needs::ours_and_peers(), |net| {
        let (server, alice) = network(net)?;
        neighbours(&alice)?;
        tables(&server, &alice)?;
        refused(&server, &alice)?;
        lookups(&alice)?;
        fields(&alice)?;
        let (status, _) = alice.http_get(GLASS, "/routes/protocol/10.0.0.77")?;
        ensure!(status == 404, "an unknown neighbour is not found: {status}");
        Ok(())
    });
}

/// What Alice-LG takes a member for; of another type it is left out there, or costs the whole reply.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Text,
    /// `2026-01-02 15:04:05`, or RFC 3339.
    Moment,
    Number,
    Flag,
    /// A list of strings: also of AS numbers.
    Texts,
    /// A list of communities, each a list of that many numbers.
    Communities(usize),
}

impl Kept {
    fn is(self, value: &Value) -> bool {
        let all = |check: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(check));
        match self {
            Kept::Text => value.is_string(),
            Kept::Moment => value.as_str().is_some_and(|text| {
                let form = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
                form.collect::<String>().replace('T', " ").starts_with("0000-00-00 00:00:00")
            }),
            Kept::Number => value.is_u64(),
            Kept::Flag => value.is_boolean(),
            Kept::Texts => all(Value::is_string),
            Kept::Communities(parts) => value.as_array().is_some_and(|list| {
                let whole = |one: &Value| {
                    one.as_array().is_some_and(|one| one.len() == parts && one.iter().all(Value::is_u64))
                };
                list.iter().all(whole)
            }),
        }
    }
}

/// Members of `value` by path; one whose name ends in `?` may be missing.
fn kept(what: &str, value: &Value, members: &[(&str, Kept)]) -> Result<()> {
    for (path, kind) in members {
        let (path, optional) = path.strip_suffix('?').map_or((*path, false), |path| (path, true));
        match value.pointer(path) {
            None => ensure!(optional, "{what}: {path} is missing: {value}"),
            Some(member) => ensure!(kind.is(member), "{what}: {path} is no {kind:?}: {member}"),
        }
    }
    Ok(())
}

const HEAD: &[(&str, Kept)] = &[
    ("/api/Version", Kept::Text),
    ("/api/result_from_cache", Kept::Flag),
    ("/api/cache_status/cached_at/date", Kept::Moment),
    ("/ttl", Kept::Moment),
];

const STATUS: &[(&str, Kept)] = &[
    ("/status/current_server", Kept::Moment),
    ("/status/last_reboot", Kept::Moment),
    ("/status/last_reconfig", Kept::Moment),
    ("/status/version", Kept::Text),
    ("/status/message", Kept::Text),
    ("/status/router_id", Kept::Text),
];

const NEIGHBOUR: &[(&str, Kept)] = &[
    ("/bird_protocol", Kept::Text),
    ("/state", Kept::Text),
    ("/state_changed", Kept::Moment),
    ("/last_error", Kept::Text),
    ("/neighbor_address", Kept::Text),
    ("/neighbor_as", Kept::Number),
    ("/description", Kept::Text),
    ("/routes/imported", Kept::Number),
    ("/routes/filtered", Kept::Number),
    ("/routes/exported", Kept::Number),
    ("/routes/preferred", Kept::Number),
];

const ROUTE: &[(&str, Kept)] = &[
    ("/network", Kept::Text),
    ("/from_protocol", Kept::Text),
    ("/interface", Kept::Text),
    ("/gateway", Kept::Text),
    ("/learnt_from?", Kept::Text),
    ("/metric", Kept::Number),
    ("/primary", Kept::Flag),
    ("/age", Kept::Moment),
    ("/type", Kept::Texts),
    ("/bgp/origin", Kept::Text),
    ("/bgp/as_path", Kept::Texts),
    ("/bgp/next_hop", Kept::Text),
    // Numbers as text.
    ("/bgp/local_pref", Kept::Text),
    ("/bgp/med?", Kept::Text),
    ("/bgp/communities?", Kept::Communities(2)),
    ("/bgp/large_communities?", Kept::Communities(3)),
];

/// Every member that Alice-LG's source for birdwatchers reads is there, of the type that it takes it for.
fn fields(alice: &Router) -> Result<()> {
    let status = get(alice, "/status")?;
    kept("/status", &status, STATUS)?;
    for (path, members) in [
        ("/protocols/bgp", NEIGHBOUR),
        ("/protocols/short?uncached=true", &[("/since", Kept::Moment), ("/state", Kept::Text)][..]),
    ] {
        let reply = get(alice, path)?;
        kept(path, &reply, HEAD)?;
        let protocols = reply.get("protocols").and_then(Value::as_object).ok_or("no protocols")?;
        ensure!(protocols.len() == 4, "{path}: {protocols:?}");
        protocols.values().try_for_each(|one| kept(path, one, members))?;
    }
    for (path, least) in [
        ("/routes/protocol/10.0.0.2", 2),
        ("/routes/filtered/10.0.0.2", 1),
        ("/routes/noexport/10.0.0.4", 1),
        ("/routes/export/10.0.0.4", 2),
        ("/routes/table/master4", 4),
        ("/routes/table/master4/filtered", 1),
        ("/routes/prefix?prefix=10.2.2.0/24", 1),
    ] {
        let reply = get(alice, path)?;
        kept(path, &reply, HEAD)?;
        let routes = reply.get("routes").and_then(Value::as_array).ok_or("no list of routes")?;
        ensure!(routes.len() >= least, "{path}: {} routes", routes.len());
        routes.iter().try_for_each(|route| kept(path, route, ROUTE))?;
    }
    Ok(())
}

fn neighbours(alice: &Router) -> Result<()> {
    let status = get(alice, "/status")?;
    ensure!(status.pointer("/status/router_id") == Some(&json!("10.0.0.1")), "{status}");
    let all = get(alice, "/protocols/bgp")?;
    let of = |name: &str| all.get("protocols").and_then(|all| all.get(name)).cloned().unwrap_or_default();
    let two = of("10.0.0.2");
    let routes = json!({ "imported": 2, "filtered": 1, "exported": 2, "preferred": 2, "accepted": 2 });
    ensure!(two.get("routes") == Some(&routes), "client 2: {two}");
    ensure!(two.get("description") == Some(&json!("Two of FRR")), "client 2: {two}");
    ensure!(two.get("neighbor_as") == Some(&json!(65002)), "client 2: {two}");
    let states = [("10.0.0.2", "up"), ("10.0.0.3", "up"), ("10.0.0.4", "up"), ("10.0.0.9", "start")];
    for (name, state) in states {
        ensure!(of(name).get("state") == Some(&json!(state)), "{name}: {}", of(name));
    }
    let short = get(alice, "/protocols/short?uncached=true")?;
    ensure!(short.pointer("/protocols/10.0.0.9/state") == Some(&json!("start")), "{short}");
    let symbols = get(alice, "/symbols")?;
    ensure!(
        symbols.pointer("/symbols/protocol").and_then(Value::as_array).is_some_and(|list| list.len() == 4),
        "{symbols}"
    );
    Ok(())
}

fn tables(server: &Router, alice: &Router) -> Result<()> {
    let show = "show bgp ipv4 unicast";
    let all = same(server, alice, "/routes/table/master4", &format!("{show} json"), "routes")?;
    ensure!(all == ["10.2.1.0/24", "10.2.2.0/24", "10.3.1.0/24", "10.4.1.0/24"], "the table is {all:?}");
    for client in ["10.0.0.2", "10.0.0.3", "10.0.0.4"] {
        let of = |what: &str| format!("{show} neighbors {client} {what} json");
        same(server, alice, &format!("/routes/protocol/{client}"), &of("routes"), "routes")?;
        same(server, alice, &format!("/routes/peer/{client}"), &of("routes"), "routes")?;
        same(server, alice, &format!("/routes/table/master4/peer/{client}"), &of("routes"), "routes")?;
        same(
            server,
            alice,
            &format!("/routes/export/{client}"),
            &of("advertised-routes"),
            "advertisedRoutes",
        )?;
        let path = format!("/routes/noexport/{client}");
        same(server, alice, &path, &of("not-advertised-routes"), "notAdvertisedRoutes")?;
    }
    let count = get(alice, "/routes/count/protocol/10.0.0.2")?;
    ensure!(count.get("routes") == Some(&json!(2)), "{count}");
    let count = get(alice, "/routes/count/table/master4")?;
    ensure!(count.get("routes") == Some(&json!(4)), "{count}");
    ensure!(networks(&get(alice, "/routes/table/master6")?).is_empty(), "there is no IPv6 here");
    ensure!(networks(&get(alice, "/routes/noexport/")?).is_empty(), "no pipe, no routes");
    Ok(())
}

/// Why is among the communities.
fn refused(server: &Router, alice: &Router) -> Result<()> {
    let show = "show bgp ipv4 unicast neighbors 10.0.0.2 filtered-routes json";
    let filtered = same(server, alice, "/routes/filtered/10.0.0.2", show, "receivedRoutes")?;
    ensure!(filtered == ["10.66.1.0/24"], "filtered are {filtered:?}");
    let reason =
        |value: &Value| value.pointer("/routes/0/bgp/large_communities").cloned().unwrap_or_default();
    let value = get(alice, "/routes/filtered/10.0.0.2")?;
    ensure!(reason(&value) == json!([[65000, 65666, 1010]]), "entry 10 of the map: {value}");
    let value = get(alice, "/routes/table/master4/filtered")?;
    ensure!(networks(&value) == ["10.66.1.0/24"], "{value}");
    let value = get(alice, "/routes/noexport/10.0.0.4")?;
    ensure!(networks(&value) == ["10.2.2.0/24"], "{value}");
    ensure!(reason(&value) == json!([[65000, 65666, 106], [65002, 1, 2]]), "policy denies it: {value}");
    ensure!(value.pointer("/routes/0/noexport_reason") == Some(&json!("policy")), "{value}");
    ensure!(value.pointer("/routes/0/bgp/communities") == Some(&json!([[0, 65004], [65002, 1]])), "{value}");
    Ok(())
}

fn lookups(alice: &Router) -> Result<()> {
    for path in ["/routes/prefix?prefix=10.2.1.0/24", "/route/net/10.2.1.0%2F24", "/routes/net/10.2.1.7"] {
        let value = get(alice, path)?;
        ensure!(networks(&value) == ["10.2.1.0/24"], "{path}: {value}");
        let route = value.pointer("/routes/0").cloned().unwrap_or_default();
        ensure!(route.pointer("/bgp/as_path") == Some(&json!(["65002"])), "{path}: {route}");
        ensure!(route.get("from_protocol") == Some(&json!("10.0.0.2")), "{path}: {route}");
        ensure!(route.get("gateway") == Some(&json!("10.0.0.2")), "{path}: {route}");
        ensure!(route.get("primary") == Some(&json!(true)), "{path}: {route}");
    }
    ensure!(networks(&get(alice, "/routes/prefix?prefix=192.0.2.0/24")?).is_empty(), "nobody announces it");
    Ok(())
}
