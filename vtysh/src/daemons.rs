//! The running daemons: found by their sockets in the run directory, connected, described, connected again when they
//! come back.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ferrite_rpc::vty::{Description, VtyClient};

/// FRR's daemons in the order in which FRR's shell speaks to them.
const ORDER: [&str; 22] = [
    "mgmtd", "zebra", "ripd", "ripngd", "ospfd", "ospf6d", "ldpd", "bgpd", "isisd", "pimd", "pim6d", "nhrpd",
    "eigrpd", "babeld", "sharpd", "fabricd", "watchfrr", "pbrd", "staticd", "bfdd", "vrrpd", "pathd",
];

/// How long a daemon may take to describe itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// A daemon that answered.
#[derive(Debug, Clone)]
pub struct Daemon {
    pub name: String,
    pub client: VtyClient,
    pub description: Description,
}

/// Names a socket file, so that another one in its place is noticed.
type Identity = (u64, i64, i64);

#[derive(Debug)]
pub struct Daemons {
    directory: PathBuf,
    /// Only this one is spoken to.
    only: Option<String>,
    pub list: Vec<Daemon>,
    /// Sockets that nobody answers on, and why.
    pub silent: Vec<(String, String)>,
    seen: BTreeMap<String, Identity>,
}

impl Daemons {
    pub fn new(directory: &Path, only: Option<String>) -> Self {
        Self {
            directory: directory.to_owned(),
            only,
            list: Vec::new(),
            silent: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Looks for daemons. `false` when nothing has changed since the last time.
    pub async fn refresh(&mut self) -> bool {
        let found = self.sockets();
        if found == self.seen && !self.list.is_empty() {
            return false;
        }
        self.seen = found;
        self.list.clear();
        self.silent.clear();
        let mut names: Vec<String> = self.seen.keys().cloned().collect();
        names.sort_by_key(|name| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
        for name in names {
            match connect(&self.directory.join(format!("{name}.grpc"))).await {
                Ok((client, description)) => self.list.push(Daemon { name, client, description }),
                Err(reason) => self.silent.push((name, reason)),
            }
        }
        true
    }

    /// The daemon is looked for again before the next command.
    pub fn lost(&mut self, name: &str) {
        self.seen.remove(name);
    }

    fn sockets(&self) -> BTreeMap<String, Identity> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let named = entries.filter_map(|entry| {
            let name = entry.file_name().to_str()?.strip_suffix(".grpc")?.to_owned();
            // zebra's stream of routes is no shell.
            if name == "zserv" || self.only.as_ref().is_some_and(|only| *only != name) {
                return None;
            }
            let metadata = entry.metadata().ok()?;
            Some((name, (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())))
        });
        named.collect()
    }
}

async fn connect(socket: &Path) -> Result<(VtyClient, Description), String> {
    let described = async {
        let mut client = VtyClient::connect(socket).await.map_err(|_| "is not running".to_owned())?;
        let description = client.describe().await.map_err(|error| error.to_string())?;
        Ok((client, description))
    };
    tokio::time::timeout(PATIENCE, described).await.unwrap_or_else(|_| Err("does not answer".to_owned()))
}
