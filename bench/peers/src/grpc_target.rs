//! A gRPC target over HTTP/2 without TLS. Every unary call is answered with the message it sent,
//! except `/bench.Echo/Added`, which answers the fields that the proxy added.

use std::error::Error;
use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use h2::RecvStream;
use h2::server::{self, SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::added;

const ADDED: &str = "/bench.Echo/Added";

/// Answers calls until the program is ended.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        spawn_local(async move {
            // Proxies and health checks hang up as they like.
            let _ = serve_connection(stream).await;
        });
    }
}

async fn serve_connection(stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let mut connection = server::handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        spawn_local(async move {
            // A call that its client gave up leaves the connection as it is.
            let _ = answer(request, respond).await;
        });
    }
    Ok(())
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, body) = request.into_parts();
    let received = read(body).await?;
    let message = match head.uri.path() {
        ADDED => length_prefixed(&added::values(|name| {
            head.headers.get(name).map(HeaderValue::as_bytes)
        })),
        _ => received,
    };
    let response = Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .expect("the head is made of constants");
    let mut sending = respond.send_response(response, false)?;
    sending.send_data(message, false)?;
    sending.send_trailers(HeaderMap::from_iter([(
        "grpc-status".parse().expect("a constant field name"),
        HeaderValue::from_static("0"),
    )]))
}

async fn read(mut body: RecvStream) -> Result<Bytes, h2::Error> {
    let mut whole = Bytes::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        // Small messages are one piece, which is not copied.
        whole = if whole.is_empty() {
            piece
        } else {
            [whole, piece].concat().into()
        };
    }
    Ok(whole)
}

/// A message as gRPC frames it: not compressed, then its length.
fn length_prefixed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("field values fit into a message"));
    framed.put_slice(message);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_follows_its_length() {
        assert_eq!(length_prefixed(b"abc")[..], *b"\0\0\0\0\x03abc");
    }
}
