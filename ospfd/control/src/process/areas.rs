//! What the configuration says of a process beside its interfaces, as the core takes it.

use std::time::Duration;

use ferrite_ospf::config::{
    AbrType as CoreAbr, AreaConfig, AreaKind, BackoffTimes, Config, ExternalRange, GracefulRestart, Helper,
    Range, Shortcut, Translator, VirtualLink,
};
use ferrite_ospf_packet::AreaId;
use ferrite_types::Afi;

use super::auth;
use super::ospf::World;
use crate::settings::area::{AreaAuth, Translate};
use crate::settings::{
    AbrType, AreaKindSettings, AreaRange, AreaSettings, Restart, RouterSettings, Summary, VirtualLinkSettings,
};

/// FRR's, where nothing is said.
const MAX_PATHS: usize = 256;

pub fn configure(world: &World, (version, afi): (u8, Afi), router: &RouterSettings, config: &mut Config) {
    // A virtual link is one of the backbone.
    let backbone = router.areas.get(&AreaId::BACKBONE).and_then(|area| area.authentication);
    for (id, area) in &router.areas {
        config.areas.insert(*id, area_config(world, afi, area, backbone));
    }
    config.abr = match router.abr {
        AbrType::Cisco => CoreAbr::Cisco,
        AbrType::Ibm => CoreAbr::Ibm,
        AbrType::Shortcut => CoreAbr::Shortcut,
        AbrType::Standard => CoreAbr::Standard,
    };
    config.rfc1583 = router.rfc1583;
    config.loop_free_alternates = router.fast_reroute;
    config.stub_router = router.max_metric.administrative;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    config.stub_on_startup = router.max_metric.on_startup.map(seconds);
    config.stub_on_shutdown = router.max_metric.on_shutdown.map(seconds);
    config.max_paths = router.max_paths.map_or(MAX_PATHS, usize::from);
    configure_timers(router, config);
    config.sequence_base = world.host.epoch;
    config.restart = restart(&router.restart);
    config.opaque = router.opaque || router.restart.enabled || helps(&router.restart);
    config.flood_reduction = router.flood_reduction;
    config.max_lsas = router.max_lsas.map_or(config.max_lsas, |most| most as usize);
    // OSPFv3, whatever it routes, announces itself for a default route only when there is one; both are FRR's ways.
    let default = version == 2 && router.default_originate.is_some();
    config.boundary = default || !router.redistribute.is_empty();
    super::te::configure(router, config);
    if let Some(delay) = router.aggregation_delay {
        config.external_delay = seconds(delay);
    }
    config.external_ranges =
        router.summaries.iter().map(|(prefix, said)| (*prefix, range_of(said, router))).collect();
}

fn configure_timers(router: &RouterSettings, config: &mut Config) {
    let millis = |millis: u32| Duration::from_millis(millis.into());
    if let Some([delay, hold, longest]) = router.spf {
        config.timers.spf.delay = millis(delay);
        config.timers.spf.initial_hold = millis(hold);
        config.timers.spf.max_hold = millis(longest);
    }
    config.timers.backoff = router.backoff.map(|said| BackoffTimes {
        initial: millis(said.initial),
        short: millis(said.short),
        long: millis(said.long),
        hold_down: millis(said.hold),
        time_to_learn: millis(said.learn),
    });
    if let Some(least) = router.min_arrival {
        config.timers.min_arrival = millis(least);
    }
    if let Some(least) = router.throttle_lsa {
        config.timers.min_interval = millis(least);
    }
    if let Some(group) = router.refresh {
        config.timers.refresh_group = Duration::from_secs(group.into());
    }
}

/// Whether anybody is helped: Grace-LSAs are opaque ones.
fn helps(restart: &Restart) -> bool {
    restart.helper || !restart.helped.is_empty()
}

fn restart(said: &Restart) -> GracefulRestart {
    let default = GracefulRestart::default();
    GracefulRestart {
        enabled: said.enabled,
        period: said.grace_period.map_or(default.period, |seconds| Duration::from_secs(seconds.into())),
        helper: Helper {
            everybody: said.helper,
            routers: said.helped.clone(),
            strict: !said.lax,
            planned_only: said.planned_only,
            max_period: said
                .longest
                .map_or(default.helper.max_period, |seconds| Duration::from_secs(seconds.into())),
        },
    }
}

/// Where nothing is said of a range, the terms of its routes do not count either: a metric of 20 and type 2, as FRR has it.
fn range_of(said: &Summary, router: &RouterSettings) -> ExternalRange {
    ExternalRange {
        advertise: !said.no_advertise,
        tag: said.tag.unwrap_or(0),
        metric: said.metric.or(router.default_metric).or(Some(super::redistribute::METRIC)),
        type2: Some(said.metric_type != Some(1)),
    }
}

fn area_config(world: &World, afi: Afi, area: &AreaSettings, backbone: Option<AreaAuth>) -> AreaConfig {
    let mut config = AreaConfig { no_summary: area.no_summary, ..AreaConfig::default() };
    config.default_cost = area.default_cost.unwrap_or(1);
    config.flood_reduction = area.flood_reduction;
    match area.kind {
        AreaKindSettings::Normal => {}
        AreaKindSettings::Stub => config.kind = AreaKind::Stub,
        AreaKindSettings::Nssa(nssa) => {
            config.kind = AreaKind::Nssa;
            config.translator = match nssa.translate {
                Translate::Candidate => Translator::Candidate,
                Translate::Always => Translator::Always,
                Translate::Never => Translator::Never,
            };
            config.suppress_forwarding = nssa.suppress_forwarding;
            if let Some(default) = nssa.default_originate {
                config.default_originate = true;
                config.default_metric = default.metric;
                config.default_type2 = !default.type1;
            }
        }
    }
    let range = |said: &AreaRange| Range {
        advertise: !said.not_advertise,
        cost: said.cost,
        substitute: said.substitute,
    };
    config.ranges = area.ranges.iter().map(|(prefix, said)| (*prefix, range(said))).collect();
    config.nssa_ranges = area.nssa_ranges.iter().map(|(prefix, said)| (*prefix, range(said))).collect();
    let prefix_list = |name: &Option<String>| name.as_ref().and_then(|name| world.prefix_filter(afi, name));
    let access_list = |name: &Option<String>| name.as_ref().and_then(|name| world.access_filter(afi, name));
    config.filter_in = prefix_list(&area.filter_in);
    config.filter_out = prefix_list(&area.filter_out);
    config.import = access_list(&area.import_list);
    config.export = access_list(&area.export_list);
    config.shortcut = match area.shortcut {
        None => Shortcut::Default,
        Some(true) => Shortcut::Enable,
        Some(false) => Shortcut::Disable,
    };
    for (router, link) in &area.virtual_links {
        config.virtual_links.insert(*router, virtual_link(world, link, backbone));
    }
    config
}

fn virtual_link(world: &World, link: &VirtualLinkSettings, backbone: Option<AreaAuth>) -> VirtualLink {
    VirtualLink {
        hello_interval: link.hello_interval.unwrap_or(10),
        dead_interval: link.dead_interval.map_or(40, u32::from),
        retransmit: Duration::from_secs(link.retransmit.unwrap_or(5).into()),
        retransmit_window: Duration::from_millis(link.retransmit_window.unwrap_or(50).into()),
        transmit_delay: link.transmit_delay.unwrap_or(1),
        authentication: auth::of_link(world, &link.auth, backbone),
    }
}
