//! Clients and the dataplane.

use ferrite_types::Timestamp;

use crate::client::{Client, ClientKey};
use crate::instance::Zebra;
use crate::view::client::{ClientView, Clients, RouteCounts};
use crate::view::dplane::{DataplaneView, Provider, Providers};
use crate::view::uptime;

impl Zebra {
    fn ago(&self, at: Timestamp) -> String {
        uptime(self.now.since(at))
    }

    pub(crate) fn client_views(&self) -> Clients {
        Clients(self.clients.connected().map(|(key, client)| self.client_view(key, client)).collect())
    }

    fn client_view(&self, key: ClientKey, client: &Client) -> ClientView {
        let counts = &client.counts;
        let routes = |family: usize| RouteCounts {
            added: counts.added.get(family).copied().unwrap_or_default(),
            updated: counts.updated.get(family).copied().unwrap_or_default(),
            deleted: counts.deleted.get(family).copied().unwrap_or_default(),
        };
        let redistributed = |added: u64| RouteCounts { added, ..RouteCounts::default() };
        ClientView {
            name: client.hello.protocol.name().to_owned(),
            instance: client.hello.instance,
            socket: key.0,
            connect_time: self.ago(client.connected_at),
            last_read: self.ago(client.last_read),
            last_write: self.ago(client.last_write),
            ipv4: routes(0),
            ipv6: routes(1),
            redistributed_v4: redistributed(counts.redistributed[0]),
            redistributed_v6: redistributed(counts.redistributed[1]),
            nexthops_v4: counts.tracked[0],
            nexthops_v6: counts.tracked[1],
            interfaces: counts.interfaces,
            addresses: counts.addresses,
            notified: client.want_results,
            errors: counts.refused,
            input_queue: (0, counts.received),
            output_queue: (0, counts.sent),
            stale_for: None,
        }
    }

    pub(crate) fn dataplane_view(&self) -> DataplaneView {
        let stats = self.fib.stats;
        DataplaneView {
            route_updates: stats.updates,
            route_update_errors: stats.errors,
            route_retries: self.fib.failures() as u64,
            queue_limit: crate::instance::MAX_IN_FLIGHT as u64,
            queue_depth: self.fib.in_flight as u64,
            queue_max: stats.max_in_flight as u64,
            nexthop_updates: self.groups.messages,
            nexthop_errors: self.groups.errors,
            lsp_updates: self.lfib.updates,
            lsp_errors: self.lfib.errors,
            address_updates: self.link_updates.0,
            link_updates: self.link_updates.1,
            resyncs: self.kernel.resyncs,
            ..DataplaneView::default()
        }
    }

    pub(crate) fn providers(&self) -> Providers {
        let stats = self.fib.stats;
        let waiting = self.fib.in_flight as u64;
        let mut providers = vec![Provider {
            name: "Kernel",
            taken: stats.updates,
            waiting,
            waiting_max: stats.max_in_flight as u64,
            done: stats.updates.saturating_sub(waiting),
        }];
        if self.settings.fpm.address.is_some() {
            let stats = self.fpm.stats;
            providers.push(Provider {
                name: "dplane_fpm_nl",
                taken: stats.noted,
                waiting: self.fpm.queue_len() as u64,
                waiting_max: stats.queue_peak,
                done: stats.told,
            });
        }
        Providers(providers)
    }
}
