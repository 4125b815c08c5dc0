//! Two hundred adjacencies on one box: a process with two hundred routers on as many links against one of ours. All come up, all
//! routes are in the kernel, and the box is quiet afterwards.

use std::time::Duration;

use topotests::{Family, Kind, Needs, ensure, run, wait_until};

use super::speak::{self, start};

const LINKS: usize = 200;

/// Addresses of both ends of a link, and the neighbour's router ID.
fn ends(n: usize) -> (String, String, String) {
    let (high, low) = (100 + n / 250, n % 250);
    (
        format!("10.{high}.{low}.1/24"),
        format!("10.{high}.{low}.2/24"),
        format!("9.9.{}.{}", n / 250, n % 250 + 1),
    )
}

#[test]
fn two_hundred_adjacencies_come_up_on_one_box() {
    run(&Needs::ours().daemons(&["ospfd"]), |net| {
        net.without_capture();
        let r1 = net.router("r1", Kind::Ours)?;
        let host = net.router("host", Kind::Host)?;
        let mut config = String::new();
        let mut args: Vec<String> = ["--hello", "5", "--dead", "20", "--point-to-point", "--externals", "50"]
            .map(str::to_owned)
            .to_vec();
        for n in 0..LINKS {
            let (own, far, id) = ends(n);
            let (here, there) = net.link(&r1, &own, &host, &far)?;
            args.extend(["--link".to_owned(), format!("{there},{far},{id}")]);
            config.push_str(&format!(
                "interface {here}\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf hello-interval 5\n \
                 ip ospf dead-interval 20\nexit\n"
            ));
        }
        config.push_str("router ospf\n ospf router-id 1.1.1.1\nexit\n");
        start(&r1, &config)?;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let _feed = host.ospf_feed(&args)?;
        wait_until(Duration::from_secs(60), "two hundred adjacencies", || {
            let full = speak::full(&r1, 2)?.len();
            ensure!(full == LINKS, "{full}");
            Ok(())
        })?;
        wait_until(Duration::from_secs(30), "the first one's routes", || {
            let count = speak::kernel(&r1, Family::V4)?.len();
            ensure!(count >= 50, "{count}");
            Ok(())
        })
    });
}
