//! Requests to the demo's load balancer, as any HTTP client would send them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A response, or what went wrong instead.
pub(super) type Outcome = Result<Answer, String>;

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status code.
    pub(super) status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// Who answered: the first word of the demo application's text.
    pub(super) fn instance(&self) -> &str {
        self.body.split_whitespace().next().unwrap_or("nobody")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.head, self.body)
    }
}

/// Sends `GET path` to `address` over a connection of its own.
pub(super) async fn get(address: SocketAddr, host: &str, path: &str) -> Outcome {
    let exchange = tokio::time::timeout(REQUEST_TIMEOUT, exchange(address, host, path));
    match exchange.await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {REQUEST_TIMEOUT:?}")),
    }
}

async fn exchange(
    address: SocketAddr,
    host: &str,
    path: &str,
) -> Result<Answer, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the sender is dropped.
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", host)
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let mut head = format!("{:?} {status}\n", response.version());
    for (name, value) in response.headers() {
        let _ = writeln!(
            head,
            "{name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        );
    }
    let body = response.into_body().collect().await?.to_bytes();
    Ok(Answer {
        status: status.as_u16(),
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// What became of many requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many got 200, by the instance that answered.
    pub(super) served: BTreeMap<String, u32>,
    /// What the others got, in words.
    pub(super) failed: BTreeMap<String, u32>,
}

impl Tally {
    /// Counts one request.
    pub(super) fn count(&mut self, outcome: Outcome) {
        let (counts, what) = match outcome {
            Ok(answer) if answer.status == 200 => (&mut self.served, answer.instance().to_owned()),
            Ok(answer) => (&mut self.failed, format!("status {}", answer.status)),
            Err(error) => (&mut self.failed, error),
        };
        *counts.entry(what).or_default() += 1;
    }

    /// Sends requests, alternating over `addresses`, for as long as `duration`.
    pub(super) async fn send(&mut self, addresses: &[SocketAddr], host: &str, duration: Duration) {
        let start = Instant::now();
        for address in addresses.iter().cycle() {
            if start.elapsed() >= duration {
                return;
            }
            self.count(get(*address, host, "/").await);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let served: u32 = self.served.values().sum();
        let failed: u32 = self.failed.values().sum();
        write!(
            f,
            "{} requests sent, {served} answered 200, {failed} failed",
            served + failed
        )?;
        for (who, count) in &self.served {
            write!(f, "\n  {count:>5} by {who}")?;
        }
        for (what, count) in &self.failed {
            write!(f, "\n  {count:>5} failed: {what}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Outcome {
        Ok(Answer {
            status,
            head: String::new(),
            body: body.to_owned(),
        })
    }

    #[test]
    fn a_tally_hides_no_failure() {
        let mut tally = Tally::default();
        tally.count(answer(200, "web-a (process 1) got"));
        tally.count(answer(200, "web-b (process 2) got"));
        tally.count(answer(502, "web-b"));
        tally.count(Err("connection refused".to_owned()));
        assert_eq!(
            tally.to_string(),
            "4 requests sent, 2 answered 200, 2 failed\n      1 by web-a\n      1 by web-b\n      \
             1 failed: connection refused\n      1 failed: status 502"
        );
    }
}
