//! `http-get ADDRESS:PORT PATH…`: asks for each path over a connection of its own and prints one line of JSON for each:
//! `{"status": 200, "body": …}`. The tests' own HTTP client, run inside a router's network.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

fn get(address: &str, path: &str) -> std::io::Result<serde_json::Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: lg\r\nConnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let status = reply.split(' ').nth(1).and_then(|code| code.parse::<u16>().ok()).unwrap_or(0);
    let body = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| body.into());
    Ok(serde_json::json!({ "status": status, "body": body }))
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(address) = args.next() else {
        eprintln!("http-get ADDRESS:PORT PATH…");
        return ExitCode::FAILURE;
    };
    for path in args {
        match get(&address, &path) {
            Ok(reply) => println!("{reply}"),
            Err(error) => {
                eprintln!("{address}{path}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
