//! A proxy that only copies bytes between each client and a connection of its own to the target. It parses nothing and
//! adds nothing, so what it takes is the least that any proxy over sockets takes on the machine.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

/// Copies until the program is ended.
pub(crate) async fn serve(listener: TcpListener, target: SocketAddr) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        spawn_local(async move {
            // Clients and targets hang up as they like.
            let _ = join(client, target).await;
        });
    }
}

async fn join(mut client: TcpStream, target: SocketAddr) -> io::Result<()> {
    let mut target = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    target.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut target).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn bytes_pass_both_ways_unchanged_and_the_end_does_too() {
        LocalSet::new().run_until(check()).await;
    }

    async fn check() {
        let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        spawn_local(serve(listener, target.local_addr().unwrap()));

        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        let (mut stream, _) = target.accept().await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"GET / HTTP/1.1\r\n");
        stream.write_all(b"\0anything").await.unwrap();
        drop(stream);
        received.clear();
        client.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"\0anything");
    }
}
