//! A wire between a store and its server that is cut at the worst moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What happens to what the writer sends next, and to connections that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Wire {
    Whole,
    /// The next request is cut off before it reaches the server.
    CutBefore,
    /// The next request is carried out, its answer is cut off.
    CutAfter,
    /// The same, and nobody gets a connection until the wire is whole again.
    CutAfterAndStayDown,
    Down,
    /// Nothing is answered any more, nothing is closed.
    Silent,
}

const ALL: [Wire; 6] =
    [Wire::Whole, Wire::CutBefore, Wire::CutAfter, Wire::CutAfterAndStayDown, Wire::Down, Wire::Silent];

#[derive(Clone)]
pub struct Proxy {
    port: u16,
    wire: Arc<AtomicU8>,
    changed: Arc<Notify>,
}

impl Proxy {
    /// To a server on this machine.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, wire: Arc::new(AtomicU8::new(0)), changed: Arc::default() };
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let one = accepting.clone();
                tokio::spawn(async move { drop(one.carry(client, server).await) });
            }
        });
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, wire: Wire) {
        self.wire.store(wire as u8, SeqCst);
        self.changed.notify_waiters();
    }

    pub fn wire(&self) -> Wire {
        ALL[usize::from(self.wire.load(SeqCst))]
    }

    async fn carry(&self, mut client: TcpStream, server: u16) -> std::io::Result<()> {
        while self.wire() == Wire::Silent {
            self.changed.notified().await;
        }
        if self.wire() == Wire::Down {
            return Ok(());
        }
        let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
        let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut is_writer = false;
        loop {
            tokio::select! {
                read = client.read(&mut request) => {
                    let request = &request[..read?];
                    if request.is_empty() {
                        return Ok(());
                    }
                    // So it calls itself in its first message.
                    is_writer |= request.windows(19).any(|bytes| bytes == b"meal-planner writer");
                    let wire = if is_writer { self.wire() } else { Wire::Whole };
                    if wire == Wire::CutBefore {
                        self.set(Wire::Whole);
                        return Ok(());
                    }
                    server.write_all(request).await?;
                    if matches!(wire, Wire::CutAfter | Wire::CutAfterAndStayDown | Wire::Silent) {
                        pass_all(&mut client, &mut server).await?;
                        if wire == Wire::Silent {
                            std::future::pending::<()>().await;
                        }
                        self.set(if wire == Wire::CutAfter { Wire::Whole } else { Wire::Down });
                        return Ok(());
                    }
                }
                read = server.read(&mut answer) => {
                    let answer = &answer[..read?];
                    if answer.is_empty() {
                        return Ok(());
                    }
                    client.write_all(answer).await?;
                }
            }
        }
    }
}

/// Passes on what is left of a request, until the server begins to answer.
async fn pass_all(client: &mut TcpStream, server: &mut TcpStream) -> std::io::Result<()> {
    let (mut request, mut answer) = (vec![0; 1 << 16], [0; 1]);
    loop {
        tokio::select! {
            answered = server.peek(&mut answer) => return answered.map(drop),
            read = client.read(&mut request) => match read? {
                0 => return Ok(()),
                count => server.write_all(&request[..count]).await?,
            },
        }
    }
}
