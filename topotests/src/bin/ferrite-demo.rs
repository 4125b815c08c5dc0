//! A small network to look at: a route server running ours, with clients running ours, FRR and BIRD.
//!
//! ```text
//!                       rs (ours, AS 65000)
//!          ┌──────────────┬──┴───────────────┐  10.9.0.0/24, 2001:db8:9::/64
//!     ours (65001)    frr (65002)       bird (65003)
//! ```
//! Every client announces a network of its own in each family. When all is where it should be, what there is is
//! printed; then `vtysh` on the route server, unless there is no terminal or `--once` is given.

use std::io::IsTerminal as _;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use topotests::{Kind, Needs, Net, Result, Router, output_dir, wait_until};

const PATIENCE: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    let once = std::env::args().skip(1).any(|arg| arg == "--once");
    match demo(once) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("demo: {failure}");
            eprintln!("logs: {}", output_dir().join("demo").display());
            ExitCode::FAILURE
        }
    }
}

fn demo(once: bool) -> Result<()> {
    Needs::ours_and_peers().unmet()?;
    let mut net = Net::new(&output_dir().join("demo"))?;
    println!("making the network ...");
    let rs = net.router("rs", Kind::Ours)?;
    let clients =
        [net.router("ours", Kind::Ours)?, net.router("frr", Kind::Frr)?, net.router("bird", Kind::Bird)?];
    let addrs: Vec<String> = (1..4).map(|n| format!("10.9.0.1{n}/24 2001:db8:9::1{n}/64")).collect();
    let mut members = vec![(&rs, "10.9.0.1/24 2001:db8:9::1/64")];
    members.extend(clients.iter().zip(addrs.iter().map(String::as_str)));
    net.lan("exchange", &members)?;
    for (client, n) in clients.iter().zip(1..) {
        net.stub(client, "home", &format!("192.0.2.{}/28 2001:db8:{n}::1/48", 16 * n + 1))?;
        client.start(&client_config(client.kind(), n))?;
    }
    rs.start(&server_config())?;

    println!("waiting for the neighbors ...");
    for n in 1..4 {
        rs.wait_bgp_established(&format!("10.9.0.1{n}"))?;
        rs.wait_bgp_established(&format!("2001:db8:9::1{n}"))?;
    }
    wait_until(PATIENCE, "every router's table and kernel has every network", || everywhere(&rs, &clients))?;
    show(&rs, &clients)?;
    if once || !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        println!("\nEverything is where it should be; the network is taken down.");
        return Ok(());
    }
    println!(
        "\nYou are on the route server. `exit` takes the network down. Try: show bgp summary, show ip route, ?"
    );
    let mut shell = rs.vtysh_command()?;
    shell.stdin(Stdio::inherit()).status()?;
    Ok(())
}

/// Networks of client `n` in both families.
fn networks(n: usize) -> [String; 2] {
    [format!("192.0.2.{}/28", 16 * n), format!("2001:db8:{n}::/48")]
}

/// Each network is known with the path it should have, and lies in the kernels of all but its own router.
fn everywhere(rs: &Router, clients: &[Router]) -> Result<()> {
    for (own, n) in clients.iter().zip(1..) {
        for prefix in networks(n) {
            rs.kernel_route(&prefix)?;
            for other in clients.iter().filter(|c| c.name() != own.name()) {
                let route = other.bgp_route(&prefix)?;
                let path = format!("6500{n}");
                topotests::ensure!(
                    route.as_path == path,
                    "{}: {prefix} has path {}",
                    other.name(),
                    route.as_path
                );
                other.kernel_route(&prefix)?;
            }
        }
    }
    Ok(())
}

fn show(rs: &Router, clients: &[Router]) -> Result<()> {
    for command in ["show bgp summary", "show ip route", "show ipv6 route"] {
        println!("\nrs# {command}\n{}", rs.vtysh(command)?.trim_end());
    }
    for router in std::iter::once(rs).chain(clients) {
        println!("\n{}$ ip route\n{}", router.name(), router.ip("-4 route")?.trim_end());
    }
    let [_, frr, bird] = clients else { return Ok(()) };
    println!("\nfrr# show ip bgp\n{}", frr.vtysh("show ip bgp")?.trim_end());
    println!("\nbird> show route\n{}", bird.birdc("show route")?.trim_end());
    Ok(())
}

fn server_config() -> String {
    let mut text = String::from(
        "hostname rs\nrouter bgp 65000\n bgp router-id 10.9.0.1\n no bgp ebgp-requires-policy\n",
    );
    text.push_str(" no bgp default ipv4-unicast\n neighbor FOUR peer-group\n neighbor SIX peer-group\n");
    for n in 1..4 {
        for (group, addr) in [("FOUR", format!("10.9.0.1{n}")), ("SIX", format!("2001:db8:9::1{n}"))] {
            text.push_str(&format!(
                " neighbor {addr} remote-as 6500{n}\n neighbor {addr} peer-group {group}\n"
            ));
            text.push_str(&format!(" neighbor {addr} timers connect 2\n"));
        }
    }
    for (family, group) in [("ipv4", "FOUR"), ("ipv6", "SIX")] {
        text.push_str(&format!(" address-family {family} unicast\n  neighbor {group} activate\n"));
        text.push_str(&format!("  neighbor {group} route-server-client\n exit-address-family\n"));
    }
    text
}

fn client_config(kind: Kind, n: usize) -> String {
    let [four, six] = networks(n);
    match kind {
        Kind::Bird => format!(
            "router id 10.9.0.1{n};\nprotocol device {{}}\n\
             protocol direct {{ ipv4; ipv6; interface \"home\"; }}\n\
             protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; }}\n\
             protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; }}\n\
             protocol bgp rs4 {{ local as 6500{n}; neighbor 10.9.0.1 as 65000; enforce first as off; \
             ipv4 {{ import all; export where source = RTS_DEVICE; }}; }}\n\
             protocol bgp rs6 {{ local as 6500{n}; neighbor 2001:db8:9::1 as 65000; enforce first as off; \
             ipv6 {{ import all; export where source = RTS_DEVICE; }}; }}\n"
        ),
        _ => format!(
            "hostname client{n}\nrouter bgp 6500{n}\n bgp router-id 10.9.0.1{n}\n no bgp ebgp-requires-policy\n \
             no bgp enforce-first-as\n no bgp default ipv4-unicast\n neighbor 10.9.0.1 remote-as 65000\n \
             no neighbor 10.9.0.1 enforce-first-as\n neighbor 2001:db8:9::1 remote-as 65000\n \
             no neighbor 2001:db8:9::1 enforce-first-as\n address-family ipv4 unicast\n  network {four}\n  \
             neighbor 10.9.0.1 activate\n exit-address-family\n address-family ipv6 unicast\n  network {six}\n  \
             neighbor 2001:db8:9::1 activate\n exit-address-family\n"
        ),
    }
}
