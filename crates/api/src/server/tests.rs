//! The bounds of the sockets, over real connections to a port that the system chose.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::HEALTH_PATH;
use crate::signed::{endpoint, sign};

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start(limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async { drop(stopped.await) };
    let task = tokio::spawn(serve(listener, endpoint().await, limits, stopped));
    Server {
        address,
        stop,
        task,
    }
}

/// Sends `request` and reads until the server closes the connection.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn post(body: &str) -> String {
    let fields = sign("sts", "POST", "/", body).map(|(name, value)| format!("{name}: {value}\r\n"));
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\n{}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
        fields.concat()
    )
}

/// A request and its answer on a connection that stays open.
async fn ask_for_health(stream: &mut TcpStream) {
    let request = format!("GET {HEALTH_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"{\"status\":\"ok\"}\n") {
        assert_ne!(
            stream.read_buf(&mut answer).await.unwrap(),
            0,
            "the answer is whole"
        );
    }
}

async fn check(limits: Limits, request: &str, beginning: &str, part: &str) {
    let server = start(limits).await;
    let answer = exchange(server.address, request).await;
    assert!(answer.starts_with(beginning), "{beginning}: {answer}");
    assert!(answer.contains(part), "{part}: {answer}");
    drop(server.stop);
    server.task.await.unwrap();
}

#[tokio::test]
async fn signed_requests_are_answered() {
    let request = post("Action=GetCallerIdentity&Version=2011-06-15");
    check(
        Limits::default(),
        &request,
        "HTTP/1.1 200 OK\r\n",
        "<Arn>arn:aws:iam::123456789012:root</Arn>",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let limits = Limits {
        body_bytes_max: 10,
        ..Limits::default()
    };
    let refused = "<Code>RequestEntityTooLarge</Code>";
    check(
        limits,
        &post("Action=GetCallerIdentity"),
        "HTTP/1.1 413 ",
        refused,
    )
    .await;
    let chunked = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n14\r\nAction=GetCallerIden\r\n0\r\n\r\n";
    check(limits, chunked, "HTTP/1.1 413 ", refused).await;
}

#[tokio::test]
async fn who_writes_all_of_a_body_that_is_too_large_gets_the_answer() {
    let limits = Limits {
        body_bytes_max: 10,
        ..Limits::default()
    };
    let server = start(limits).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = post(&"a".repeat(16 * 1024 * 1024));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    drop(server.stop);
    server.task.await.unwrap();
}

#[tokio::test]
async fn what_is_thrown_away_of_a_body_has_a_bound() {
    let limits = Limits {
        body_bytes_max: 10,
        drained_bytes_max: 1024 * 1024,
        ..Limits::default()
    };
    let server = start(limits).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let block = vec![b'a'; 1024 * 1024];
    while stream.write_all(&block).await.is_ok() {}
    drop(server.stop);
    server.task.await.unwrap();
}

#[tokio::test]
async fn refusals_of_bodies_have_the_shape_of_the_service() {
    let limits = Limits {
        body_bytes_max: 10,
        ..Limits::default()
    };
    let fields = sign("ec2", "POST", "/", "Action=DescribeVpcs");
    let fields = fields.map(|(name, value)| format!("{name}: {value}\r\n"));
    let request = format!(
        "POST / HTTP/1.1\r\n{}Content-Length: 19\r\nConnection: close\r\n\r\nAction=DescribeVpcs",
        fields.concat()
    );
    let refused = "<Response><Errors><Error><Code>RequestEntityTooLarge</Code>";
    check(limits, &request, "HTTP/1.1 413 ", refused).await;
}

#[tokio::test]
async fn a_client_is_not_asked_for_a_body_that_is_too_large() {
    let limits = Limits {
        body_bytes_max: 10,
        ..Limits::default()
    };
    let request =
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n";
    check(limits, request, "HTTP/1.1 413 ", "RequestEntityTooLarge").await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let limits = Limits {
        body_timeout: Duration::from_millis(1),
        ..Limits::default()
    };
    let request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhalf";
    check(
        limits,
        request,
        "HTTP/1.1 408 ",
        "<Code>RequestTimeout</Code>",
    )
    .await;
}

#[tokio::test]
async fn a_head_that_does_not_come_is_given_up() {
    let limits = Limits {
        head_timeout: Duration::from_millis(1),
        ..Limits::default()
    };
    check(limits, "GET / HTTP/1.1\r\nHost: loc", "", "").await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let limits = Limits {
        head_fields_max: 3,
        head_bytes_max: 8192,
        ..Limits::default()
    };
    let many = "GET / HTTP/1.1\r\nHost: localhost\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n";
    check(limits, many, "HTTP/1.1 431 ", "").await;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n",
        "a".repeat(10_000)
    );
    check(limits, &long, "HTTP/1.1 431 ", "").await;
}

#[tokio::test]
async fn further_connections_wait_for_a_free_place() {
    let server = start(Limits {
        connections_max: 1,
        ..Limits::default()
    })
    .await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    ask_for_health(&mut first).await;
    let closing =
        format!("GET {HEALTH_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let second = tokio::spawn(async move { exchange(server.address, &closing).await });
    // Each of these gives the server as many turns as an answer to the second one would need.
    for _ in 0..100 {
        ask_for_health(&mut first).await;
    }
    assert!(!second.is_finished(), "the only place is taken");
    drop(first);
    assert!(second.await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn the_stop_ends_idle_connections_and_returns() {
    let server = start(Limits::default()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    ask_for_health(&mut idle).await;
    drop(server.stop);
    server.task.await.unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens any more"
    );
}
