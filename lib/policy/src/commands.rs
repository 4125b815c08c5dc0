//! Policy as configuration lines: [`register`] gives a daemon every command of this crate and their rendering.
//!
//! Places in the running configuration are those of FRR's shell: prefix lists and route maps come early, access, AS-path
//! and community lists after the routers.

use ferrite_cli::{CliError, Registry};

use crate::PolicyConfig;

mod clauses;
mod lists;
mod maps;
mod unsupported;

/// How a daemon's configuration leads to its policy.
pub struct Access<C> {
    pub get: fn(&C) -> &PolicyConfig,
    pub get_mut: fn(&mut C) -> &mut PolicyConfig,
}

impl<C> Clone for Access<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C> Copy for Access<C> {}

/// What a daemon evaluates: lists and clauses that it does not are not offered to the operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everything.
    Bgp,
    /// Without what only BGP routes carry; such clauses of a shared route map are taken and kept, as FRR's zebra does.
    Zebra,
}

/// Registers prefix lists, access lists, route maps and, for BGP, AS-path and community lists.
pub fn register<C: 'static, H>(registry: &mut Registry<C, H>, scope: Scope, access: Access<C>) {
    lists::register(registry, scope, access);
    maps::register(registry, access);
    unsupported::register(registry);
}

pub(crate) type Refused = Result<(), CliError>;
