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

/// Places in the running configuration, in FRR's order. Blocks and lines of lower places come first.
pub mod order {
    pub const HEADER: u16 = 0;
    pub const LOG: u16 = 10;
    pub const DEBUG: u16 = 15;
    pub const SERVICE: u16 = 20;
    pub const AAA: u16 = 25;
    pub const ZEBRA: u16 = 30;
    pub const STATIC: u16 = 35;
    pub const VRF: u16 = 40;
    pub const NEXTHOP_GROUP: u16 = 45;
    pub const INTERFACE: u16 = 50;
    pub const ROUTER: u16 = 60;
    pub const ACCESS_LIST: u16 = 70;
    pub const PREFIX_LIST: u16 = 72;
    pub const COMMUNITY_LIST: u16 = 74;
    pub const AS_PATH: u16 = 76;
    pub const ROUTE_MAP: u16 = 80;
    pub const PROTOCOL: u16 = 85;
    pub const RPKI: u16 = 88;
    pub const KEYCHAIN: u16 = 90;
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
