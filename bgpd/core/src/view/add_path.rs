//! Path identifiers in shows: which side of a session sends and takes them, and how many paths are wanted.

use std::fmt;

use serde::Serialize;

use super::neighbor::Both;

/// Who of both announced that it sends, and that it takes, several paths of a prefix (RFC 7911 §4).
#[derive(Clone, Copy, Debug, Default)]
pub struct AddPathView {
    pub tx: Both,
    pub rx: Both,
}

impl Serialize for AddPathView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        let names = [
            (self.tx, ["txAdvertisedAndReceived", "txAdvertised", "txReceived"]),
            (self.rx, ["rxAdvertisedAndReceived", "rxAdvertised", "rxReceived"]),
        ];
        for (side, [both, advertised, received]) in names.into_iter().filter(|(side, _)| side.any()) {
            map.serialize_entry(both, &(side.advertised && side.received))?;
            map.serialize_entry(advertised, &side.advertised)?;
            map.serialize_entry(received, &side.received)?;
        }
        map.end()
    }
}

impl AddPathView {
    pub(super) fn write(self, family: impl fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, side) in [("TX", self.tx), ("RX", self.rx)].into_iter().filter(|(_, side)| side.any()) {
            writeln!(f, "      {family}: {name} {}", side.text())?;
        }
        Ok(())
    }
}

/// The most paths of a prefix that each side wants, where it said so; zero: as many as there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct PathsLimitView {
    pub advertised: Option<u16>,
    pub received: Option<u16>,
}

impl Serialize for PathsLimitView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        let both = Both { advertised: self.advertised.is_some(), received: self.received.is_some() };
        let key = match (both.advertised, both.received) {
            (true, true) => "advertisedAndReceived",
            (true, false) => "advertised",
            _ => "received",
        };
        map.serialize_entry(key, &true)?;
        if let Some(limit) = self.advertised {
            map.serialize_entry("advertisedPathsLimit", &limit)?;
        }
        if let Some(limit) = self.received {
            map.serialize_entry("receivedPathsLimit", &limit)?;
        }
        map.end()
    }
}

impl fmt::Display for PathsLimitView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.advertised, self.received) {
            (Some(ours), Some(theirs)) => write!(f, "advertised ({ours}) and received ({theirs})"),
            (Some(ours), None) => write!(f, "advertised ({ours})"),
            (None, Some(theirs)) => write!(f, "received ({theirs})"),
            (None, None) => Ok(()),
        }
    }
}

/// The identifiers of a path: as it came, and as it is sent. FRR has one to send for each strategy; here all that are in use
/// are the same.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PathIds {
    #[serde(rename = "addpathRxId")]
    pub received: u32,
    #[serde(rename = "addpathTxId")]
    pub sent: u32,
    #[serde(rename = "addpathTxIdAll")]
    pub all: u32,
    #[serde(rename = "addpathTxIdBestPerAS")]
    pub per_as: u32,
    #[serde(rename = "addpathTxIdBestSelected")]
    pub best: u32,
}

impl fmt::Display for PathIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RX {}, TX-All {} TX-Best-Per-AS {} TX-Best-Selected {}",
            self.received, self.all, self.per_as, self.best
        )
    }
}
