//! A request as the rules of a listener see it.

use std::net::{IpAddr, Ipv4Addr};

use engine::RequestFacts;

/// The facts of one request, written down instead of received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Vec<u8>,
    /// The host without its port.
    pub host: Vec<u8>,
    /// The path without the query.
    pub path: Vec<u8>,
    /// The query without `?`.
    pub query: Vec<u8>,
    /// Names, in any case, and values in their order.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The peer.
    pub source_ip: IpAddr,
}

impl Request {
    /// Reads `GET http://host/path?query`, followed by any number of ` | Name: value` and one
    /// ` | from 10.0.0.1`; without that, requests come from 127.0.0.1.
    ///
    /// # Panics
    /// If `text` is not written like that.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(" | ");
        let line = parts.next().expect("split gives at least one part");
        let (method, url) = line.split_once(' ').expect("a method and a URL");
        let rest = url.split_once("://").expect("a URL with its scheme").1;
        let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.into(),
            host: host.into(),
            path: path.into(),
            query: query.into(),
            fields: Vec::new(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
        };
        for part in parts {
            match part.strip_prefix("from ") {
                Some(address) => request.source_ip = address.parse().expect("an address"),
                None => {
                    let (name, value) = part.split_once(": ").expect("a field, Name: value");
                    request.fields.push((name.into(), value.into()));
                }
            }
        }
        request
    }
}

impl RequestFacts for Request {
    fn method(&self) -> &[u8] {
        &self.method
    }

    fn host(&self) -> &[u8] {
        &self.host
    }

    fn path(&self) -> &[u8] {
        &self.path
    }

    fn query(&self) -> &[u8] {
        &self.query
    }

    fn any_field(&self, name: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let named = |(own, _): &&(Vec<u8>, Vec<u8>)| own.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .filter(named)
            .any(|(_, value)| visit(value))
    }

    fn source_ip(&self) -> IpAddr {
        self.source_ip
    }
}
