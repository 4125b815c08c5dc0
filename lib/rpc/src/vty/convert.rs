//! prost types from and to the plain ones. Everything they can hold is meaningful, so nothing here fails.

use super::pb;
use super::types::*;

impl From<Description> for pb::DescribeReply {
    fn from(it: Description) -> Self {
        pb::DescribeReply {
            name: it.name,
            version: it.version,
            contract_major: it.contract.0,
            contract_minor: it.contract.1,
            nodes: it.nodes.into_iter().map(Into::into).collect(),
            commands: it.commands.into_iter().map(Into::into).collect(),
            pid: it.pid,
            hostname: it.hostname,
        }
    }
}

impl From<pb::DescribeReply> for Description {
    fn from(it: pb::DescribeReply) -> Self {
        Description {
            name: it.name,
            version: it.version,
            pid: it.pid,
            hostname: it.hostname,
            contract: (it.contract_major, it.contract_minor),
            nodes: it.nodes.into_iter().map(Into::into).collect(),
            commands: it.commands.into_iter().map(Into::into).collect(),
        }
    }
}

/// Two structs with the same fields, converted both ways.
macro_rules! same_fields {
    ($plain:ident = $message:ident { $($field:ident),+ $(,)? }) => {
        impl From<$plain> for pb::$message {
            fn from(it: $plain) -> Self {
                pb::$message { $($field: it.$field),+ }
            }
        }
        impl From<pb::$message> for $plain {
            fn from(it: pb::$message) -> Self {
                $plain { $($field: it.$field),+ }
            }
        }
    };
}

same_fields!(NodeInfo = Node { name, prompt, parent, exit });
same_fields!(CommandInfo = Command { nodes, syntax, help, enters, hidden, refused });
same_fields!(ExecuteLine = ExecuteRequest { node, context, line });
same_fields!(ConfigLine = Line { number, text });
same_fields!(ConfigChange = Change { context, line, added });

impl From<ExecuteResult> for pb::ExecuteResult {
    fn from(it: ExecuteResult) -> Self {
        pb::ExecuteResult {
            status: u32::from(it.status.number()),
            message: it.message,
            column: it.column,
            expected: it.expected,
            entered: it.entered.unwrap_or_default(),
        }
    }
}

impl From<pb::ExecuteResult> for ExecuteResult {
    fn from(it: pb::ExecuteResult) -> Self {
        ExecuteResult {
            status: Status::from_number(it.status),
            message: it.message,
            column: it.column,
            expected: it.expected,
            entered: Some(it.entered).filter(|name| !name.is_empty()),
        }
    }
}

impl From<ConfigItem> for pb::Item {
    fn from(it: ConfigItem) -> Self {
        let block = it.body.is_some();
        let ConfigBody { items, exit } = it.body.unwrap_or_default();
        let items = items.into_iter().map(Into::into).collect();
        pb::Item { order: u32::from(it.order), text: it.text, block, items, exit }
    }
}

impl From<pb::Item> for ConfigItem {
    fn from(it: pb::Item) -> Self {
        let items = it.items.into_iter().map(Into::into).collect();
        let body = it.block.then_some(ConfigBody { items, exit: it.exit });
        ConfigItem { order: u16::try_from(it.order).unwrap_or(u16::MAX), text: it.text, body }
    }
}

impl From<LineError> for pb::LineError {
    fn from(it: LineError) -> Self {
        pb::LineError {
            line: it.line,
            column: it.column,
            text: it.text,
            status: u32::from(it.status.number()),
            message: it.message,
            expected: it.expected,
        }
    }
}

impl From<pb::LineError> for LineError {
    fn from(it: pb::LineError) -> Self {
        LineError {
            line: it.line,
            column: it.column,
            text: it.text,
            status: Status::from_number(it.status),
            message: it.message,
            expected: it.expected,
        }
    }
}
