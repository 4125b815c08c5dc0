//! Nodes: the places of the shell in which a line is read (`configure terminal`, inside `router bgp`, ...), and the
//! context of a line: the nodes entered to get there, with the arguments of the lines that entered them.

use crate::args::Args;

/// A place in the shell with commands of its own. Nodes are told apart by `name`, which several daemons may share.
#[derive(Debug)]
pub struct Node {
    pub name: &'static str,
    /// What stands in the prompt's brackets: `config-router`; empty for the two nodes outside configuration.
    pub prompt: &'static str,
    pub parent: Option<&'static Node>,
    /// The line that ends the node's block in a configuration: `exit`, `exit-address-family`.
    pub exit: &'static str,
    /// Place of the node's blocks in the running configuration, see [`order`].
    pub order: u16,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Node {}

/// Places in the running configuration, in FRR's order. Blocks and lines of lower places come first; lines of one place
/// stand together.
pub mod order {
    /// Hostname, logs, services, and single lines like `ip forwarding`.
    pub const HEADER: u16 = 0;
    pub const PREFIX_LIST: u16 = 10;
    pub const PREFIX_LIST_IPV6: u16 = 11;
    pub const ROUTE_MAP: u16 = 15;
    pub const DEBUG: u16 = 20;
    pub const PASSWORD: u16 = 22;
    pub const KEYCHAIN: u16 = 25;
    /// `ip route`, `ipv6 route`, `ip router-id`.
    pub const STATIC: u16 = 30;
    pub const ZEBRA: u16 = STATIC;
    pub const VRF: u16 = 35;
    pub const INTERFACE: u16 = 40;
    pub const NEXTHOP_GROUP: u16 = 45;
    pub const ROUTER: u16 = 50;
    pub const ACCESS_LIST: u16 = 60;
    pub const ACCESS_LIST_IPV6: u16 = 61;
    pub const AS_PATH: u16 = 62;
    pub const COMMUNITY_LIST: u16 = 64;
    pub const COMMUNITY_ALIAS: u16 = 66;
    pub const PROTOCOL: u16 = 68;
    pub const RPKI: u16 = 70;
    pub const VTY: u16 = 100;
}

pub static VIEW: Node = Node { name: "view", prompt: "", parent: None, exit: "exit", order: 0 };
pub static ENABLE: Node = Node { name: "enable", prompt: "", parent: None, exit: "exit", order: 0 };
pub static CONFIG: Node =
    Node { name: "config", prompt: "config", parent: Some(&ENABLE), exit: "exit", order: order::HEADER };
pub static INTERFACE: Node = Node {
    name: "interface",
    prompt: "config-if",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::INTERFACE,
};
pub static VRF: Node =
    Node { name: "vrf", prompt: "config-vrf", parent: Some(&CONFIG), exit: "exit-vrf", order: order::VRF };
pub static LINE_VTY: Node =
    Node { name: "line", prompt: "config-line", parent: Some(&CONFIG), exit: "exit", order: order::VTY };
pub static ROUTE_MAP: Node = Node {
    name: "route-map",
    prompt: "config-route-map",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::ROUTE_MAP,
};
pub static KEYCHAIN: Node = Node {
    name: "keychain",
    prompt: "config-keychain",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::KEYCHAIN,
};
pub static KEYCHAIN_KEY: Node = Node {
    name: "keychain-key",
    prompt: "config-keychain-key",
    parent: Some(&KEYCHAIN),
    exit: "exit",
    order: order::KEYCHAIN,
};

/// A node that was entered, and the arguments of the line that did.
#[derive(Debug, Clone)]
pub struct Frame {
    pub node: &'static Node,
    pub args: Args,
}

/// Where a line of configuration is read: the nodes below `configure terminal`, outermost first.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub frames: Vec<Frame>,
}

impl Context {
    pub fn node(&self) -> &'static Node {
        self.frames.last().map_or(&CONFIG, |frame| frame.node)
    }

    /// The arguments of the line that entered `node`, if it is one of those we are in.
    pub fn args(&self, node: &Node) -> Option<&Args> {
        self.frames.iter().rev().find(|frame| frame.node == node).map(|frame| &frame.args)
    }

    /// The arguments of the line that entered the innermost node.
    pub fn innermost(&self) -> Option<&Args> {
        self.frames.last().map(|frame| &frame.args)
    }

    /// The lines that lead here, keywords written out.
    pub fn lines(&self) -> Vec<String> {
        self.frames.iter().map(|frame| frame.args.line()).collect()
    }
}
